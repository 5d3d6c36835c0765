/** Statistics of layers: by hand, as numpy's formulas say, of modules and of files, and bad input. */
import { expect, test } from "vitest";
import { keyOf, Random } from "../../core/random.ts";
import { Tensor, tensor } from "../../core/tensor.ts";
import { encodeOnnx } from "../../formats/files/export-onnx.ts";
import { modelFromOnnx } from "../../formats/onnx-model.ts";
import type { Value } from "../../graph/ir.ts";
import {
  batchNorm,
  type Context,
  conv1d,
  conv2d,
  crossEntropy,
  dense,
  dropout,
  embedding,
  flatten,
  lstm,
  maxPool2d,
  meanSquaredError,
  sequential,
} from "../../nn/index.ts";
import * as ops from "../../ops/index.ts";
import { activations } from "../../train/predict.ts";
import { layerStatistics } from "./layer-statistics.ts";

const messageOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "no error",
    (error: Error) => `${error.name}: ${error.message}`,
  );

/** Two dense layers: [1, 1] → relu([[1, 1], [-1, -1]] x) = [2, 0], then [2, 3]. */
function small() {
  const model = sequential([dense(2, { activation: "relu" }), dense(1)]);
  model.trace({ dtype: "float32", shape: [1, 2] });
  const values = {
    "layers.0.weight": [
      [1, 1],
      [-1, -1],
    ],
    "layers.0.bias": [0, 0],
    "layers.1.weight": [[2, 3]],
    "layers.1.bias": [0],
  };
  for (const [path, parameter] of model.parameters())
    parameter.value = tensor(values[path as keyof typeof values] as number[], { dtype: "float32" });
  return model;
}
const batch = {
  x: tensor(
    [
      [1, 1],
      [1, 0],
    ],
    { dtype: "float32" },
  ),
  y: tensor([[0], [0]], { dtype: "float32" }),
};

test("means, zeros, dead units, norms and gradients of two layers, by hand", async () => {
  const { loss, layers } = await layerStatistics(small(), batch, { loss: meanSquaredError() });
  // Outputs of the first are [2, 0] and [1, 0], of the second 4 and 2: the loss is (16 + 4) / 2.
  expect(loss).toBe(10);
  expect(layers.map(({ path, type, shape }) => [path, type, shape])).toEqual([
    ["layers.0", "Dense", [2, 2]],
    ["layers.1", "Dense", [2, 1]],
  ]);
  const [first, second] = layers;
  expect(first).toMatchObject({ mean: 0.75, zeros: 0.5, dead: 0.5 });
  expect(first?.deviation).toBeCloseTo(Math.sqrt(11 / 16), 6);
  expect(second).toMatchObject({ mean: 3, deviation: 1, zeros: 0, dead: 0 });
  // dL/dy = y: 4 and 2. Of the second layer Σ y h = [4·2 + 2·1, 0], bias 6.
  expect(second?.weights).toMatchObject({ parameters: 3 });
  expect(second?.weights?.norm).toBeCloseTo(Math.sqrt(13), 6);
  expect(second?.weights?.gradient).toBeCloseTo(Math.hypot(10, 6), 5);
  // Of the first, through its live unit alone: 2 · (4 x₁ + 2 x₂) = 2 · [6, 4], bias 2 · 6.
  expect(first?.weights?.gradient).toBeCloseTo(Math.hypot(12, 8, 12), 5);
  expect(first?.weights?.ratio).toBeCloseTo(Math.hypot(12, 8, 12) / 2, 5);
});

test("norms of gradients far below and above what float32 can square", async () => {
  for (const factor of [1e-25, 1e25]) {
    const model = small();
    // dL/dy = factor / 2: of the last weights factor / 2 · [3, 0], of their bias factor.
    const objective = (context: Context, { x }: { x: Value; y: Value }) => ({
      loss: ops.mul(ops.reduceMean(model.apply(x, context)), factor),
    });
    const { layers } = await layerStatistics(model, { x: batch.x }, { objective } as never);
    expect((layers[1]?.weights?.gradient ?? 0) / (factor * Math.hypot(1.5, 1))).toBeCloseTo(1, 5);
  }
});

test("frozen layers have norms and no gradients", async () => {
  const model = small();
  model.freeze("layers.0");
  const { layers } = await layerStatistics(model, batch, { loss: meanSquaredError() });
  expect(layers.map(({ weights }) => [weights?.gradient === undefined, weights?.ratio === undefined])).toEqual([
    [true, true],
    [false, false],
  ]);
  expect(layers[0]?.weights?.norm).toBeCloseTo(2, 6);
});

