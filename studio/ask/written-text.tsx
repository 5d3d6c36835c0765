/** A text as a run writes it, token by token; each can be pointed at, to see what could have stood in its place. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { studio, type WrittenLine, type WrittenToken } from "../shared/api.ts";
import { useSay } from "../shared/language.ts";
import { Bars, percentText, Why } from "./answer.tsx";

/** What is asked of runs that write. */
export interface Prompt {
  readonly prompt: string;
  readonly temperature: number;
  readonly most: number;
}

/** Text that came at once, with its tokens: several where they make one character. */
type Piece = Extract<WrittenLine, { readonly tokens: unknown }>;

/** A token so that spaces and ends of lines are seen. */
const tokenText = (text: string): string => text.replaceAll("\n", "⏎").replaceAll(" ", "␣").replaceAll("\t", "⇥");

function Alternatives({ token }: { token: WrittenToken }) {
  const say = useSay();
  return (
    <>
      <p class="soft">
        <strong>{tokenText(token.text)}</strong> {percentText(token.probability)} · {say("alternatives")}
      </p>
      <Bars shares={token.alternatives.map(({ text, probability }) => ({ name: tokenText(text), probability }))} />
    </>
  );
}

export function WrittenText({ run, name, prompt }: { run: string; name: string; prompt: Prompt }) {
  const say = useSay();
  const [pieces, setPieces] = useState<readonly Piece[]>([]);
  const [ended, setEnded] = useState("");
  const [wrong, setWrong] = useState("");
  const [at, setAt] = useState<number>();
  const stop = useRef<AbortController>(undefined);
  const text = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const stopping = new AbortController();
    stop.current = stopping;
    let isOld = false;
    setPieces([]);
    setEnded("");
    setWrong("");
    setAt(undefined);
    const write = async () => {
      const all: Piece[] = [];
      for await (const line of studio.write({ run, ...prompt }, stopping.signal)) {
        if (isOld) return;
        if ("error" in line) setWrong(line.error);
        else if ("ending" in line)
          setEnded(say(line.ending === "stop" ? "endedStop" : "endedLength", { count: line.count }));
        else {
          all.push(line);
          setPieces([...all]);
        }
      }
    };
    write().catch((error: Error) => {
      if (isOld) return;
      if (stopping.signal.aborted) setEnded(say("endedByYou"));
      else setWrong(error.message);
    });
    return () => {
      isOld = true;
      stopping.abort();
    };
  }, [run, prompt]);
  const go = (to: number) => {
    setAt(to);
    text.current?.querySelectorAll<HTMLElement>("[data-token]")[to]?.focus();
  };
  const move = (event: KeyboardEvent) => {
    const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (way === undefined) return;
    event.preventDefault();
    go(Math.max(0, Math.min(pieces.length - 1, (at ?? 0) + way)));
  };
  const asked = useMemo(() => ({ content: JSON.stringify(prompt.prompt), type: "application/json" }), [prompt]);
  const isWriting = ended === "" && wrong === "";
  const pointed = at === undefined ? undefined : pieces[at];
  return (
    <>
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is for what is filled in. */}
      <div ref={text} class="written" role="group" aria-label={say("writtenText", { name })}>
        <span class="soft">{prompt.prompt}</span>
        {pieces.map(({ text: own, tokens }, i) => (
          // biome-ignore lint/a11y/useSemanticElements: buttons do not break as text does.
          <span
            key={i}
            data-token
            role="button"
            class={i === at ? "token pointed" : "token"}
            style={{ "--share": 1 - (tokens[0]?.probability ?? 1) }}
            tabIndex={i === (at ?? 0) ? 0 : -1}
            aria-pressed={i === at}
            onMouseEnter={() => setAt(i)}
            onFocus={() => setAt(i)}
            onClick={() => setAt(i)}
            onKeyDown={move}
          >
            {own.replaceAll("\n", "⏎\n")}
          </span>
        ))}
      </div>
      <div class="row">
        {isWriting && (
          <button type="button" class="quiet" onClick={() => stop.current?.abort()}>
            {say("stop")}
          </button>
        )}
        <output class="soft">{ended}</output>
      </div>
      {wrong !== "" && (
        <p class="wrong" role="alert">
          {say("failed", { message: wrong })}
        </p>
      )}
      <div aria-live="polite" class="alternatives">
        {pointed ? (
          pointed.tokens.map((token, i) => <Alternatives key={i} token={token} />)
        ) : (
          <p class="soft">{say("tokenHelp")}</p>
        )}
      </div>
      <Why run={run} input={asked} />
    </>
  );
}
