/**
 * Images, sounds or images with boxes learned without code beside simple baselines on the same files, several seeds each.
 *
 * node scripts/measure-folder.mjs FOLDER [--seeds 3] [--minutes 5]
 *
 * FOLDER is one that scripts/make-image-folder.mjs or scripts/make-box-folder.mjs has written, or any other.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seeds: { type: "string", default: "3" }, minutes: { type: "string", default: "5" } },
});
const [data] = positionals;
if (data === undefined) throw new Error("name the folder: node scripts/measure-folder.mjs FOLDER");

const { comparedResult, confidenceInterval } = await import("../dist/src/index.js");
const { recipeForData, runRecipe } = await import("../dist/src/node.js");

const folder = mkdtempSync(join(tmpdir(), "sardonyx-images-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

const { recipe } = await recipeForData(data);
const reached = new Map();
for (let seed = 0; seed < Number(values.seeds); seed++) {
  const began = performance.now();
  const options = { data, minutes: Number(values.minutes) };
  const { evaluation } = await runRecipe(recipe, { seed, options }, { out: join(folder, `run-${seed}`), threads: 1 });
  const metrics = [...new Set(evaluation.baselines.map(({ metric }) => metric))];
  const own = [
    ...metrics.map((metric) => [`networks, ${metric}`, evaluation.results[comparedResult(metric)]]),
    ...evaluation.baselines.map(({ name, metric, test }) => [`${name}, ${metric}`, test]),
  ];
  for (const [name, value] of own) reached.set(name, [...(reached.get(name) ?? []), value]);
  const shown = own.map(([name, value]) => `${name} ${(100 * value).toFixed(2)} %`).join(", ");
  console.log(`seed ${seed}: ${shown}, ${Math.round((performance.now() - began) / 1000)} s`);
}
for (const [name, own] of reached) {
  const { mean, low, high } = confidenceInterval(own);
  console.log(`${name}: ${(100 * mean).toFixed(2)} % (${(100 * low).toFixed(2)} to ${(100 * high).toFixed(2)})`);
}