/** A small network of images whose second channel is dead. */
function images() {
  const model = sequential([
    conv2d(3, 3, { padding: "same", activation: "relu" }),
    maxPool2d(2),
    batchNorm(),
    flatten(),
    dense(4),
  ]);
  model.initialize(keyOf(3), { dtype: "float32", shape: [1, 1, 6, 6] });
  const bias = model.parameters().get("layers.0.bias");
  if (bias) bias.value = tensor([0, -50, 0], { dtype: "float32" });
  return model;
}
const pixels = new Tensor("float32", [20, 1, 6, 6], new Random(keyOf(4)).normals(720));
const labelled = {
  x: pixels,
  y: new Tensor(
    "int32",
    [20],
    Int32Array.from({ length: 20 }, (_, i) => i % 4),
  ),
};

/** Numbers of a tensor, as they are defined. */
function hostStatistics({ data, shape }: Tensor) {
  const all = Array.from(data, Number);
  const mean = all.reduce((sum, own) => sum + own, 0) / all.length;
  const deviation = Math.sqrt(all.reduce((sum, own) => sum + (own - mean) ** 2, 0) / all.length);
  const [, channels = 1, ...rest] = shape;
  const area = rest.reduce((product, own) => product * own, 1);
  const live = new Set(all.flatMap((own, i) => (own === 0 ? [] : [Math.floor(i / area) % channels])));
  return { mean, deviation, zeros: all.filter((own) => own === 0).length / all.length, dead: 1 - live.size / channels };
}

test("of images in evaluation they are those of what activations gives; the same of the file that the model is written to", async () => {
  const model = images();
  const options = { loss: crossEntropy(), mode: "evaluation" } as const;
  const { loss, layers } = await layerStatistics(model, labelled, options);
  const given = await activations(model, pixels, ["layers.0", "layers.1", "layers.2", "layers.4"]);
  expect(layers.map(({ path }) => path)).toEqual(["layers.0", "layers.1", "layers.2", "layers.4"]);
  for (const { path, ...own } of layers) {
    const host = hostStatistics(given[path] as Tensor);
    for (const name of ["mean", "deviation", "zeros", "dead"] as const)
      expect(Math.abs(own[name] - host[name]), `${path} ${name}`).toBeLessThan(1e-5 * (1 + Math.abs(host[name])));
  }
  expect(layers[0]?.dead).toBeCloseTo(1 / 3, 6);

  const file = modelFromOnnx(encodeOnnx(model).bytes);
  const read = await layerStatistics(file, labelled, options);
  expect(read.loss).toBeCloseTo(loss, 4);
  const of = (path: string) => read.layers.find((own) => own.path === path);
  const [conv, , , head] = layers;
  // The file has the ReLU behind the pooling.
  expect(of("layers.0")).toMatchObject({ type: "Conv", shape: [20, 3, 6, 6], dead: 0 });
  expect(of("layers.1")).toMatchObject({ type: "Relu", shape: [20, 3, 3, 3] });
  expect(of("layers.1")?.dead).toBeCloseTo(1 / 3, 6);
  expect(of("layers.2")?.deviation).toBeCloseTo(layers[2]?.deviation ?? 0, 5);
  expect(of("layers.0")?.weights?.gradient).toBeCloseTo(conv?.weights?.gradient ?? 0, 4);
  expect(of("layers.4")?.weights?.norm).toBeCloseTo(head?.weights?.norm ?? 0, 4);
  expect(of("layers.4")?.weights?.gradient).toBeCloseTo(head?.weights?.gradient ?? 0, 4);
});

test("a file that normalizes by the moments of the batch in training has the layers of its evaluation, and its module's numbers", async () => {
  const model = images();
  const file = modelFromOnnx(encodeOnnx(model).bytes);
  const loss = crossEntropy();
  const trained = await layerStatistics(file, labelled, { loss });
  const paths = ({ layers }: typeof trained) => layers.map(({ path }) => path);
  expect(paths(trained)).toEqual(paths(await layerStatistics(file, labelled, { loss, mode: "evaluation" })));
  const own = await layerStatistics(model, labelled, { loss });
  expect(trained.loss).toBeCloseTo(own.loss, 4);
  for (const path of ["layers.2", "layers.4"]) {
    const [a, b] = [trained, own].map(({ layers }) => layers.find((layer) => layer.path === path));
    expect(a?.deviation, path).toBeCloseTo(b?.deviation ?? 0, 4);
    expect(a?.weights?.gradient, path).toBeCloseTo(b?.weights?.gradient ?? 0, 4);
  }
});

