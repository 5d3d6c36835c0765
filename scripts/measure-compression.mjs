/**
 * What compression costs and gains, over seeds: node scripts/measure-compression.mjs FOLDER WHAT [SEEDS]
 * WHAT is `fashion` (cnn-fashion of 32 and 64 channels in int8, and with half of its multiply-adds cut away), `gpt` (gpt-bpe in 4 bits, to the nearest and by GPTQ) or `mobilenet`
 * (transfer-images in int8, with a scale for each output and with one for all; needs --package DIR of nsfwjs). Runs are trained where FOLDER lacks them. Prints
 * means with 95 % intervals (Student's t).
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./prepare.mjs";

const { confidenceInterval } = await import("../dist/src/index.js");

const [folder = "runs/compression", what = "fashion", given = "0,1,2,3,4", ...others] = process.argv.slice(2);
const seeds = given.split(",");

/** Runs a command of sardonyx, and gives its JSON records. */
function sardonyx(...args) {
  const { stdout, stderr, status } = spawnSync(process.execPath, [join(root, "bin/sardonyx.mjs"), ...args, "--json"], {
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new Error(`sardonyx ${args.join(" ")} ended with ${status}: ${stderr}`);
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

/** The folder of a trained run. */
function trained(recipe, seed, ...args) {
  const run = join(folder, `${recipe}-${seed}`);
  if (!existsSync(join(run, "evaluation.json"))) sardonyx("train", recipe, "--seed", seed, ...args, "--out", run);
  return run;
}

const compressed = (run, ...args) =>
  sardonyx("compress", run, ...args, "--out", join(run, "compressed.onnx")).find(({ type }) => type === "compressed");

const rows = new Map();
const add = (name, number) => rows.set(name, [...(rows.get(name) ?? []), number]);
const points = (name, { before, after }, key = "accuracy") => {
  add(`${name}: ${key} before`, 100 * before.results[key]);
  add(`${name}: ${key} after`, 100 * after.results[key]);
  add(`${name}: points lost`, 100 * (before.results[key] - after.results[key]));
};
const sizes = (name, { before, after }) => {
  add(`${name}: times smaller`, before.bytes / after.bytes);
  add(`${name}: times faster, a batch of 1`, before.milliseconds.one / after.milliseconds.one);
  add(`${name}: times faster, a batch`, before.milliseconds.batch / after.milliseconds.batch);
};

for (const seed of seeds) {
  if (what === "fashion") {
    const run = trained("cnn-fashion", seed, "--width", "32");
    const int8 = compressed(run);
    points("int8", int8);
    sizes("int8", int8);
    const pruned = trained("prune-fashion", seed, "--base", run);
    const { results, baselines } = JSON.parse(readFileSync(join(pruned, "evaluation.json"), "utf8"));
    add("half the multiply-adds: accuracy before", 100 * baselines[0].test);
    add("half the multiply-adds: accuracy after", 100 * results.accuracy);
    add("half the multiply-adds: points lost", 100 * (baselines[0].test - results.accuracy));
    add("half the multiply-adds: times faster", results.times_faster);
  } else if (what === "gpt") {
    const run = trained("gpt-bpe", seed);
    for (const rounding of ["nearest", "gptq", "awq"]) {
      const made = compressed(run, "--quantize", "int4", "--rounding", rounding);
      add(`4 bits, ${rounding}: perplexity before`, made.before.results.perplexity);
      add(`4 bits, ${rounding}: perplexity after`, made.after.results.perplexity);
      add(`4 bits, ${rounding}: rise`, made.after.results.perplexity - made.before.results.perplexity);
      sizes(`4 bits, ${rounding}`, made);
    }
  } else if (what === "mobilenet") {
    const run = trained("transfer-images", seed, ...others);
    for (const [name, args] of [
      ["a scale for each output", []],
      ["one scale for a weight", ["--per-tensor"]],
    ]) {
      const made = compressed(run, ...args);
      points(name, made);
      sizes(name, made);
    }
  } else throw new Error(`nothing is measured by the name of ${what}; pass fashion, gpt or mobilenet`);
  for (const [name, numbers] of rows) console.log(`  seed ${seed}  ${name}: ${numbers.at(-1).toFixed(3)}`);
}
for (const [name, numbers] of seeds.length > 1 ? rows : []) {
  const { mean, high } = confidenceInterval(numbers);
  console.log(
    `${name}: ${mean.toFixed(3)} ± ${(high - mean).toFixed(3)} (${numbers.map((own) => own.toFixed(3)).join(", ")})`,
  );
}
