/** What an earlier visit reached: the buttons that go on with it or begin anew, and its curves. */
import type { EpochResult } from "sardonyx/web";
import type { commonTexts, Speaker } from "./language.ts";

/** The buttons of a page that trains. */
export interface TrainingButtons {
  readonly train: HTMLButtonElement;
  readonly anew: HTMLButtonElement;
}

/** Says on the buttons whether there is something to go on with. */
export function offer({ say }: Speaker<keyof typeof commonTexts>, { train, anew }: TrainingButtons, isThere: boolean) {
  say(train, isThere ? "goOn" : "train");
  train.disabled = false;
  anew.hidden = !isThere;
}

/** A figure after each epoch, as points of a curve. */
export const byEpoch = (history: readonly EpochResult[], name: string) =>
  history.map((results, i) => [i + 1, results[name] ?? Number.NaN] as const);

/** The losses of an earlier visit's batches, of which only the epochs' means are left. */
export const meanLosses = (history: readonly EpochResult[]): (readonly [number, number])[] =>
  history.map(({ loss = Number.NaN }, i) => [i + 0.5, loss]);

/** Adds a batch to a curve, and takes away what was drawn of batches that are done once more, from a checkpoint on. */
export function addBatch(points: (readonly [number, number])[], at: number, value: number): void {
  while ((points.at(-1)?.[0] ?? Number.NEGATIVE_INFINITY) >= at) points.pop();
  points.push([at, value]);
}
