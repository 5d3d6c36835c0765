// Owns the benchmark's driver: it runs the chosen contenders in turns on the chosen works and writes down the results.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { median } from "./contenders/measure.mjs";
import { CannotRun, contenders } from "./contenders.mjs";
import { runOnce } from "./contest.mjs";
import { describeMachine, machineLines, workTable } from "./report.mjs";
import { works } from "./works.mjs";

const usage = `Usage: node bench/run.mjs [options]
  --work NAME,...       works to run (default: all): ${Object.keys(works).join(", ")}
  --only CONTENDER,...  contenders to run (default: all): ${contenders.map(({ name }) => name).join(", ")}
  --rounds N            times that each contender runs, in turns (default: 3)
  --threads N           threads of each contender (default: 2)
  --timeout SECONDS     limit on one run of one contender (default: 120)`;

class UsageError extends Error {}

function positiveInteger(option, text) {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) {
    throw new UsageError(`--${option} is '${text}', but it should be a whole number of at least 1.`);
  }
  return value;
}

function choose(option, text, known) {
  if (text === undefined) return known;
  const chosen = text.split(",");
  const unknown = chosen.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new UsageError(`--${option} names '${unknown}', but it should name some of ${known.join(", ")}.`);
  }
  return known.filter((name) => chosen.includes(name));
}

function readOptions() {
  const string = { type: "string" };
  const options = { work: string, only: string, rounds: string, threads: string, timeout: string };
  let values;
  try {
    ({ values } = parseArgs({ options: { ...options, help: { type: "boolean" } } }));
  } catch (error) {
    throw new UsageError(error.message);
  }
  return {
    help: values.help === true,
    works: choose("work", values.work, Object.keys(works)),
    names: choose(
      "only",
      values.only,
      contenders.map(({ name }) => name),
    ),
    rounds: positiveInteger("rounds", values.rounds ?? "3"),
    threads: positiveInteger("threads", values.threads ?? "2"),
    timeoutSeconds: positiveInteger("timeout", values.timeout ?? "120"),
  };
}

/** Each contender with its command, or with the sentence that says why it has none. */
function prepareAll(names, folder) {
  return contenders
    .filter(({ name }) => names.includes(name))
    .map((contender) => {
      try {
        return { ...contender, command: contender.prepare({ folder }) };
      } catch (error) {
        if (!(error instanceof CannotRun)) throw error;
        return { ...contender, skipped: error.message };
      }
    });
}

/** One result out of a contender's rounds: the median time and the highest memory. */
function combine(contender, work, runs) {
  const failed = runs.find((run) => run.skipped !== undefined);
  if (failed !== undefined) return { contender, work, skipped: failed.skipped };
  return {
    ...runs[0],
    milliseconds: median(runs.map((run) => run.milliseconds)),
    rounds: runs.map((run) => run.milliseconds),
    peakBytes: Math.max(...runs.map((run) => run.peakBytes)),
  };
}

async function runWork(work, entered, { rounds, threads, timeoutSeconds }) {
  const runs = new Map(entered.map(({ name, skipped }) => [name, skipped === undefined ? [] : [{ skipped }]]));
  // In turns (A B A B), so that a change in the machine's speed touches every contender alike.
  for (let round = 0; round < rounds; round++) {
    for (const { name, slow = [], command } of entered) {
      const sofar = runs.get(name);
      const gaveUp = sofar.some((run) => run.skipped !== undefined);
      if (gaveUp || (round > 0 && slow.includes(work))) continue;
      process.stderr.write(`${work}, round ${round + 1} of ${rounds}: ${name}\n`);
      sofar.push(await runOnce(command(work), { threads, timeoutSeconds }));
    }
  }
  return entered.map(({ name }) => combine(name, work, runs.get(name)));
}

async function main() {
  const options = readOptions();
  if (options.help) {
    console.log(usage);
    return;
  }
  const machine = describeMachine(options);
  console.log(`${machineLines(machine).join("\n")}\n`);

  const folder = mkdtempSync(join(tmpdir(), "sardonyx-bench-"));
  try {
    const prepared = prepareAll(options.names, folder);
    const results = {};
    for (const work of options.works) {
      const entered = prepared.filter((contender) => contender.works.includes(work));
      if (entered.length === 0) continue;
      results[work] = await runWork(work, entered, options);
      console.log(workTable(work, works[work], results[work]));
      // Written after every work, so that an interrupted benchmark keeps what it measured.
      const report = { machine, rounds: options.rounds, timeoutSeconds: options.timeoutSeconds, works: results };
      writeFileSync(new URL("results.json", import.meta.url), `${JSON.stringify(report, null, 2)}\n`);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

try {
  await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\n${usage}`);
  process.exitCode = 2;
}
