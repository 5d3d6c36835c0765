/** The program as tests start it, in a temporary folder. */
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";

/** The file that Node runs. */
export const program = join(process.cwd(), "bin/sardonyx.mjs");

/** What came of a call. */
export interface Result {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly records: readonly Readonly<Record<string, unknown>>[];
}

/** Records of whole lines: a killed process may leave the last one cut off. */
const recordsIn = (stdout: string) =>
  stdout
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** The first record of a type. */
export const recordOf = ({ records }: Result, type: string) => records.find((record) => record["type"] === type);

/** A temporary folder of a test file, and the program in it, compiled. */
export function commandLine() {
  const folder = mkdtempSync(join(tmpdir(), "sardonyx-cli-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  beforeAll(() => execFileSync(process.execPath, ["scripts/prepare.mjs"], { stdio: "inherit" }), 120_000);

  /** Starts the program in the temporary folder; `onLine` sees each line of standard output and may kill the process. */
  function start(
    args: readonly string[],
    onLine?: (line: string, kill: (signal: NodeJS.Signals) => void) => void,
    cwd = folder,
  ) {
    const child = spawn(process.execPath, [program, ...args], { cwd });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      for (const line of chunk.trimEnd().split("\n")) onLine?.(line, (signal) => child.kill(signal));
      stdout += chunk;
    });
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      stderr += chunk;
    });
    const ended = new Promise<Result>((resolve) => {
      child.on("close", (code, signal) => {
        const records = args.includes("--json") ? recordsIn(stdout) : [];
        resolve({ code, signal, stdout, stderr, records });
      });
    });
    return { ended, kill: (signal: NodeJS.Signals) => child.kill(signal) };
  }

  const run = (...args: string[]): Promise<Result> => start(args).ended;
  return { folder, start, run };
}
