/**
 * Memory of a process that trains, evaluates and predicts for a long time: what it holds at the end against what it held after the first minute,
 * with garbage that is not collected yet, and without.
 *
 * node scripts/measure-steady-memory.mjs [--minutes 60]
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const { values } = parseArgs({ options: { minutes: { type: "string", default: "60" } } });
const minutes = Number(values.minutes);

execFileSync(process.execPath, ["scripts/prepare.mjs"], { stdio: "inherit" });
const {
  accuracy,
  adam,
  conv2d,
  crossEntropy,
  dense,
  embedding,
  evaluate,
  fit,
  flatten,
  fromTensors,
  gru,
  jit,
  keyOf,
  ops,
  predict,
} = await import("../dist/src/index.js");
const { sequential, tensor } = await import("../dist/src/index.js");
const { openRun, runRecipe } = await import("../dist/src/node.js");

const folder = mkdtempSync(join(tmpdir(), "sardonyx-steady-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

const numbers = (shape, at = 0) => {
  const of = (depth) =>
    depth === shape.length ? Math.sin(++at) : Array.from({ length: shape[depth] }, () => of(depth + 1));
  return tensor(of(0));
};
const classes = (count) =>
  tensor(
    Array.from({ length: count }, (_, i) => i % 4),
    { dtype: "int32" },
  );

const images = fromTensors({ x: numbers([96, 1, 12, 12]), y: classes(96) });
const ids = tensor(
  Array.from({ length: 64 }, (_, i) => Array.from({ length: 20 }, (_, j) => (i * 7 + j) % 50)),
  { dtype: "int32" },
);
const sequences = fromTensors({ x: ids, y: classes(64) });
const networks = {
  images: [() => sequential([conv2d(8, 3, { activation: "relu" }), flatten(), dense(4)]), images],
  sequences: [() => sequential([embedding(50, 16), gru(16, { returns: "last" }), dense(4)]), sequences],
};

/** One round of everything that a long-lived process does. */
async function round(seed) {
  for (const [make, data] of Object.values(networks)) {
    const model = make();
    const options = { loss: crossEntropy(), optimizer: adam(), metrics: [accuracy()] };
    // The last batch is smaller, so that graphs of two shapes are compiled.
    await fit(model, data.shuffle(keyOf(seed)).batch(20), { ...options, epochs: 2, training: { seed } });
    await evaluate(model, data.batch(25), options);
    for (let batch = 1; batch <= 20; batch++)
      for await (const { x } of data.batch(batch).epoch(0)) {
        await predict(model, x);
        break;
      }
  }
  const out = join(folder, "iris");
  rmSync(out, { recursive: true, force: true });
  await runRecipe("iris", { epochs: 5, seed }, { out, threads: 1 });
  const run = await openRun(out);
  await run.predict(tensor([[5.1, 3.5, 1.4, 0.2]]));
  await run.release();
  const norm = jit((x) => ops.sqrt(ops.reduceSum(ops.mul(x, x))));
  for (let length = 1; length <= 30; length++) await norm(numbers([length], seed));
}

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const began = performance.now();
const seconds = () => (performance.now() - began) / 1000;
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(0)} MB`;
setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc");
/** What is held without garbage; sessions are released some time after they were collected. */
async function settled() {
  for (let i = 0; i < 3; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return process.memoryUsage().rss;
}
/** What was held after each round of a minute. */
const held = Array.from({ length: minutes }, () => []);
let rounds = 0;
let settledFirst = 0;
for (let minute = 0; minute < minutes; ) {
  await round(rounds++);
  held[minute].push(process.memoryUsage().rss);
  if (seconds() < 60 * (minute + 1)) continue;
  console.log(`minute ${minute + 1}: ${megabytes(median(held[minute]))}`);
  if (minute === 1) settledFirst = await settled();
  minute = Math.floor(seconds() / 60);
}
const change = (what, first, last) =>
  console.log(
    `${what}: ${megabytes(first)} in the second minute, ${megabytes(last)} in the last (${(100 * (last / first - 1)).toFixed(1)} %)`,
  );
console.log(`${rounds} rounds in ${minutes} minutes`);
change("held", median(held[1]), median(held.findLast((minute) => minute.length > 0)));
change("held after a full collection", settledFirst, await settled());
