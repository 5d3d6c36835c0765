// Owns the command line of the browser's benchmark: runs the contenders in turns, each in a page of Chromium, and writes down the results.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tsImport } from "tsx/esm/api";
import { contenders, works } from "./browser/contenders.mjs";
import { browserReport, withReport } from "./browser/report.mjs";
import { buildPages, versionOf } from "./browser/site.mjs";
import { probe, visit } from "./browser/visit.mjs";
import { drive, readOptions, usageOf } from "./options.mjs";
import { describeMachine } from "./report.mjs";
import { inTurns } from "./turns.mjs";

const { executablePath, serve, softwareCard, startChromium } = await tsImport("../test/chromium.ts", import.meta.url);

const known = [Object.keys(works), contenders.map(({ name }) => name)];
const usage = `Usage: node bench/browser.mjs [options]
${usageOf(...known)}
  --write               put the report into docs/performance.md and its Chinese twin, in the place of the one before`;

/** WebGL by the same software as WebGPU: where a machine has a card, Chromium would take that for one of them. */
const flags = [...softwareCard, "--use-angle=swiftshader", "--enable-unsafe-swiftshader"];

/** The documents that have the report, in English and Chinese. */
const documents = ["performance.md", "performance.zh-CN.md"].map((name) => new URL(`../docs/${name}`, import.meta.url));

async function run(options) {
  if (executablePath === undefined) throw new Error("No Chromium is installed: apt-get install chromium libvulkan1");
  const entered = contenders.filter(({ name }) => options.names.includes(name));
  const folder = mkdtempSync(join(tmpdir(), "sardonyx-bench-"));
  await buildPages(folder, [...new Set(entered.map(({ page }) => page))]);
  const served = await serve(folder);
  const browser = await startChromium(flags);
  try {
    const machine = { ...describeMachine(options), browser: await probe(browser, served.address) };
    const report = { machine, rounds: options.rounds, timeoutSeconds: options.timeoutSeconds, works: {} };
    const versions = new Map(entered.map(({ name, library }) => [name, versionOf(library)]));
    for (const work of options.works) {
      const results = await inTurns(work, entered, options.rounds, (own) =>
        visit(browser, served.address, own, work, options),
      );
      report.works[work] = results.map((result) => ({ ...result, version: versions.get(result.contender) }));
      // Written after every work, so that an interrupted benchmark keeps what it measured.
      writeFileSync(new URL("browser-results.json", import.meta.url), `${JSON.stringify(report, null, 2)}\n`);
    }
    console.log(browserReport(report, 0));
    if (options.write)
      for (const [language, file] of documents.entries())
        writeFileSync(file, withReport(readFileSync(file, "utf8"), browserReport(report, language)));
  } finally {
    await browser.close();
    served.close();
    rmSync(folder, { recursive: true });
  }
}

await drive(usage, () => readOptions(...known, { write: { type: "boolean" } }), run);
