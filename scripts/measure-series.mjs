/**
 * Time series forecast without code beside simple forecasts of the same windows, several seeds each.
 *
 * node scripts/measure-series.mjs [--sets temp_max,co2] [--seeds 5] [--minutes 1]
 *
 * All are files of npm's vega-datasets.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    sets: { type: "string" },
    seeds: { type: "string", default: "5" },
    minutes: { type: "string", default: "1" },
  },
});

const { runRecipe } = await import("../dist/src/node.js");

const folder = mkdtempSync(join(tmpdir(), "sardonyx-series-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

const vega = (name) => new URL(`../node_modules/vega-datasets/data/${name}`, import.meta.url).pathname;
const sets = {
  temp_max: { data: vega("seattle-weather.csv"), target: "temp_max", horizon: 14 },
  temp_min: { data: vega("seattle-weather.csv"), target: "temp_min", horizon: 14 },
  cities: { data: vega("weather.csv"), target: "temp_max,temp_min", series: "location", horizon: 14 },
  co2: { data: vega("co2-concentration.csv"), target: "CO2", ignore: "adjusted CO2", horizon: 12 },
  stocks: { data: vega("stocks.csv"), series: "symbol", horizon: 6 },
  sp500: { data: vega("sp500.csv"), horizon: 6 },
  employment: { data: vega("us-employment.csv"), target: "nonfarm,construction", horizon: 6 },
};

const seeds = Array.from({ length: Number(values.seeds) }, (_, seed) => seed);
const mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length;
const shown = (list) => Number(mean(list).toPrecision(4));

for (const name of values.sets?.split(",") ?? Object.keys(sets)) {
  const found = [];
  const began = performance.now();
  for (const seed of seeds) {
    const options = { ...sets[name], minutes: Number(values.minutes) };
    const out = join(folder, `${name}-${seed}`);
    found.push((await runRecipe("series", { seed, options }, { out, threads: 1 })).evaluation);
  }
  const of = (result) => shown(found.map(({ results }) => results[result]));
  const baselines = found[0].baselines.map(
    (own, i) => `${own.name} ${shown(found.map((evaluation) => evaluation.baselines[i].test))} (${own.settings})`,
  );
  console.log(
    `${name}: rmse ${of("rootMeanSquaredError")}, mae ${of("meanAbsoluteError")}, coverage ${of("coverage")}; each ${found.map(({ results }) => results.rootMeanSquaredError.toPrecision(4)).join(" ")}; ${Math.round((performance.now() - began) / 1000 / seeds.length)} s a seed`,
  );
  for (const line of baselines) console.log(`  ${line}`);
}
