/** What a run writes while it trains: its log, its events for TensorBoard, and the checkpoint, which is never ahead of them. */
import { hostname } from "node:os";
import { join } from "node:path";
import { writeFileAtomic } from "../../storage/atomic.node.ts";
import { type GrowingFile, growingFile } from "../../storage/growing-files.node.ts";
import type { Callback } from "../../train/callbacks/callback.ts";
import { jsonLogIn } from "../../train/callbacks/json-log.node.ts";
import { tensorBoardIn } from "../../train/callbacks/tensorboard.node.ts";
import { eventFileName } from "../../train/callbacks/tensorboard-events.ts";
import { runFiles } from "./run-folder.node.ts";

/** The logs of a run, open from its first stage to its last. */
export class RunLogs {
  readonly #folder: string;
  readonly #log: GrowingFile;
  readonly #events: GrowingFile[] = [];

  constructor(folder: string) {
    this.#folder = folder;
    this.#log = growingFile(join(folder, runFiles.log));
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

  /** Writes the checkpoint, and before it what the logs do not have yet. */
  async saveWith(checkpoint: Uint8Array): Promise<void> {
    for (const file of [this.#log, ...this.#events]) await file.save();
    await writeFileAtomic(join(this.#folder, runFiles.checkpoint), checkpoint);
  }
}
