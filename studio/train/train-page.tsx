/** Training from the page: a built-in recipe, your own data, or a pretrained model, each as a form, and the queue. */
import { useEffect, useState } from "preact/hooks";
import { type Fork, type Job, type RunSummary, studio } from "../shared/api.ts";
import { useSay } from "../shared/language.ts";
import { DataForm } from "./data-form.tsx";
import { FinetuneForm } from "./finetune-form.tsx";
import { Queue } from "./queue.tsx";
import { RecipeForm } from "./recipe-form.tsx";

/** The forms, by where they are. */
const forms = [
  ["/train", "builtIn", "recipe"],
  ["/train/data", "yourData", "data"],
  ["/train/finetune", "finetuning", "finetune"],
] as const;

/** The run that a place says, whose settings are changed; nothing where it says none. */
function runOf(place: string): string | undefined {
  const [, run] = /^\/train\/from\/(.+)$/.exec(place) ?? [];
  return run === undefined ? undefined : decodeURIComponent(run);
}

export function TrainPage({ place, runs, jobs }: { place: string; runs: readonly RunSummary[]; jobs: readonly Job[] }) {
  const say = useSay();
  const run = runOf(place);
  const [fork, setFork] = useState<Fork>();
  const [wrong, setWrong] = useState("");
  useEffect(() => {
    setFork(undefined);
    setWrong("");
    if (run === undefined) return;
    studio.fork(run).then(setFork, (error: Error) => setWrong(say("failed", { message: error.message })));
  }, [run]);
  const form = run === undefined ? (forms.find(([at]) => at === place)?.[2] ?? "recipe") : fork?.form;
  return (
    <>
      <h1>{say("train")}</h1>
      <nav class="row controls" aria-label={say("whatToTrain")}>
        {forms.map(([at, text, own]) => (
          <a key={at} href={`#${at}`} aria-current={own === form ? "page" : undefined}>
            {say(text)}
          </a>
        ))}
      </nav>
      {wrong !== "" && (
        <p class="wrong" role="alert">
          {wrong}
        </p>
      )}
      {form === "recipe" && <RecipeForm key={run} fork={fork} />}
      {form === "data" && <DataForm key={run} fork={fork} />}
      {form === "finetune" && <FinetuneForm key={run} fork={fork} runs={runs} />}
      <h2>{say("queue")}</h2>
      <Queue jobs={jobs} />
    </>
  );
}
