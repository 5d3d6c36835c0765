/** What a run writes while it trains: its log, its events for TensorBoard, its samples, its best epoch, and the checkpoint, which is never ahead of them. */
import { hostname } from "node:os";
import { join } from "node:path";
import { writeFileAtomic } from "../../storage/atomic.node.ts";
import { type GrowingFile, growingFile } from "../../storage/growing-files.node.ts";
import type { Callback } from "../../train/callbacks/callback.ts";
import { bytesUpTo, jsonLogIn } from "../../train/callbacks/json-log.node.ts";
import { tensorBoardIn } from "../../train/callbacks/tensorboard.node.ts";
import { eventFileName } from "../../train/callbacks/tensorboard-events.ts";
import type { Run } from "../../train/fit.ts";
import { runFiles } from "./run-folder.node.ts";

/**
 * Seconds between checkpoints after epochs, of the run and of its best: what a run of shorter epochs loses where it is killed, and does not spend
 * waiting for the disk, which takes longer than such an epoch.
 */
export const epochSeconds = 1;

/** The logs of a run, open from its first stage to its last. */
export class RunLogs {
  readonly #folder: string;
  readonly #log: GrowingFile;
  readonly #samples: GrowingFile;
  readonly #events: GrowingFile[] = [];
  /** The best epoch's checkpoint, as long as it is not written. */
  #best: Uint8Array | undefined;
  #savedBest = Number.NEGATIVE_INFINITY;

  constructor(folder: string) {
    this.#folder = folder;
    this.#log = growingFile(join(folder, runFiles.log));
    this.#samples = growingFile(join(folder, runFiles.samples));
  }

  /** The callbacks of a stage, which write the log and a file of events of their own. */
  callbacks(): Callback[] {
    const started = Date.now() / 1000;
    const folder = join(this.#folder, runFiles.tensorboard);
    const events = growingFile(join(folder, eventFileName(started, hostname())));
    this.#events.push(events);
    const log = join(this.#folder, runFiles.log);
    return [jsonLogIn(this.#log, log), tensorBoardIn(events, { folder, started })];
  }

  /** Appends a line to the log. */
  append(record: Readonly<Record<string, unknown>>): void {
    this.#log.append(`${JSON.stringify(record)}\n`);
  }

  /** Goes on with the samples up to where a run stands, and says whether there are any. Throws FileError for a file that is not of a run. */
  async openSamples({ trainer: { batches }, epoch }: Run): Promise<boolean> {
    const path = join(this.#folder, runFiles.samples);
    let length = 0;
    await this.#samples.open((content) => {
      length = bytesUpTo(content, path, (own) => own.batch > batches || own.epoch > epoch);
      return length;
    });
    return length > 0;
  }

  /** Appends a line to the samples. */
  appendSamples(record: Readonly<Record<string, unknown>>): void {
    this.#samples.append(`${JSON.stringify(record)}\n`);
  }

  /** Keeps the checkpoint of the best epoch so far: written at once, or with the next checkpoint where one was just written. */
  async keepBest(best: Uint8Array): Promise<void> {
    this.#best = best;
    if (performance.now() / 1000 - this.#savedBest >= epochSeconds) await this.#saveBest();
  }

  async #saveBest(): Promise<void> {
    if (this.#best) await writeFileAtomic(join(this.#folder, runFiles.best), this.#best);
    this.#best = undefined;
    this.#savedBest = performance.now() / 1000;
  }

  /** Writes what the files do not have yet. */
  async save(): Promise<void> {
    for (const file of [this.#log, this.#samples, ...this.#events]) await file.save();
    if (this.#best) await this.#saveBest();
  }

  /** Writes the checkpoint, and before it what the other files do not have yet. */
  async saveWith(checkpoint: Uint8Array): Promise<void> {
    await this.save();
    await writeFileAtomic(join(this.#folder, runFiles.checkpoint), checkpoint);
  }
}
