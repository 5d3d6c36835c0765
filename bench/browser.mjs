// Owns the command line of the browser's benchmark: runs the contenders in turns, each in a page of Chromium, and writes down the results.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tsImport } from "tsx/esm/api";
import { contenders, works } from "./browser/contenders.mjs";
import { browserLine, browserTable } from "./browser/report.mjs";
import { buildPages, versionOf } from "./browser/site.mjs";
import { probe, visit } from "./browser/visit.mjs";
import { drive, readOptions, usageOf } from "./options.mjs";
import { describeMachine, machineLines } from "./report.mjs";
import { inTurns } from "./turns.mjs";

const { executablePath, serve, softwareCard, startChromium } = await tsImport("../test/chromium.ts", import.meta.url);

const known = [Object.keys(works), contenders.map(({ name }) => name)];
const usage = `Usage: node bench/browser.mjs [options]\n${usageOf(...known)}`;

/** WebGL by the same software as WebGPU: where a machine has a card, Chromium would take that for one of them. */
const flags = [...softwareCard, "--use-angle=swiftshader", "--enable-unsafe-swiftshader"];

/** A run whose loss did not fall has not trained. */
function checked(run) {
  const { first, last } = run.losses ?? {};
  if (run.skipped !== undefined || last < first) return run;
  return { skipped: `Its loss did not fall: ${first} at first, ${last} at the end.` };
}

async function run(options) {
  if (executablePath === undefined) throw new Error("No Chromium is installed: apt-get install chromium libvulkan1");
  const entered = contenders
    .filter(({ name }) => options.names.includes(name))
    .map((own) => ({ ...own, version: own.packages.map((name) => `${name} ${versionOf(name)}`).join(", ") }));
  const folder = mkdtempSync(join(tmpdir(), "sardonyx-bench-"));
  await buildPages(folder, [...new Set(entered.map(({ page }) => page))]);
  const served = await serve(folder);
  const browser = await startChromium(flags);
  try {
    const machine = { ...describeMachine(options), browser: await probe(browser, served.address) };
    console.log(`${[...machineLines(machine), browserLine(machine.browser)].join("\n")}\n`);
    const results = {};
    for (const work of options.works) {
      const measured = await inTurns(work, entered, options.rounds, async (own) =>
        checked(await visit(browser, served.address, own, work, options)),
      );
      const versions = new Map(entered.map(({ name, version }) => [name, version]));
      results[work] = measured.map((result) => ({ ...result, version: versions.get(result.contender) }));
      console.log(browserTable(work, works[work], results[work], entered));
      // Written after every work, so that an interrupted benchmark keeps what it measured.
      const report = { machine, rounds: options.rounds, timeoutSeconds: options.timeoutSeconds, works: results };
      writeFileSync(new URL("browser-results.json", import.meta.url), `${JSON.stringify(report, null, 2)}\n`);
    }
  } finally {
    await browser.close();
    served.close();
    rmSync(folder, { recursive: true });
  }
}

await drive(usage, () => readOptions(...known), run);
