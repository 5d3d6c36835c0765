/**
 * Images or sounds learned without code beside simple baselines on the same files, several seeds each.
 *
 * node scripts/measure-folder.mjs FOLDER [--seeds 3] [--minutes 5]
 *
 * FOLDER is one that scripts/make-image-folder.mjs has written, or any other.
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

const { confidenceInterval } = await import("../dist/src/index.js");
const { recipeForData, runRecipe } = await import("../dist/src/node.js");

const folder = mkdtempSync(join(tmpdir(), "sardonyx-images-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

const { recipe } = await recipeForData(data);
const reached = new Map();
for (let seed = 0; seed < Number(values.seeds); seed++) {
  const began = performance.now();
  const options = { data, minutes: Number(values.minutes) };
  const { evaluation } = await runRecipe(recipe, { seed, options }, { out: join(folder, `run-${seed}`), threads: 1 });
  const own = [
    ["networks", evaluation.results.accuracy],
    ...evaluation.baselines.map(({ name, test }) => [name, test]),
  ];
  for (const [name, value] of own) reached.set(name, [...(reached.get(name) ?? []), value]);
  const shown = own.map(([name, value]) => `${name} ${(100 * value).toFixed(2)} %`).join(", ");
  console.log(`seed ${seed}: ${shown}, ${Math.round((performance.now() - began) / 1000)} s`);
}
for (const [name, own] of reached) {
  const { mean, low, high } = confidenceInterval(own);
  console.log(`${name}: ${(100 * mean).toFixed(2)} % (${(100 * low).toFixed(2)} to ${(100 * high).toFixed(2)})`);
}
