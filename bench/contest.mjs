// Owns one run of one contender: its process, its threads, its time limit, and the line it prints.
import { spawn } from "node:child_process";

/** The environment in which every contender sees the same number of threads. */
function environment(threads) {
  const count = String(threads);
  return { ...process.env, OMP_NUM_THREADS: count, OPENBLAS_NUM_THREADS: count, MKL_NUM_THREADS: count };
}

/** The contender's result is the last line that is a JSON object; libraries print greetings of their own. */
function parseResult(output) {
  const line = output.split("\n").findLast((candidate) => candidate.startsWith("{"));
  if (line === undefined) return undefined;
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function whyItFailed(errors, code, signal) {
  const lines = errors.split("\n").filter((line) => line.trim() !== "");
  const cause = lines.find((line) => /^\w*Error\b/.test(line)) ?? lines.at(-1) ?? "It printed no error.";
  const ending = signal === null ? `exit code ${code}` : `signal ${signal}`;
  return `It ended with ${ending} and no result: ${cause.trim()}`;
}

/**
 * Runs `command` (program first) and resolves to the object that the contender printed,
 * or to `{ skipped }` with a sentence when it failed or passed `timeoutSeconds`.
 */
export function runOnce(command, { threads, timeoutSeconds }) {
  const [program, ...programArguments] = command;
  return new Promise((resolve) => {
    const child = spawn(program, programArguments, { env: environment(threads), stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    let errors = "";
    let timedOut = false;
    child.stdout.setEncoding("utf8").on("data", (text) => (output += text));
    child.stderr.setEncoding("utf8").on("data", (text) => (errors += text));

    const timer = setTimeout(() => {
      timedOut = true;
      child.kill("SIGKILL");
    }, timeoutSeconds * 1_000);

    child.on("error", (error) => {
      clearTimeout(timer);
      resolve({ skipped: `It could not be started: ${error.message}` });
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      if (timedOut) resolve({ skipped: `It was stopped at the time limit of ${timeoutSeconds} seconds.` });
      else resolve(parseResult(output) ?? { skipped: whyItFailed(errors, code, signal) });
    });
  });
}
