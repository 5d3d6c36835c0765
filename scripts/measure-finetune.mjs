/**
 * What a step of fine-tuning takes, beside what is estimated of it: node scripts/measure-finetune.mjs WAY [TOKENS], where WAY is full, lora or
 * qlora. The model has the shape of Qwen2.5-0.5B and made-up weights; a step is one sequence of 512 tokens. Needs `npm run build`.
 */
import { inspect, moduleNetwork, quantized } from "../dist/src/analyze/index.js";
import * as s from "../dist/src/index.js";
import { peakBytes, residentBytes } from "./resident-memory.mjs";

const [way = "qlora", length = "512"] = process.argv.slice(2);
const tokens = Number(length);
const config = {
  model_type: "qwen2",
  architectures: ["Qwen2ForCausalLM"],
  vocab_size: 151_936,
  hidden_size: 896,
  intermediate_size: 4864,
  num_hidden_layers: 24,
  num_attention_heads: 14,
  num_key_value_heads: 2,
  max_position_embeddings: 32_768,
  rope_theta: 1_000_000,
  tie_word_embeddings: true,
};
const processAlone = residentBytes();
const type = { dtype: "int32", shape: [1, tokens] };
const model = s.modelFromConfig(config).build();
model.trace(type);
if (way !== "full") model.freeze();
let state = 1;
for (const [path, parameter] of model.parameters()) {
  const data = new Float32Array(parameter.shape.reduce((a, b) => a * b, 1));
  const isNorm = path.includes("norm");
  for (let i = 0; i < data.length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    data[i] = isNorm ? 1 : (state / 2 ** 31 - 1) * 0.03;
  }
  parameter.value = new s.Tensor("float32", parameter.shape, data);
  // Matrix by matrix, so that no more than one is there in float32.
  if (way === "qlora" && parameter.shape.length > 1)
    s.quantizeFrozen(model, { bits: 4, parameters: new RegExp(`^${path.replaceAll(".", "\\.")}$`) });
}
if (way !== "full") await s.addLora(model, { rank: 8, alpha: 16, targets: "all-linear" });

const network = moduleNetwork({ name: "qwen2.5-0.5b", source: way, model, inputs: type });
const matrices = network.parameters.filter(({ trainable, shape }) => !trainable && shape.length > 1);
const stored = way === "qlora" ? quantized(network, 4, new Set(matrices)) : network;
const { cost } = inspect(stored, { optimizer: s.adamw(), precision: "float32" }).inspection;

globalThis.gc?.();
const trainer = new s.Trainer(model, { loss: s.crossEntropy(), optimizer: s.adamw({ learningRate: 1e-4 }) });
const ids = (from) =>
  new s.Tensor(
    "int32",
    [1, tokens],
    Int32Array.from({ length: tokens }, (_, i) => (i * 7919 + from) % 151_936),
  );
const batch = { x: ids(0), y: ids(1) };
const began = performance.now();
await trainer.step(batch);
const first = (performance.now() - began) / 1000;
const times = [];
for (let i = 0; i < 3; i++) {
  const start = performance.now();
  await trainer.step(batch);
  times.push((performance.now() - start) / 1000);
}
const peak = peakBytes();
const gigabytes = (bytes) => `${(bytes / 1e9).toFixed(2)} GB`;
console.log(
  JSON.stringify({
    way,
    tokens,
    process: gigabytes(processAlone),
    peak: gigabytes(peak),
    withoutProcess: gigabytes(peak - processAlone),
    estimated: gigabytes(cost.trainingBytes),
    ratio: (cost.trainingBytes / (peak - processAlone)).toFixed(2),
    firstStepSeconds: first.toFixed(1),
    stepSeconds: times.sort((a, b) => a - b)[1].toFixed(1),
    stepFlops: cost.forwardFlops + cost.backwardFlops,
  }),
);
