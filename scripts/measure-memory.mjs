/**
 * Compares the memory that a training step takes with what `sardonyx inspect` says: node scripts/measure-memory.mjs [CASE …].
 * Each case runs in a process of its own. Measured is what the process grows by from the compiled step to the end of five
 * steps, and the weights, which were there before.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { peakBytes } from "./resident-memory.mjs";

const preset = (name, batch, shape, options = {}, freeze) => ({ name, batch, shape, options, freeze });

const gpt2 = {
  model_type: "gpt2",
  architectures: ["GPT2LMHeadModel"],
  vocab_size: 2000,
  n_embd: 384,
  n_layer: 6,
  n_head: 6,
};
const transformer = { hidden_size: 384, num_hidden_layers: 6, num_attention_heads: 6, intermediate_size: 1536 };

export const cases = {
  "resnet18 32": preset("resnet18", 32, [3, 64, 64], { classes: 10 }),
  "resnet18 4": preset("resnet18", 4, [3, 64, 64], { classes: 10 }),
  "mobilenet_v2 32": preset("mobilenet_v2", 32, [3, 96, 96], { classes: 10 }),
  "densenet121 16": preset("densenet121", 16, [3, 64, 64], { classes: 10 }),
  "vgg11 16": preset("vgg11", 16, [3, 64, 64], { classes: 10 }),
  "vgg11 16, classifier frozen": preset("vgg11", 16, [3, 64, 64], { classes: 10 }, "classifier"),
  "vit_b_16 2": preset("vit_b_16", 2, [3, 224, 224], { classes: 10 }),
  "lstm 64": preset("lstm", 64, [120]),
  "small GPT-2 4": { config: gpt2, batch: 4, shape: [256] },
  "small GPT-2 4, in 450 MB": { config: gpt2, batch: 4, shape: [256], memory: 450e6 },
  "small BERT classifier 4": {
    config: { model_type: "bert", architectures: ["BertForSequenceClassification"], vocab_size: 5000, ...transformer },
    batch: 4,
    shape: [256],
  },
};

const MiB = 2 ** 20;

/** In the process of a case: prints its two numbers of bytes as JSON. */
async function measure({ name, config, batch, shape, options, freeze, memory }) {
  const dist = new URL("../dist/src/", import.meta.url);
  const load = (path) => import(new URL(path, dist).href);
  const { adam, crossEntropy, models, ops, Tensor, tensor, Trainer } = await load("index.js");
  const { modelFromConfig } = await load("formats/huggingface.js");
  const { inspect } = await load("analyze/report/inspect.js");
  const { moduleNetwork } = await load("analyze/networks/module-network.js");
  const model = config ? modelFromConfig(config).build() : models.presetOf(name).build(options);
  const isTokens = shape.length === 1;
  const size = shape.reduce((product, extent) => product * extent, batch);
  const x = isTokens
    ? new Tensor(
        "int64",
        [batch, ...shape],
        new BigInt64Array(size).map((_, i) => BigInt(i % 1000)),
      )
    : new Tensor(
        "float32",
        [batch, ...shape],
        new Float32Array(size).map((_, i) => ((i * 0.618) % 1) - 0.5),
      );
  const { output } = model.trace(x);
  if (freeze) model.freeze(freeze);
  const network = moduleNetwork({ name: "model", source: "", model, inputs: x });
  const { cost } = inspect(network, { optimizer: adam(), precision: "float32", memory }).inspection;
  const labels = output.shape.slice(0, -1);
  const count = labels.reduce((product, extent) => product * extent, 1);
  // One class for each row of outputs: the loss takes classes along the second axis.
  const target = tensor(
    Array.from({ length: count }, (_, i) => i % 2),
    { dtype: "int32", shape: [count] },
  );
  const loss = (given, targets) => crossEntropy()(ops.reshape(given, [count, given.shape.at(-1)]), targets);
  const trainer = new Trainer(model, { loss, optimizer: adam(), training: { memory } });
  await trainer.prepare({ x, y: target });
  globalThis.gc();
  globalThis.gc();
  const before = process.memoryUsage.rss();
  for (let i = 0; i < 5; i++) await trainer.step({ x, y: target });
  const grown = peakBytes() - before;
  console.log(JSON.stringify({ predicted: cost.trainingBytes, measured: grown + cost.memory.weights }));
}

/** Predicted and measured bytes of a case. */
export function compareCase(name) {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ["--expose-gc", fileURLToPath(import.meta.url), "--case", name],
    { encoding: "utf8" },
  );
  if (status !== 0) throw new Error(`${name}: ${stderr}`);
  return JSON.parse(stdout);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv[2] === "--case") await measure(cases[process.argv[3]]);
  else {
    const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(cases);
    for (const name of names) {
      const { predicted, measured } = compareCase(name);
      const off = `${predicted >= measured ? "+" : ""}${((100 * predicted) / measured - 100).toFixed(1)} %`;
      console.log(
        `${name.padEnd(28)} said ${(predicted / MiB).toFixed(0).padStart(5)} MiB, measured ${(measured / MiB).toFixed(0).padStart(5)} MiB: ${off}`,
      );
    }
  }
}
