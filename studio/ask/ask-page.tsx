/** Models asked: one or several runs, one input, their answers side by side. */
import { useEffect, useRef, useState } from "preact/hooks";
import { type HowAsked, type Input, type RunSummary, studio } from "../shared/api.ts";
import { useSay } from "../shared/language.ts";
import { Answer } from "./answer.tsx";
import { InputField } from "./input-field.tsx";
import { takeSame } from "./same-input.ts";
import { type Prompt, WrittenText } from "./written-text.tsx";

/** A run that was chosen. */
interface Chosen {
  readonly run: string;
  readonly how: HowAsked;
}

/** What was asked last. */
type Question = { readonly input: Input } | { readonly prompt: Prompt };

/** What runs that write are given. */
function PromptField({ chats, example, onAsk }: { chats: boolean; example: string; onAsk: (prompt: Prompt) => void }) {
  const say = useSay();
  const [prompt, setPrompt] = useState(example);
  const [temperature, setTemperature] = useState("0.8");
  const [most, setMost] = useState("100");
  const numbers = [Number(temperature.replace(",", ".")), Number(most)] as const;
  const isGood =
    prompt !== "" &&
    temperature.trim() !== "" &&
    numbers[0] >= 0 &&
    numbers[0] <= 10 &&
    Number.isInteger(numbers[1]) &&
    numbers[1] > 0 &&
    numbers[1] <= 4096;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        onAsk({ prompt, temperature: numbers[0], most: numbers[1] });
      }}
    >
      <label class="field">
        {say(chats ? "inputMessage" : "inputPrompt")}
        <textarea
          rows={4}
          maxLength={200_000}
          value={prompt}
          onInput={({ currentTarget }) => setPrompt(currentTarget.value)}
        />
      </label>
      <div class="fields">
        <label class="field">
          {say("temperature")}
          <input
            inputMode="decimal"
            value={temperature}
            onInput={({ currentTarget }) => setTemperature(currentTarget.value)}
          />
        </label>
        <label class="field">
          {say("mostTokens")}
          <input inputMode="numeric" value={most} onInput={({ currentTarget }) => setMost(currentTarget.value)} />
        </label>
      </div>
      <button type="submit" disabled={!isGood}>
        {say("write")}
      </button>
    </form>
  );
}

export function AskPage({ runs, first }: { runs: readonly RunSummary[]; first: string | undefined }) {
  const say = useSay();
  const [chosen, setShown] = useState<readonly Chosen[]>([]);
  // Two that are chosen one right after the other are held against each other.
  const latest = useRef(chosen);
  const setChosen = (next: readonly Chosen[]) => {
    latest.current = next;
    setShown(next);
  };
  const [wrong, setWrong] = useState("");
  const [input, setInput] = useState<Input>();
  const [question, setQuestion] = useState<Question>();
  const nameOf = (id: string) => runs.find((own) => own.id === id)?.name ?? id;
  const choose = (run: string) => {
    setWrong("");
    studio.howAsked(run).then(
      (how) => {
        const [before] = latest.current;
        if (how.input.kind === "none") setWrong(say("notAsked", { name: nameOf(run), why: how.input.why }));
        else if (before && !takeSame(before.how.input, how.input))
          setWrong(say("otherInput", { name: nameOf(run), first: nameOf(before.run) }));
        else setChosen([...latest.current.filter((own) => own.run !== run), { run, how }]);
      },
      (error: Error) => setWrong(say("failed", { message: error.message })),
    );
  };
  useEffect(() => {
    if (first !== undefined) choose(first);
  }, [first]);
  const takes = chosen[0]?.how.input;
  return (
    <>
      <h1>{say("ask")}</h1>
      <section class="panel">
        <p class="soft">{say("whichRuns")}</p>
        <div class="row controls">
          {chosen.map(({ run }) => (
            <button
              key={run}
              type="button"
              class="quiet"
              aria-label={say("removeTarget", { name: nameOf(run) })}
              onClick={() => {
                const left = chosen.filter((own) => own.run !== run);
                setChosen(left);
                if (left.length > 0) return;
                setInput(undefined);
                setQuestion(undefined);
              }}
            >
              {nameOf(run)} ×
            </button>
          ))}
          <label class="pick">
            {say("addRun")}
            <select
              value=""
              onChange={({ currentTarget }) => currentTarget.value !== "" && choose(currentTarget.value)}
            >
              <option value="" />
              {runs
                .filter(({ id, recipe }) => recipe !== undefined && !chosen.some((own) => own.run === id))
                .map(({ id, name }) => (
                  <option key={id} value={id}>
                    {name}
                  </option>
                ))}
            </select>
          </label>
        </div>
        {wrong !== "" && (
          <p class="wrong" role="alert">
            {wrong}
          </p>
        )}
        {takes?.kind === "write" && (
          <PromptField
            key={chosen[0]?.run}
            chats={takes.chats}
            example={takes.example}
            onAsk={(prompt) => setQuestion({ prompt })}
          />
        )}
        {takes && takes.kind !== "write" && (
          <>
            <InputField
              key={chosen[0]?.run}
              takes={takes}
              onInput={setInput}
              onAsk={(own) => setQuestion({ input: own })}
            />
            <button
              type="button"
              disabled={input === undefined}
              onClick={() => input && setQuestion({ input: { ...input } })}
            >
              {say("ask")}
            </button>
          </>
        )}
      </section>
      {question && (
        <>
          <h2>{say("answers")}</h2>
          <div class="panels answers">
            {chosen.map(({ run, how }) => (
              <section key={run} class="panel" aria-label={nameOf(run)}>
                <h2>
                  <a href={`#/run/${encodeURIComponent(run)}`}>{nameOf(run)}</a>
                </h2>
                {"prompt" in question ? (
                  <WrittenText run={run} name={nameOf(run)} prompt={question.prompt} />
                ) : (
                  <Answer run={run} input={question.input} explains={how.explains} />
                )}
              </section>
            ))}
          </div>
        </>
      )}
    </>
  );
}
