/** What one run says of an input: probabilities as bars, numbers, words; and why, where that is asked. */
import { useEffect, useRef, useState } from "preact/hooks";
import { type Explained, type Input, type Prediction, studio } from "../shared/api.ts";
import { useSay } from "../shared/language.ts";
import { numberText } from "../shared/numbers.ts";

/** Classes that are shown, the likeliest. */
const mostBars = 10;

export const percentText = (share: number): string =>
  `${(100 * share).toFixed(share > 0.9995 || share < 0.1 ? 2 : 1)} %`;

/** Named shares as bars, with their numbers beside them. */
export function Bars({ shares }: { shares: readonly { readonly name: string; readonly probability: number }[] }) {
  return (
    <ol class="bars">
      {shares.map(({ name, probability }, i) => (
        <li key={`${i}/${name}`} style={{ "--share": probability }}>
          <span>{name}</span>
          <span class="number">{percentText(probability)}</span>
        </li>
      ))}
    </ol>
  );
}

/** A value of an answer in words. */
function valueText(value: unknown): string {
  if (typeof value === "number") return numberText(value);
  if (Array.isArray(value)) {
    const shown = value.slice(0, 200).map(valueText).join(", ");
    return value.length > 200 ? `${shown}, …` : shown;
  }
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value ?? "");
}

/** One row of an answer. */
function Row({ prediction: { likely, fields } }: { prediction: Prediction }) {
  const others = Object.entries(fields);
  return (
    <>
      {likely && <Bars shares={likely.slice(0, mostBars)} />}
      {others.length > 0 && (
        <dl>
          {others.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd class="note">{valueText(value)}</dd>
            </div>
          ))}
        </dl>
      )}
    </>
  );
}

/** Why the run says so. */
function Explanation({ found: { target, method, svg, parts, notes } }: { found: Explained }) {
  const say = useSay();
  const title = say("explained", { target, method });
  return (
    <figure>
      <figcaption>{title}</figcaption>
      <img class="explanation" alt={title} src={`data:image/svg+xml,${encodeURIComponent(svg)}`} />
      {parts.length > 0 && (
        <details>
          <summary>{say("theValues")}</summary>
          <dl>
            {parts.map(({ name, value }, i) => (
              <div key={`${i}/${name}`}>
                <dt>{name}</dt>
                <dd>{numberText(value)}</dd>
              </div>
            ))}
          </dl>
        </details>
      )}
      {notes.map((note) => (
        <p key={note} class="soft">
          {note}
        </p>
      ))}
    </figure>
  );
}

/** What was found, while it is looked for, or what went wrong. */
type Finding<T> = "nothing" | "looking" | { readonly found: T } | { readonly wrong: string };

/** Only of what is latest: what comes late is of an input before. */
function useLatest(input: Input) {
  const latest = useRef(input);
  latest.current = input;
  return <T,>(set: (value: T) => void) =>
    (value: T) => {
      if (latest.current === input) set(value);
    };
}

/** A button that explains the answer to an input, and the explanation. */
export function Why({ run, input }: { run: string; input: Input }) {
  const say = useSay();
  const [why, setWhy] = useState<Finding<Explained>>("nothing");
  const when = useLatest(input);
  useEffect(() => setWhy("nothing"), [run, input]);
  const explain = () => {
    setWhy("looking");
    studio.explain(run, input).then(
      when((found) => setWhy({ found })),
      when((error: Error) => setWhy({ wrong: error.message })),
    );
  };
  return (
    <>
      <div class="row">
        <button type="button" class="quiet" disabled={why === "looking"} onClick={explain}>
          {say(why === "looking" ? "explaining" : "explain")}
        </button>
      </div>
      {typeof why === "object" && "found" in why && <Explanation found={why.found} />}
      {typeof why === "object" && "wrong" in why && (
        <p class="wrong" role="alert">
          {say("failed", { message: why.wrong })}
        </p>
      )}
    </>
  );
}

export function Answer({ run, input, explains }: { run: string; input: Input; explains: boolean }) {
  const say = useSay();
  const [answer, setAnswer] = useState<Finding<{ predictions: readonly Prediction[]; rows: number }>>("looking");
  const when = useLatest(input);
  useEffect(() => {
    studio.predict(run, input).then(
      when((found) => setAnswer({ found })),
      when((error: Error) => setAnswer({ wrong: error.message })),
    );
  }, [run, input]);
  if (answer === "looking" || answer === "nothing") return <p class="soft">{say("asking")}</p>;
  if ("wrong" in answer)
    return (
      <p class="wrong" role="alert">
        {say("failed", { message: answer.wrong })}
      </p>
    );
  const { predictions, rows } = answer.found;
  return (
    <>
      {predictions.map((prediction, i) => (
        <div key={i}>
          {predictions.length > 1 && <h3>{say("rowNumber", { number: i + 1 })}</h3>}
          <Row prediction={prediction} />
        </div>
      ))}
      {rows > predictions.length && <p class="soft">{say("moreRows", { shown: predictions.length, rows })}</p>}
      {explains && <Why run={run} input={input} />}
    </>
  );
}
