/**
 * How fast the studio opens a folder of many runs: node --import tsx scripts/measure-studio.ts FOLDER [RUNS] [BATCHES]. The folder is filled with made-up runs where it is
 * not there: 1,000 of 10,000 logged batches by default, 1.1 GB.
 */
import { appendFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { keyOf, Random } from "../src/core/random.ts";
import { claim } from "../src/runs/folder/claim.node.ts";
import { RunLibrary } from "../src/studio/runs/run-library.node.ts";

const [folder = "studio-runs", runs = "1000", batches = "10000"] = process.argv.slice(2);

const random = new Random(keyOf(1));
const lineOf = (record: object) => `${JSON.stringify(record)}\n`;

function makeRun(number: number): void {
  const path = join(folder, `run-${String(number).padStart(5, "0")}`);
  mkdirSync(path, { recursive: true });
  const settings = {
    epochs: 10,
    batchSize: 64,
    learningRate: 0.001 * (1 + (number % 7)),
    optimizer: "adam",
    seed: number % 5,
    options: {},
  };
  const created = new Date(1.7e12 + 60_000 * number).toISOString();
  const record = { format: "sardonyx-run-2", recipe: { name: "lenet-mnist" }, settings, versions: {}, created };
  writeFileSync(join(path, "run.json"), JSON.stringify(record));
  const ofEpoch = Math.max(1, Math.floor(Number(batches) / 10));
  let log = "";
  for (let batch = 1; batch <= Number(batches); batch++) {
    const loss = Math.exp(-batch / 3000) + 0.1 * random.uniform();
    log += lineOf({
      type: "batch",
      batch,
      epoch: Math.ceil(batch / ofEpoch),
      loss,
      learningRate: 0.001,
      gradientNorm: random.uniform(),
    });
    if (batch % ofEpoch === 0)
      log += lineOf({ type: "epoch", epoch: batch / ofEpoch, batch, loss, validation_accuracy: 1 - loss / 2 });
  }
  writeFileSync(join(path, "log.jsonl"), log);
  writeFileSync(
    join(path, "evaluation.json"),
    JSON.stringify({ samples: 10_000, results: { accuracy: random.uniform() } }),
  );
}

if (!existsSync(folder)) for (let number = 0; number < Number(runs); number++) makeRun(number);

const timed = <T>(what: string, work: () => T): T => {
  const began = performance.now();
  const result = work();
  console.log(`${what}: ${(performance.now() - began).toFixed(1)} ms`);
  return result;
};
const library = new RunLibrary(folder);
timed("opened", () => library.refresh());
console.log(`${library.runs.length} runs`);
timed("looked over again", () => library.refresh());
const some = library.runs.slice(0, 20).map(({ id }) => id);
const draw = () => some.map((id) => library.curve(id, "loss", "batch", { columns: 600 }));
timed("20 curves", draw);
timed("20 curves again", draw);
const [first = "."] = some;
const { release } = claim(join(folder, first), first);
library.refresh();
appendFileSync(join(folder, first, "log.jsonl"), lineOf({ type: "batch", batch: 1e6, epoch: 11, loss: 0.5 }));
timed("a batch of what is trained, seen and drawn", () => {
  library.refresh("training");
  library.curve(first, "loss", "batch", { columns: 600 });
});
release();
console.log(`memory: ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB at most`);
