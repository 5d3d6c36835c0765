/** Keeps what a run's model makes of a few fixed samples as it learns: predictions, texts, images, attention. */
import { asSentence } from "../../core/printable.ts";
import { pngAddress } from "../../draw/png.ts";
import type { CompileOptions } from "../../jit/compile.ts";
import type { Callback } from "../../train/callbacks/callback.ts";
import type { Run } from "../../train/fit.ts";
import { generateText } from "../open/generation.ts";
import type { Task } from "../recipes/recipe.ts";
import type { WatchedInputs, WatchedMoment } from "./sample-records.ts";
import { WatchedAttentions } from "./watched-attention.ts";
import { WatchedPredictions, watchedBatch } from "./watched-predictions.ts";

/** Tokens that a language model writes. */
const writtenTokens = 60;

/** What is kept of a moment, beside where it is in the run. */
type Seen = Omit<WatchedMoment, "type" | "epoch" | "batch">;

/** One kind of what is seen. */
interface Watcher {
  readonly name: string;
  /** What is seen now; nothing where the model does nothing of the kind, which is not asked again. */
  measure(): Promise<Seen | undefined>;
  release?(): Promise<void>;
}

/** How samples are watched. */
export interface WatchSamplesOptions {
  /** After so many epochs, after the last of a stage, and before the first. */
  readonly every: number;
  readonly compile: CompileOptions;
  /** Whether training is private: then no sample that is trained on is shown. */
  readonly isPrivate: boolean;
  /** Opens the file up to where the run stands, and says whether anything is in it. */
  readonly open: (run: Run) => Promise<boolean>;
  readonly append: (record: WatchedInputs | WatchedMoment) => void;
  readonly onNote: (note: string) => void;
}

/**
 * The callback. It asks sessions of its own, and changes nothing of the run: the parameters come out the same to the bit. What fails is told in a
 * note, and left out from then on.
 */
export function watchSamples(task: Task, options: WatchSamplesOptions): Callback {
  const { every, compile, isPrivate, open, append, onNote } = options;
  let predictions: WatchedPredictions | undefined;
  let watchers: readonly Watcher[] | undefined;
  let from: WatchedInputs["from"] = "validation";
  let isEmpty = true;

  const begin = async (): Promise<readonly Watcher[]> => {
    const watched = task.deployed ? undefined : await watchedBatch(task, isPrivate);
    if (watched) from = watched.from;
    if (watched && !task.writer) predictions = new WatchedPredictions(task, watched.batch, compile);
    return watchersOf(task, { compile, predictions, attention: new WatchedAttentions(task, watched?.batch, compile) });
  };

  const measure = async ({ epoch, trainer: { batches: batch } }: Run): Promise<void> => {
    watchers ??= await begin();
    const found: (Seen | undefined)[] = [];
    for (const watcher of watchers) found.push(await seenBy(watcher, onNote));
    const lost = watchers.filter((_, i) => !found[i]);
    await Promise.all(lost.map((watcher) => watcher.release?.()));
    watchers = watchers.filter((_, i) => found[i]);
    const seen: Seen = Object.assign({}, ...found);
    if (Object.keys(seen).length === 0) {
      if (isEmpty && lost.length > 0) onNote("there is nothing to show of fixed samples of this recipe as it learns");
      return;
    }
    if (isEmpty)
      append({
        type: "inputs",
        epoch: 0,
        batch: 0,
        from,
        samples: seen.predictions ? (predictions?.samples ?? []) : [],
      });
    isEmpty = false;
    append({ type: "samples", epoch, batch, ...seen });
  };

  return {
    name: "watchSamples",
    leads: true,
    async onStart(run) {
      isEmpty = !(await open(run));
      if (run.trainer.batches === 0) await measure(run);
    },
    async onEpoch(run) {
      if (run.epoch % every === 0 || run.epoch === run.epochs) await measure(run);
    },
    async onEnd() {
      await Promise.all((watchers ?? []).map((watcher) => watcher.release?.()));
      watchers = undefined;
    },
  };
}

/** What a watcher sees; nothing, with a note, where it fails. */
async function seenBy(watcher: Watcher, onNote: (note: string) => void): Promise<Seen | undefined> {
  try {
    return await watcher.measure();
  } catch (error) {
    const reason = asSentence(error instanceof Error ? error.message : String(error));
    onNote(`fixed samples are watched without ${watcher.name}: ${reason}`);
    return undefined;
  }
}

function watchersOf(
  task: Task,
  {
    compile,
    predictions,
    attention,
  }: {
    readonly compile: CompileOptions;
    readonly predictions: WatchedPredictions | undefined;
    readonly attention: WatchedAttentions;
  },
): readonly Watcher[] {
  const { writer, deployed, draw } = task;
  const watchers: Watcher[] = [];
  if (predictions)
    watchers.push({
      name: "predictions",
      async measure() {
        const own = await predictions.measure();
        return own && { predictions: own };
      },
      release: () => predictions.release(),
    });
  const { model: writes } = deployed ?? task;
  if (writer)
    watchers.push({
      name: "texts",
      async measure() {
        const { prompt } = writer;
        let written = "";
        const choice = { tokens: writtenTokens, temperature: 0 };
        for await (const { text } of generateText(writes, writer, prompt, choice, compile)) written += text;
        return { text: { prompt, written } };
      },
    });
  // What other models draw they make of samples of the test, which is for the end of a run.
  if (deployed && draw)
    watchers.push({
      name: "images",
      async measure() {
        const images = Object.entries(await draw(compile)).flatMap(([name, content]) =>
          name.endsWith(".png") && typeof content !== "string" ? [{ name, image: pngAddress(content) }] : [],
        );
        return images.length > 0 ? { images } : undefined;
      },
    });
  watchers.push({
    name: "attention",
    async measure() {
      const own = await attention.measure();
      return own && { attention: own };
    },
    release: () => attention.release(),
  });
  return watchers;
}
