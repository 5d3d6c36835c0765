/**
 * Tables learned without code beside simple baselines on the same rows, several seeds each.
 *
 * node scripts/measure-tables.mjs [--sets penguins,cars] [--seeds 5] [--minutes 2] [--write FILE]
 * node scripts/measure-tables.mjs --splits FOLDER [--sets …] [--seeds 5]
 *
 * The second form trains nothing: it writes the rows of each split as JSON, on which scripts/measure-tables.py measures scikit-learn.
 * penguins, cars, origins (of cars), movies and seattle (the weather of a day) are npm's vega-datasets; the others are scikit-learn's own files, of Debian's python3-sklearn.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { gunzipSync } from "node:zlib";

const { values } = parseArgs({
  options: {
    sets: { type: "string" },
    seeds: { type: "string", default: "5" },
    minutes: { type: "string", default: "2" },
    write: { type: "string" },
    splits: { type: "string" },
  },
});

const { confidenceInterval, denseFeatures } = await import("../dist/src/index.js");
const { loadTable, runRecipe } = await import("../dist/src/node.js");

const folder = mkdtempSync(join(tmpdir(), "sardonyx-tables-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

const vega = (name) => new URL(`../node_modules/vega-datasets/data/${name}`, import.meta.url).pathname;
const learn = (name) => `/usr/lib/python3/dist-packages/sklearn/datasets/data/${name}`;

/** A file of scikit-learn's, with names for its columns. */
function named(file, { skip, target }) {
  const bytes = readFileSync(learn(file));
  const text = (file.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
  const lines = text.trim().split("\n").slice(skip);
  const width = lines[0].split(",").length;
  const names = Array.from({ length: width }, (_, i) => (i === width - 1 ? target : `x${i}`));
  const path = join(folder, `${file.split(".")[0]}.csv`);
  writeFileSync(path, [names.join(","), ...lines].join("\n"));
  return path;
}

function diabetes() {
  const lines = (file) =>
    gunzipSync(readFileSync(learn(file)))
      .toString("utf8")
      .trim()
      .split("\n");
  const targets = lines("diabetes_target.csv.gz");
  const rows = lines("diabetes_data_raw.csv.gz").map((line, i) => [...line.trim().split(/[ ,]+/), Number(targets[i])]);
  const path = join(folder, "diabetes.csv");
  writeFileSync(
    path,
    [["age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6", "progression"], ...rows]
      .map((row) => row.join(","))
      .join("\n"),
  );
  return path;
}

const sets = {
  penguins: () => ({ data: vega("penguins.json"), target: "Species" }),
  cars: () => ({ data: vega("cars.json"), target: "Miles_per_Gallon" }),
  origins: () => ({ data: vega("cars.json"), target: "Origin" }),
  movies: () => ({ data: vega("movies.json"), target: "IMDB Rating" }),
  breast_cancer: () => ({ data: named("breast_cancer.csv", { skip: 1, target: "benign" }), target: "benign" }),
  digits: () => ({ data: named("digits.csv.gz", { skip: 0, target: "digit" }), target: "digit" }),
  iris: () => ({ data: named("iris.csv", { skip: 1, target: "species" }), target: "species" }),
  wine: () => ({ data: named("wine_data.csv", { skip: 1, target: "cultivar" }), target: "cultivar" }),
  seattle: () => ({ data: vega("seattle-weather.csv"), target: "weather" }),
  boston: () => ({ data: named("boston_house_prices.csv", { skip: 2, target: "price" }), target: "price" }),
  diabetes: () => ({ data: diabetes(), target: "progression" }),
};

const seeds = Array.from({ length: Number(values.seeds) }, (_, seed) => seed);
const shown = (list) => {
  const mean = list.reduce((sum, value) => sum + value, 0) / list.length;
  if (list.length < 2) return mean.toPrecision(4);
  const { low, high } = confidenceInterval(list);
  return `${mean.toPrecision(4)} (${low.toPrecision(4)} to ${high.toPrecision(4)})`;
};

/** Writes the rows that the recipe `table` trains and is tested on, as its baselines read them. */
async function writeSplit(name, seed) {
  const request = { ...sets[name](), task: "auto", ignore: [], group: "", time: "", folds: 8, seed };
  const { data: path, ...rest } = request;
  const { encoding, target, train, test, folds } = await loadTable({ path, ...rest });
  const partOf = ({ x, y }) => {
    const dense = denseFeatures(encoding, x);
    const [count, width] = dense.shape;
    const data = Array.from(dense.data);
    return {
      x: Array.from({ length: count }, (_, row) => data.slice(row * width, (row + 1) * width)),
      y: Array.from(y.data),
    };
  };
  const split = { kind: target.kind, train: partOf(train), folds, test: partOf(test) };
  mkdirSync(values.splits, { recursive: true });
  writeFileSync(join(values.splits, `${name}-${seed}.json`), JSON.stringify(split));
}

if (values.splits !== undefined) {
  for (const name of values.sets?.split(",") ?? Object.keys(sets))
    for (const seed of seeds) await writeSplit(name, seed);
  process.exit();
}

const rows = [];
for (const name of values.sets?.split(",") ?? Object.keys(sets)) {
  const { data, target } = sets[name]();
  if (!existsSync(data)) throw new Error(`${name}: there is no ${data}; install vega-datasets or python3-sklearn`);
  const own = [];
  const baselines = new Map();
  const seconds = [];
  for (const seed of seeds) {
    const began = performance.now();
    const out = join(folder, `${name}-${seed}`);
    const { evaluation, notes } = await runRecipe(
      "table",
      { seed, options: { data, target, minutes: Number(values.minutes) } },
      { out },
    );
    seconds.push((performance.now() - began) / 1000);
    const metric = evaluation.baselines[0].metric;
    own.push(metric === "accuracy" ? evaluation.results.accuracy : evaluation.results.rootMeanSquaredError);
    for (const { name: baseline, test } of evaluation.baselines)
      baselines.set(baseline, [...(baselines.get(baseline) ?? []), test]);
    process.stderr.write(
      `${name}, seed ${seed}: ${own.at(-1).toPrecision(4)}, ${Math.round(seconds.at(-1))} s; ${notes.filter((note) => note.includes("chose")).join("")}; ${evaluation.baselines.map((own) => `${own.name} ${own.test.toPrecision(4)}`).join(", ")}\n`,
    );
  }
  rows.push(
    `| ${name} | ${shown(own)} | ${[...baselines].map(([baseline, list]) => `${baseline} ${shown(list)}`).join("; ")} | ${Math.round(seconds.reduce((a, b) => a + b, 0) / seconds.length)} s |`,
  );
  process.stderr.write(`${rows.at(-1)}\n`);
}
const text = ["| Table | Networks | Baselines | Time |", "| --- | ---: | --- | ---: |", ...rows, ""].join("\n");
if (values.write) writeFileSync(values.write, text);
process.stdout.write(text);
