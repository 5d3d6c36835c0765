/** What a run's model made of a few fixed samples as it learned: predictions, texts, images, attention, with a slider over the moments. */
import type { ComponentChildren } from "preact";
import { useMemo, useState } from "preact/hooks";
import { inOneLine } from "../../src/core/printable.ts";
import { heatmap } from "../../src/draw/heatmap.ts";
import type { WatchedAttention, WatchedPrediction, WatchedSample } from "../../src/runs/samples/sample-records.ts";
import { Bars } from "../ask/answer.tsx";
import { type RunSummary, studio } from "../shared/api.ts";
import { useSay } from "../shared/language.ts";
import { numberText } from "../shared/numbers.ts";
import { useAnswer } from "../shared/use-answer.ts";
import { Choice } from "./choice.tsx";
import { NothingKept, RunSection } from "./run-section.tsx";
import { SvgFigure } from "./svg-figure.tsx";

export function Samples({ run: { id, epoch } }: { run: RunSummary }) {
  const say = useSay();
  /** The place of a moment; the last, as the run goes on, where none was chosen. */
  const [at, setAt] = useState<number>();
  const { answer, failed } = useAnswer(() => studio.samples(id, at), [id, epoch, at]);
  const framed = (content?: ComponentChildren) => (
    <RunSection title="samples" failed={failed}>
      {content}
    </RunSection>
  );
  if (!answer) return framed();
  const { inputs, epochs, moment } = answer;
  if (!inputs || !moment) return framed(<NothingKept run={id} text="noSamples" />);
  const last = epochs.length - 1;
  const now = say("afterEpoch", { epoch: moment.epoch });
  const { predictions, text, images, attention } = moment;
  return framed(
    <>
      <label class="row controls">
        <span>{now}</span>
        <input
          class="wide"
          type="range"
          min="0"
          max={last}
          step="1"
          value={answer.at}
          aria-label={say("epoch")}
          aria-valuetext={now}
          onInput={({ currentTarget }) => {
            const place = Number(currentTarget.value);
            setAt(place === last ? undefined : place);
          }}
        />
      </label>
      {predictions && (
        <>
          <p class="soft">{say(inputs.from === "validation" ? "ofValidation" : "ofTraining")}</p>
          <div class="panels narrow">
            {predictions.map((prediction, i) => (
              <Sample key={i} number={i + 1} sample={inputs.samples[i]} prediction={prediction} />
            ))}
          </div>
        </>
      )}
      {text && (
        <div class="panel">
          <h3>{say("writesAfter")}</h3>
          <p class="written">
            <span class="soft">{text.prompt}</span>
            {text.written}
          </p>
        </div>
      )}
      {images?.map(({ name, image }) => (
        <figure key={name}>
          <img class="made" src={image} alt={`${name}, ${now}`} />
          <figcaption class="soft">{name}</figcaption>
        </figure>
      ))}
      {attention && <Attention attention={attention} />}
    </>,
  );
}

/** A sample with what is predicted of it. */
function Sample({
  number,
  sample,
  prediction,
}: {
  number: number;
  sample: WatchedSample | undefined;
  prediction: WatchedPrediction;
}) {
  const say = useSay();
  const name = say("sampleNumber", { number });
  return (
    <article class="panel" aria-label={name}>
      {sample?.image !== undefined && <img class="sample" src={sample.image} alt={name} />}
      {sample?.cells && (
        <dl>
          {sample.cells.map((cell) => (
            <div key={cell.name}>
              <dt>{cell.name}</dt>
              <dd>{cell.value}</dd>
            </div>
          ))}
        </dl>
      )}
      {sample && <p>{say("trueValue", { value: sample.actual })}</p>}
      {"number" in prediction ? (
        <p>{say("predictedValue", { value: numberText(prediction.number ?? Number.NaN) })}</p>
      ) : (
        // JSON has null for what is no number.
        <Bars shares={prediction.classes.map((own) => ({ ...own, probability: own.probability ?? Number.NaN }))} />
      )}
    </article>
  );
}

/** Numbers of a layer's attention, of one head or of all in the mean, [queries, keys]. */
function sharesOf({ heads, queries, keys, shares }: WatchedAttention["layers"][number], head: string): number[] {
  const bytes = Uint8Array.from(atob(shares), (character) => character.charCodeAt(0));
  const size = queries * keys;
  const chosen = head === "" ? Array.from({ length: heads }, (_, i) => i) : [Number(head)];
  return Array.from(
    { length: size },
    (_, i) => chosen.reduce((sum, own) => sum + (bytes[own * size + i] ?? 0), 0) / chosen.length / 255,
  );
}

/** Tokens beside a map: spaces are seen, and what is no token has its number. */
const labelsOf = (tokens: readonly string[], count: number): readonly string[] =>
  tokens.length === count
    ? tokens.map((token) => inOneLine(token).replaceAll(" ", "·"))
    : Array.from({ length: count }, (_, i) => String(i + 1));

function Attention({ attention: { tokens, layers } }: { attention: WatchedAttention }) {
  const say = useSay();
  const [path, setPath] = useState("");
  const [head, setHead] = useState("");
  const layer = layers.find((own) => own.path === path) ?? layers[0];
  const heads = ["", ...Array.from({ length: layer?.heads ?? 0 }, (_, i) => String(i))];
  const chosen = heads.includes(head) ? head : "";
  const title = `${say("attention")}: ${layer?.path ?? ""}`;
  const svg = useMemo(() => {
    if (!layer) return "";
    const [rows, columns] = [labelsOf(tokens, layer.queries), labelsOf(tokens, layer.keys)];
    return heatmap({ title: inOneLine(layer.path), rows, columns, values: sharesOf(layer, chosen) });
  }, [layer, chosen]);
  if (!layer) return null;
  return (
    <>
      <h3 class="below">{say("attention")}</h3>
      <p class="soft">{say("attentionHint")}</p>
      <div class="row controls">
        <Choice
          label={say("layer")}
          value={layer.path}
          names={layers.map((own) => own.path)}
          textOf={(name) => name}
          onChange={setPath}
        />
        {layer.heads > 1 && (
          <Choice
            label={say("head")}
            value={chosen}
            names={heads}
            textOf={(own) => (own === "" ? say("meanOfHeads") : String(Number(own) + 1))}
            onChange={setHead}
          />
        )}
      </div>
      <SvgFigure title={title} svg={svg} name="attention" />
    </>
  );
}
