/** Training from the page: a built-in recipe, your own data, or a pretrained model, each as a form, and the queue. */
import { type Fork, type Job, type RunSummary, studio } from "../shared/api.ts";
import { useSay } from "../shared/language.ts";
import { useAnswer } from "../shared/use-answer.ts";
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
  const { answer: fork, failed } = useAnswer<Fork | undefined>(
    async () => (run === undefined ? undefined : studio.fork(run)),
    [run],
  );
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
      {failed !== "" && (
        <p class="wrong" role="alert">
          {say("failed", { message: failed })}
        </p>
      )}
      {form === "recipe" && <RecipeForm fork={fork} />}
      {form === "data" && <DataForm fork={fork} />}
      {form === "finetune" && <FinetuneForm fork={fork} runs={runs} />}
      <h2>{say("queue")}</h2>
      <Queue jobs={jobs} />
    </>
  );
}
