/**
 * Reads inputs in a process of its own, which may end at any of them: `node --import tsx fuzz/worker.ts JOB`. What becomes of each is written
 * to file 3 as lines of JSON, its start too, so that whoever started this knows at which input it ended.
 */
import { writeSync } from "node:fs";
// @ts-expect-error a script without types
import { peakBytes, residentBytes } from "../scripts/resident-memory.mjs";
import { basesOf, inputOf, readFolder } from "./inputs.ts";
import type { Job, Report } from "./jobs.ts";
import { readInput, textOf } from "./reading.ts";
import type { Files, Target } from "./target.ts";

const job = JSON.parse(process.argv[2] ?? "{}") as Job;

const tell = (report: Report): void => {
  writeSync(3, `${JSON.stringify(report)}\n`);
};

/** What is thrown beside the reading, by a promise that nobody waits for. */
let stray: unknown;
const keepStray = (error: unknown): void => {
  stray = error ?? new Error("nothing was thrown as an error");
};
process.on("unhandledRejection", keepStray);
process.on("uncaughtException", keepStray);

/** Seconds of the processor that this process took. */
function secondsTaken(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

async function read(target: Target, i: number, files: Files): Promise<void> {
  const [before, peakBefore, start] = [residentBytes(), peakBytes(), secondsTaken()];
  tell({ start: i, resident: before, processor: start });
  stray = undefined;
  const outcome = await readInput(target, files);
  // A rejection that nobody handles shows itself after the promises that are due.
  await new Promise(setImmediate);
  const seconds = secondsTaken() - start;
  const peak = peakBytes();
  const memory = Math.max(0, (peak > peakBefore ? peak : residentBytes()) - before);
  const found: typeof outcome = stray === undefined ? outcome : { fault: "stray", what: textOf(stray) };
  tell({ end: i, seconds, memory, ...found });
}

/** Reads the inputs of the job. */
async function work(): Promise<void> {
  const { targets } = (await import(job.module)) as { readonly targets: readonly Target[] };
  const target = targets.find(({ name }) => name === job.target);
  if (!target) throw new Error(`there is no target ${job.target} in ${job.module}`);
  if (job.folder !== undefined) return read(target, 0, readFolder(job.folder));
  const bases = await basesOf(target);
  tell({ ready: true });
  // Numbers below 0 are the bases as they are.
  for (let i = job.from; i < job.to; i++)
    await read(target, i, i < 0 ? (bases.all[i + bases.all.length] ?? {}) : inputOf(target, bases, job.seed, i));
}

try {
  await work();
  process.exit(0);
} catch (error) {
  // What makes the inputs is wrong, not what reads them.
  console.error(error);
  process.exit(1);
}
