// Owns the benchmark's command line: runs the contenders in turns on the chosen works and writes down the results.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CannotRun, contenders } from "./contenders.mjs";
import { runOnce } from "./contest.mjs";
import { drive, readOptions, usageOf } from "./options.mjs";
import { describeMachine, machineLines, workTable } from "./report.mjs";
import { inTurns } from "./turns.mjs";
import { works } from "./works.mjs";

const known = [Object.keys(works), contenders.map(({ name }) => name)];
const usage = `Usage: node bench/run.mjs [options]\n${usageOf(...known)}`;

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

async function run(options) {
  const machine = describeMachine(options);
  console.log(`${machineLines(machine).join("\n")}\n`);

  const folder = mkdtempSync(join(tmpdir(), "sardonyx-bench-"));
  try {
    const prepared = prepareAll(options.names, folder);
    const results = {};
    for (const work of options.works) {
      const entered = prepared.filter((contender) => contender.works.includes(work));
      if (entered.length === 0) continue;
      results[work] = await inTurns(work, entered, options.rounds, ({ command }) => runOnce(command(work), options));
      console.log(workTable(work, works[work], results[work]));
      // Written after every work, so that an interrupted benchmark keeps what it measured.
      const report = { machine, rounds: options.rounds, timeoutSeconds: options.timeoutSeconds, works: results };
      writeFileSync(new URL("results.json", import.meta.url), `${JSON.stringify(report, null, 2)}\n`);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

await drive(usage, () => readOptions(...known), run);
