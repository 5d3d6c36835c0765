/** A run as lines of JSON. */
import { existsSync, readFileSync, truncateSync } from "node:fs";
import { FileError } from "../../core/errors.ts";
import { parseJson } from "../../core/json.ts";
import { appendWhole, onDisk } from "../../storage/disk.node.ts";
import type { Run } from "../fit.ts";
import type { Callback } from "./callback.ts";
import { records } from "./records.ts";

/**
 * Appends a JSON line to the file `path` for every `every`-th batch (default 50) and each epoch, as `records` makes
 * them. A resumed run drops the lines after its checkpoint. Throws FileError for a file that is no such log.
 */
export function jsonLog(path: string, every = 50): Callback {
  const log = records((record) => appendWhole(path, `${JSON.stringify(record)}\n`), every);
  return {
    ...log,
    name: "jsonLog",
    leads: true,
    onStart(run) {
      if (existsSync(path)) onDisk(path, () => truncateSync(path, bytesUpTo(path, run)));
    },
  };
}

/** Length of the lines that were written up to where a run stands; a line cut off by a kill is after that. */
function bytesUpTo(path: string, { trainer, epoch }: Run): number {
  let length = 0;
  for (const [i, line] of readFileSync(path, "utf8")
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
