/** Runs workers over the inputs of targets, ends those that take too long or too much, and keeps what is found. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { Fault, Job, Report } from "./jobs.ts";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const worker = fileURLToPath(new URL("worker.ts", import.meta.url));

/** Seconds of a processor that the reading of an input may take; on a machine that does other work they last longer. */
const mostSeconds = 10;
/** How many times as long it may last. */
const patience = 12;
/** Bytes by which the process may grow at an input. */
const mostMemory = 1e9;
/** How often a worker's memory is looked at, milliseconds. */
const glance = 50;
/** What a worker needs to load and to make an input, seconds. */
const loadingSeconds = 600;

/** An input at which a reader did what it must not. */
export interface Finding {
  readonly target: string;
  readonly seed: number;
  readonly number: number;
  readonly fault: Fault;
  readonly what: string;
}

/** What became of a target's inputs. */
export interface Tally {
  readonly target: string;
  inputs: number;
  read: number;
  refused: number;
  /** Of the input that took longest. */
  seconds: number;
  /** Bytes of the input at which the process grew most. */
  memory: number;
  readonly findings: Finding[];
}

export const newTally = (target: string): Tally => ({
  target,
  inputs: 0,
  read: 0,
  refused: 0,
  seconds: 0,
  memory: 0,
  findings: [],
});

/** Bytes of a process in memory; 0 where the system does not say. */
function residentOf(pid: number | undefined): number {
  const path = `/proc/${pid}/statm`;
  try {
    return existsSync(path) ? 4096 * Number(readFileSync(path, "utf8").split(" ")[1]) : 0;
  } catch {
    return 0;
  }
}

/** The module of all targets. */
export const allTargets = new URL("targets/index.ts", import.meta.url).href;

/** Seconds of the processor that a process took; `undefined` where the system does not say. */
function secondsOf(pid: number | undefined): number | undefined {
  try {
    // Behind the name, which is in brackets: user and system time in hundredths of a second.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return undefined;
  }
}

interface Ended {
  /** The input at which the worker ended before its time. */
  readonly at?: number;
}

/** Runs one worker; `found` is told of what it must not do. */
function runWorker(job: Job, tally: Tally, found: (finding: Finding) => void): Promise<Ended> {
  // A process that is ended leaves its files.
  const folder = mkdtempSync(join(tmpdir(), "sardonyx-fuzz-"));
  const child = spawn(
    process.execPath,
    ["--import", "tsx", "--no-warnings", "--max-old-space-size=1500", worker, JSON.stringify(job)],
    {
      cwd: root,
      stdio: ["ignore", "ignore", "pipe", "pipe"],
      env: { ...process.env, OMP_NUM_THREADS: "1", TMPDIR: folder },
    },
  );
  let current: { readonly number: number; readonly processor: number; readonly resident: number } | undefined;
  let begun = performance.now();
  let stderr = "";
  let done = job.from - 1;
  let isStalled = false;
  let killed: readonly [Fault, string] | undefined;
  const { target, seed, seconds: most = mostSeconds, memory = mostMemory } = job;
  const tell = (number: number, fault: Fault, what: string) => found({ target, seed, number, fault, what });
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
    stderr = (stderr + chunk).slice(-4000);
  });
  const take = (line: string): void => {
    const report = JSON.parse(line) as Report;
    begun = performance.now();
    if ("start" in report) current = { number: report.start, processor: report.processor, resident: report.resident };
    if (!("end" in report)) return;
    current = undefined;
    done = report.end;
    tally.inputs++;
    tally.seconds = Math.max(tally.seconds, report.seconds);
    tally.memory = Math.max(tally.memory, report.memory);
    if (report.fault) tell(report.end, report.fault, report.what ?? "");
    else if (report.seconds > most) tell(report.end, "hang", `${report.seconds.toFixed(1)} s`);
    else if (report.memory > memory) tell(report.end, "memory", `${Math.round(report.memory / 1e6)} MB`);
    else if (report.refused === undefined) tally.read++;
    else tally.refused++;
  };
  const lines = createInterface({ input: child.stdio[3] as Readable });
  lines.on("line", take);
  const drained = new Promise((resolve) => lines.on("close", resolve));
  const watch = setInterval(() => {
    const passed = (performance.now() - begun) / 1000;
    isStalled ||= !current && passed > loadingSeconds;
    if (isStalled) child.kill("SIGKILL");
    if (killed || isStalled || !current) return;
    const seconds = secondsOf(child.pid);
    const taken = seconds === undefined ? passed : seconds - current.processor;
    const grown = residentOf(child.pid) - current.resident;
    if (taken > most || passed > patience * most)
      killed = ["hang", `ended after ${taken.toFixed(1)} s of the processor, ${passed.toFixed(1)} s in all`];
    else if (grown > 1.2 * memory) killed = ["memory", `ended at ${Math.round(grown / 1e6)} MB`];
    if (killed) child.kill("SIGKILL");
  }, glance);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", async (code, signal) => {
      clearInterval(watch);
      await drained;
      rmSync(folder, { recursive: true, force: true });
      if (current === undefined && code === 0) return resolve({});
      // It was done with the input before it was ended.
      if (current === undefined && killed) return resolve({ at: done });
      if (isStalled)
        return reject(new Error(`making input ${done + 1} of ${target} takes more than ${loadingSeconds} s`));
      if (current === undefined)
        return reject(new Error(`the worker of ${target} ended (${signal ?? code}): ${stderr}`));
      tally.inputs++;
      const [fault, what] = killed ?? ["death", `${signal ?? `exit ${code}`}: ${stderr.slice(-1500)}`];
      tell(current.number, fault, what);
      resolve({ at: current.number });
    });
  });
}

/** Inputs that one process reads, before another takes over: what leaks is not a finding of the input at which it shows. */
const inputsPerWorker = 2500;

/** Runs a job to its end, in as many workers as it takes. */
export async function runJob(job: Job, tally: Tally, found: (finding: Finding) => void): Promise<void> {
  for (let from = job.from; from < job.to; ) {
    const to = Math.min(job.to, from + inputsPerWorker);
    const { at } = await runWorker({ ...job, from, to }, tally, found);
    from = at === undefined ? to : at + 1;
  }
}