test("nothing of the model changes, running statistics neither; dropout and the batch's moments count in training alone", async () => {
  const model = sequential([dense(50), batchNorm(), dropout(0.5), dense(2)]);
  model.initialize(keyOf(1), { dtype: "float32", shape: [1, 36] });
  const before = Array.from(model.parameters().values(), ({ value }) => Array.from(value?.data ?? [], Number));
  const y = new Tensor(
    "int32",
    [20],
    labelled.y.data.map((label) => label % 2),
  );
  const data = { x: pixels.reshape([20, 36]), y };
  const zeros = async (mode: "training" | "evaluation", seed = 0) =>
    (await layerStatistics(model, data, { loss: crossEntropy(), mode, key: keyOf(seed), layers: "layers.2" })).layers[0]
      ?.zeros;
  expect(await zeros("evaluation")).toBe(0);
  expect(await zeros("training")).toBeCloseTo(0.5, 1);
  expect(await zeros("training")).toBe(await zeros("training"));
  expect(await zeros("training", 1)).not.toBe(await zeros("training"));
  const after = Array.from(model.parameters().values(), ({ value }) => Array.from(value?.data ?? [], Number));
  expect(after).toEqual(before);
});

test("sequences: units are the last axis, of convolutions of one axis the second; several outputs and a shared layer are named", async () => {
  const shared = dense(3);
  const model = sequential([embedding(5, 4), lstm(3, { returns: "sequence" }), shared, shared, flatten(), dense(2)]);
  const ids = new Tensor(
    "int32",
    [4, 6],
    Int32Array.from({ length: 24 }, (_, i) => i % 5),
  );
  model.initialize(keyOf(1), { dtype: "int32", shape: [4, 6] });
  const { layers } = await layerStatistics(
    model,
    { x: ids, y: new Tensor("int32", [4], Int32Array.of(0, 1, 0, 1)) },
    {
      loss: crossEntropy(),
    },
  );
  const paths = layers.map(({ path }) => path);
  expect(paths).toContain("layers.2");
  expect(paths).toContain("layers.2#2");
  expect(layers.find(({ path }) => path === "layers.2#2")?.weights).toBeUndefined();

  const convolution = sequential([conv1d(2, 1, { activation: "relu" }), batchNorm(), flatten(), dense(2)]);
  convolution.trace({ dtype: "float32", shape: [1, 1, 5] });
  convolution.initialize(keyOf(1));
  const bias = convolution.parameters().get("layers.0.bias");
  if (bias) bias.value = tensor([-100, 100], { dtype: "float32" });
  const rows = {
    x: new Tensor("float32", [4, 1, 5], new Float32Array(20).fill(1)),
    y: new Tensor("int32", [4], Int32Array.of(0, 1, 0, 1)),
  };
  const found = await layerStatistics(convolution, rows, { loss: crossEntropy() });
  expect(found.layers[0]).toMatchObject({ dead: 0.5, zeros: 0.5 });
});

test("bad input says what to do", async () => {
  const model = small();
  const loss = meanSquaredError();
  expect(await messageOf(layerStatistics(model, batch, {} as never))).toContain(
    "layerStatistics needs a loss or an objective",
  );
  expect(await messageOf(layerStatistics(model, batch, { loss, layers: "layer.0" }))).toBe(
    'OptionError: unknown layer "layer.0"; did you mean "layers.0"? Known: layers.0, layers.1.',
  );
  expect(await messageOf(layerStatistics(model, batch, { loss, mode: "test" as never }))).toContain(
    "layerStatistics: mode is",
  );
  expect(await messageOf(layerStatistics(undefined as never, batch, { loss }))).toContain("pass a Module");
  expect(await messageOf(layerStatistics(sequential([dense(1)]), batch, { loss }))).toContain("DataError");
  const none = {
    x: new Tensor("float32", [0, 2], new Float32Array()),
    y: new Tensor("float32", [0, 1], new Float32Array()),
  };
  expect(await messageOf(layerStatistics(model, none, { loss }))).toContain("the batch has no samples");
  expect(await messageOf(layerStatistics(model, { ...batch, z: batch.y } as typeof batch, { loss }))).toContain('"z"');
  const bad = {
    ...batch,
    x: tensor(
      [
        [Number.NaN, 1],
        [1, 0],
      ],
      { dtype: "float32" },
    ),
  };
  const { layers } = await layerStatistics(model, bad, { loss });
  expect(layers[1]?.mean).toBeNaN();
});
