/**
 * Measures how long opening takes: BERT-base from its folder to the first prediction, with the memory of the whole process, and what is told
 * of a model of seven billion parameters without its weights being read.
 * npm run build && node scripts/measure-loading.mjs [FOLDER], where 440 MB are written (and 13 GB sparse); default a temporary one.
 */
import { execFileSync } from "node:child_process";
import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { modelFromConfig, predictor, Tensor } from "../dist/src/index.js";
import { loadModel } from "../dist/src/node.js";
import { peakBytes } from "./resident-memory.mjs";

/** Writes config.json and shards with the names and shapes of its model; numbers where `fill` gives them, else nothing on disk. */
function writeModel(folder, config, { type, width, shards, fill }) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  const { build, inputs } = modelFromConfig(config);
  const model = build();
  model.trace(inputs);
  const tensors = [...model.parameters()];
  const each = Math.ceil(tensors.length / shards);
  const map = {};
  for (let shard = 0; shard < shards; shard++) {
    const file = shards === 1 ? "model.safetensors" : `model-${shard + 1}-of-${shards}.safetensors`;
    let end = 0;
    const entries = tensors.slice(shard * each, (shard + 1) * each).map(([name, { shape }]) => {
      const begin = end;
      end += width * shape.reduce((a, b) => a * b, 1);
      map[name] = file;
      return [name, { dtype: type, shape, data_offsets: [begin, end] }];
    });
    const text = JSON.stringify(Object.fromEntries(entries));
    const header = text.padEnd(8 * Math.ceil(text.length / 8));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    const handle = openSync(join(folder, file), "w");
    writeSync(handle, length);
    writeSync(handle, header);
    if (fill) for (let at = 0; at < end; at += fill.length) writeSync(handle, fill, 0, Math.min(fill.length, end - at));
    else ftruncateSync(handle, 8 + header.length + end);
    closeSync(handle);
  }
  if (shards > 1)
    writeFileSync(join(folder, "model.safetensors.index.json"), JSON.stringify({ metadata: {}, weight_map: map }));
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** The first prediction of a process of its own. */
async function firstPrediction(folder) {
  const start = performance.now();
  const model = await loadModel(folder, { inputs: [1, 128] });
  const loaded = performance.now();
  await predictor(model)({ x: new Tensor("int64", [1, 128], new BigInt64Array(128).fill(5n)) });
  process.stdout.write(JSON.stringify({ load: loaded - start, first: performance.now() - start, memory: peakBytes() }));
}

async function measure() {
  const given = process.argv[2];
  const root = given ?? mkdtempSync(join(tmpdir(), "loading-"));
  const [bert, llama] = [join(root, "bert"), join(root, "llama")];
  const numbers = Float32Array.from({ length: 1 << 22 }, (_, i) => 0.02 * Math.sin(i));
  const fill = new Uint8Array(numbers.buffer);
  writeModel(bert, { model_type: "bert", architectures: ["BertModel"] }, { type: "F32", width: 4, shards: 1, fill });
  const seven = { model_type: "llama", architectures: ["LlamaForCausalLM"], torch_dtype: "bfloat16" };
  writeModel(llama, { ...seven, max_position_embeddings: 4096 }, { type: "BF16", width: 2, shards: 3 });
  const run = (...command) => execFileSync(process.execPath, command, { encoding: "utf8" });
  const runs = Array.from({ length: 5 }, () => JSON.parse(run(import.meta.filename, "--first", bert)));
  const of = (name) => median(runs.map((own) => own[name]));
  const times = Array.from({ length: 5 }, () => {
    const start = performance.now();
    run("bin/sardonyx.mjs", "inspect", llama);
    return performance.now() - start;
  });
  const size = 4 * 109_482_240;
  console.log(`BERT-base: loaded in ${of("load").toFixed(0)} ms, first prediction after ${of("first").toFixed(0)} ms`);
  console.log(
    `memory of the process ${(of("memory") / 2 ** 20).toFixed(0)} MiB, ${(of("memory") / size).toFixed(2)} times the file`,
  );
  console.log(`inspect of 7 billion parameters: ${median(times).toFixed(0)} ms, its start included`);
  if (given === undefined) rmSync(root, { recursive: true });
}

if (process.argv[2] === "--first") await firstPrediction(process.argv[3]);
else await measure();
