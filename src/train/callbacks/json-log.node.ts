/** A run as lines of JSON. */
import { FileError } from "../../core/errors.ts";
import { parseJson } from "../../core/json.ts";
import { type GrowingFile, growingFile } from "../../storage/growing-files.node.ts";
import type { Run } from "../fit.ts";
import type { Callback } from "./callback.ts";
import { records } from "./records.ts";

/**
 * Appends a JSON line to the file `path` for every `every`-th batch (default 50) and each epoch, as `records` makes
 * them. A resumed run drops the lines after its checkpoint. Throws FileError for a file that is no such log.
 */
export const jsonLog = (path: string, every = 50): Callback => jsonLogIn(growingFile(path), path, every);

/** As `jsonLog`, in a file that others append to as well. */
export function jsonLogIn(file: GrowingFile, path: string, every = 50): Callback {
  const log = records((record) => file.append(`${JSON.stringify(record)}\n`), every);
  return {
    ...log,
    name: "jsonLog",
    leads: true,
    onStart: (run) => file.open((content) => bytesUpTo(content, path, run)),
    async onEpoch(run, results) {
      await log.onEpoch?.(run, results);
      await file.save();
    },
    onEnd: () => file.save(),
  };
}

/** Length of the lines that were written up to where a run stands; a line cut off by a kill is after that. */
function bytesUpTo(content: Uint8Array, path: string, { trainer, epoch }: Run): number {
  let length = 0;
  for (const [i, line] of new TextDecoder()
    .decode(content)
    .split(/(?<=\n)/)
    .entries()) {
    if (!line.endsWith("\n")) break;
    const record = parseLine(line);
    if (!record)
      throw new FileError(`${path}: line ${i + 1} is no record of a run; remove the line or the file, then resume`);
    if (record.batch > trainer.batches || (record.type === "epoch" && record.epoch > epoch)) break;
    length += Buffer.byteLength(line);
  }
  return length;
}

function parseLine(line: string): { type?: string; batch: number; epoch: number } | undefined {
  try {
    return parseJson(line) as { type?: string; batch: number; epoch: number };
  } catch {
    return undefined;
  }
}
