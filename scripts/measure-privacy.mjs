/**
 * What private-mnist reaches by epsilon and seed, drawn as a curve: node scripts/measure-privacy.mjs FOLDER [EPSILONS] [SEEDS] [--write]
 * Runs are trained where FOLDER lacks them. Prints means, with 95 % intervals (Student's t) of three seeds and more; --write draws docs/figures/private-mnist.svg.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./prepare.mjs";

const { confidenceInterval, linePlot } = await import("../dist/src/index.js");

const args = process.argv.slice(2);
const isWritten = args.includes("--write");
const [folder = "runs/private", epsilons = "1,3,8", seeds = "0,1,2,3,4"] = args.filter((arg) => arg !== "--write");

/** Epochs: of little budget more of them would take more noise than they are worth, as the digits that choose say. */
const epochsOf = (epsilon) => (epsilon <= 1 ? 15 : 25);

/** The results of a run, which is trained where there is none. */
function resultsOf(epsilon, seed) {
  const run = join(folder, `private-mnist-${epsilon}-${seed}`);
  const evaluation = join(run, "evaluation.json");
  if (!existsSync(evaluation)) {
    const given = ["--private", epsilon, "--seed", seed, "--epochs", epochsOf(epsilon), "--out", run].map(String);
    const { status } = spawnSync(
      process.execPath,
      [join(root, "bin/sardonyx.mjs"), "train", "private-mnist", ...given],
      {
        stdio: "inherit",
      },
    );
    if (status !== 0) throw new Error(`private-mnist with epsilon ${epsilon} and seed ${seed} ended with ${status}`);
  }
  return JSON.parse(readFileSync(evaluation, "utf8")).results;
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const points = [];
for (const epsilon of epsilons.split(",").map(Number)) {
  const results = seeds.split(",").map((seed) => resultsOf(epsilon, Number(seed)));
  const accuracies = results.map(({ accuracy }) => 100 * accuracy);
  const interval = accuracies.length > 2 ? confidenceInterval(accuracies) : undefined;
  points.push([epsilon, mean(accuracies)]);
  const of = (name) => results.map((own) => own[name].toFixed(3)).join(", ");
  console.log(
    `epsilon ${epsilon}: ${mean(accuracies).toFixed(2)} % (${accuracies.map((own) => own.toFixed(2)).join(", ")})${interval ? `, 95 % interval ${interval.low.toFixed(2)} to ${interval.high.toFixed(2)}` : ""}, audit_epsilon ${of("audit_epsilon")}, audit_area ${of("audit_area")}`,
  );
}
if (isWritten)
  writeFileSync(
    join(root, "docs/figures/private-mnist.svg"),
    linePlot([{ name: "accuracy", points }], {
      title: "Accuracy of private-mnist by epsilon, delta 1e-5",
      x: { label: "epsilon", domain: [0, 10] },
      y: { label: "% of the test digits", domain: [95, 100] },
    }),
  );
