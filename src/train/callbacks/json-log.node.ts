/** A run as lines of JSON. */
import { FileError } from "../../core/errors.ts";
import { parseJson } from "../../core/json.ts";
import { type GrowingFile, growingFile } from "../../storage/growing-files.node.ts";
import type { Callback } from "./callback.ts";
import { LoadMeter } from "./process-load.node.ts";
import { records } from "./records.ts";
import { savedByEpochs } from "./saved-by-epochs.node.ts";

/** Seconds between two lines of the process's load within an epoch. */
const loadSeconds = 1;

/**
 * Appends a JSON line to the file `path` for every `every`-th batch (default 50) and each epoch, as `records` makes
 * them. Each epoch, and once a second within it, has a line of the type `load` beside: `cpuPercent`, the process's share of the processor since
 * the line before, where 100 is one core, and `memoryMiB`, its resident memory. All other lines of a run that is made again are the same.
 * A resumed run drops the lines after its checkpoint. Throws FileError for a file that is no such log.
 */
export function jsonLog(path: string, every = 50): Callback {
  const file = growingFile(path);
  return savedByEpochs(file, jsonLogIn(file, path, every));
}

/** As `jsonLog`, in a file that others append to and save. */
export function jsonLogIn(file: GrowingFile, path: string, every = 50): Callback {
  const append = (record: Readonly<Record<string, unknown>>) => file.append(`${JSON.stringify(record)}\n`);
  const log = records(append, every);
  let meter = new LoadMeter();
  const appendLoad = (epoch: number, batch: number) => {
    const load = meter.look();
    if (load) append({ type: "load", epoch, batch, ...load });
  };
  return {
    ...log,
    name: "jsonLog",
    leads: true,
    async onStart(run) {
      const isAfter = ({ type, batch, epoch }: Logged) =>
        batch > run.trainer.batches || (type === "epoch" && epoch > run.epoch);
      await file.open((content) => bytesUpTo(content, path, isAfter));
      meter = new LoadMeter();
    },
    async onBatch(run, result) {
      await log.onBatch?.(run, result);
      if (meter.seconds >= loadSeconds) appendLoad(run.epoch + 1, run.trainer.batches);
    },
    async onEpoch(run, results) {
      await log.onEpoch?.(run, results);
      appendLoad(run.epoch, run.trainer.batches);
    },
  };
}

/** What every line of a run's files says: where in the run it was written. */
export interface Logged {
  readonly type?: string;
  readonly batch: number;
  readonly epoch: number;
}

/**
 * Length of the lines that were written up to where a run stands; a line cut off by a kill is after that. Throws FileError for a line that is no
 * record.
 */
export function bytesUpTo(content: Uint8Array, path: string, isAfter: (record: Logged) => boolean): number {
  let length = 0;
  for (const [i, line] of new TextDecoder()
    .decode(content)
    .split(/(?<=\n)/)
    .entries()) {
    if (!line.endsWith("\n")) break;
    const record = parseLine(line);
    if (!record)
      throw new FileError(`${path}: line ${i + 1} is no record of a run; remove the line or the file, then resume`);
    if (isAfter(record)) break;
    length += Buffer.byteLength(line);
  }
  return length;
}

function parseLine(line: string): Logged | undefined {
  try {
    return parseJson(line) as Logged;
  } catch {
    return undefined;
  }
}
