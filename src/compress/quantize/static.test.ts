/** Networks in 8 bits beside what rounding by hand gives, as ONNX Runtime runs them. */
import { describe, expect, test } from "vitest";
import { memorySource } from "../../core/byte-source.ts";
import { DataError, NonFiniteError, OptionError, ShapeError } from "../../core/errors.ts";
import { keyOf, Random } from "../../core/random.ts";
import { Tensor } from "../../core/tensor.ts";
import { type Batch, type Dataset, fromTensors } from "../../data/index.ts";
import { encodeOnnx } from "../../formats/files/export-onnx.ts";
import { modelFromOnnx } from "../../formats/onnx-model.ts";
import type { Value } from "../../graph/ir.ts";
import {
  type AnyModule,
  activation,
  batchNorm,
  type Context,
  conv2d,
  crossEntropy,
  dense,
  flatten,
  Module,
  maxPool2d,
  sequential,
} from "../../nn/index.ts";
import { importModel } from "../../onnx/import.ts";
import * as ops from "../../ops/index.ts";
import { accuracy, adam, evaluate, fit, predictor } from "../../train/index.ts";
import { compareModels } from "../measure/compare-models.ts";
import { outputsOf, relative } from "../testing/file-outputs.ts";
import { quantizationSensitivity, quantizeWithin } from "./sensitivity.ts";
import { quantizeStatic } from "./static.ts";

const random = (seed: number, ...shape: number[]): Tensor<"float32"> => {
  const count = shape.reduce((product, extent) => product * extent, 1);
  return new Tensor("float32", shape, new Random(keyOf(seed)).normals(count));
};
const types = { dtype: "float32", shape: [1, 3, 12, 12] } as const;

/** x + f(x). */
class Sum extends Module<Value, Value> {
  readonly body = sequential([conv2d(8, 3, { padding: "same" }), batchNorm(), activation("relu")]);

  protected call(x: Value, context: Context): Value {
    return ops.add(x, this.body.apply(x, context));
  }
}

/** Convolutions, normalization, a sum of branches, pooling and dense layers, with statistics of some data. */
async function network(): Promise<{ readonly model: AnyModule; readonly data: Dataset<Batch> }> {
  const model = sequential([
    conv2d(8, 3, { padding: "same" }),
    batchNorm(),
    activation("relu"),
    new Sum(),
    maxPool2d(2),
    flatten(),
    dense(16, { activation: "relu" }),
    dense(4),
  ]);
  model.initialize(keyOf(1), types);
  const x = random(2, 96, 3, 12, 12);
  // What to learn: in which quarter of the channels' sums the largest pixel lies.
  const y = Int32Array.from({ length: 96 }, (_, i) => {
    const own = x.data.subarray(i * 432, i * 432 + 144);
    const at = own.indexOf(Math.max(...own));
    return 2 * Number(at >= 72) + Number(at % 12 >= 6);
  });
  const data = fromTensors<Batch>({ x, y: new Tensor("int32", [96], y) }).batch(16);
  await fit(model, data, { loss: crossEntropy(), optimizer: adam({ learningRate: 3e-3 }), epochs: 6 });
  return { model, data };
}

const operators = (bytes: Uint8Array): Readonly<Record<string, number>> => {
  const { graph } = importModel(memorySource(bytes), {
    shapeOf: ({ extents }) => (extents ?? []).map((e) => Number(e) || 1),
  });
  const counts: Record<string, number> = {};
  for (const { op } of graph.nodes) counts[op.type] = (counts[op.type] ?? 0) + 1;
  return counts;
};

test("a dense layer gives what rounding its numbers by hand gives", async () => {
  const model = dense(2);
  model.initialize(keyOf(0), { dtype: "float32", shape: [1, 2] });
  const [weight, bias] = [...model.parameters().values()];
  if (!weight || !bias) throw new Error("no parameters");
  weight.value = new Tensor("float32", [2, 2], Float32Array.of(1.27, 0.3, -0.4, 0.254));
  bias.value = new Tensor("float32", [2], Float32Array.of(0.5, -0.25));
  const data = fromTensors({ x: new Tensor("float32", [2, 2], Float32Array.of(-1, 1.55, 0.333, 0.777)) }).batch(2);
  const { bytes, layers } = await quantizeStatic(model, data);
  // x: scale 0.01, zero 100: 33 and 78 hundredths; the rows of W: 0.01 and 0.4 / 127.
  const [a, b] = [0.33, 0.78];
  const t = 0.4 / 127;
  const expected = [a * 1.27 + b * 0.3 + 0.5, a * -0.4 + b * Math.round(0.254 / t) * t - 0.25];
  const found = await outputsOf(bytes, new Tensor("float32", [1, 2], Float32Array.of(0.333, 0.777)));
  for (const [i, y] of expected.entries()) expect(found[i]).toBeCloseTo(y, 4);
  expect(layers).toEqual([expect.objectContaining({ kind: "dense", elements: 4, bits: 8 })]);
});

describe("a convolutional network", async () => {
  const { model, data } = await network();
  const x = random(3, 5, 3, 12, 12);
  const float = encodeOnnx(model, { inputs: types }).bytes;
  const exact = await outputsOf(float, x);

  test("is close in every form, on any batch, in Node and as browsers run it", async () => {
    const forms = [
      {},
      { perChannel: false },
      { activations: "int8", symmetric: true },
      { reduceRange: true },
      { ranges: "percentile" },
      { ranges: "mse" },
      { ranges: "entropy" },
    ] as const;
    for (const form of forms) {
      const { bytes } = await quantizeStatic(model, data, { inputs: types, ...form });
      const found = await outputsOf(bytes, x);
      expect(relative(exact, found), JSON.stringify(form)).toBeLessThan(0.08);
      expect(relative(found, await outputsOf(bytes, x, "wasm")), JSON.stringify(form)).toBeLessThan(0.02);
      expect(bytes.length).toBeLessThan(0.5 * float.length);
    }
  });

  test("has its normalization folded, and rounds where ONNX Runtime fuses", async () => {
    const { bytes, layers, kept } = await quantizeStatic(model, data, { inputs: types });
    const counts = operators(bytes);
    expect(counts).toMatchObject({ Conv: 2, Gemm: 2, Relu: 3 });
    expect(counts["BatchNormalization"]).toBeUndefined();
    // The input; behind each convolution's activation; the sum; the pooled and the flat one; the hidden layer.
    expect(counts["QuantizeLinear"]).toBe(7);
    expect(layers.map(({ name }) => name)).toEqual(["layers.0", "layers.3.body.layers.0", "layers.6", "layers.7"]);
    expect(kept).toEqual([]);
  });

  test("keeps the layers that are named, and a file gives the same as the module", async () => {
    const { layers, kept } = await quantizeStatic(model, data, { inputs: types, keep: ["layers.0", "layers.7"] });
    expect([layers.length, kept]).toEqual([2, ["layers.0", "layers.7"]]);
    const imported = await quantizeStatic(modelFromOnnx(float), data, { inputs: { input: types } });
    const own = await quantizeStatic(model, data, { inputs: types });
    expect(relative(await outputsOf(own.bytes, x), await outputsOf(imported.bytes, x))).toBeLessThan(1e-6);
    // The file is read back as a module.
    const reread = predictor(modelFromOnnx(own.bytes));
    const given = (await reread(x as never)) as unknown as Tensor;
    expect(relative(await outputsOf(own.bytes, x), given.data as Float32Array)).toBeLessThan(0.02);
    await reread.release();
  });

  test("is measured beside the model: results as evaluate has them", async () => {
    const measured = { loss: crossEntropy(), metrics: [accuracy()] };
    const { bytes } = await quantizeStatic(model, data, { inputs: types });
    const { before, after, difference, batch } = await compareModels(model, bytes, { data, measured, inputs: types });
    const { results } = await evaluate(model, data, measured as never);
    expect(before.results?.["loss"]).toBeCloseTo(results["loss"] ?? Number.NaN, 4);
    expect(before.results?.["accuracy"]).toBe(results["accuracy"]);
    expect(after.results?.["accuracy"]).toBeGreaterThan((results["accuracy"] ?? 1) - 0.08);
    expect([batch, difference.samples, after.bytes]).toEqual([16, 96, bytes.length]);
    expect(difference.relative).toBeGreaterThan(0);
    expect(difference.relative).toBeLessThan(0.08);
    // 8 filters of 3 x 3 x 3 at 144 places, 8 of 8 x 3 x 3, 288 x 16 and 16 x 4.
    expect(before.macs).toBe(144 * (216 + 576) + 4608 + 64);
    expect(after.macs).toBe(before.macs);
  });

  test("tells which layers hurt, and keeps those in float32 that a limit asks for", async () => {
    const layers = await quantizationSensitivity(model, data, { inputs: types });
    expect(layers.map(({ name }) => name).sort()).toEqual([
      "layers.0",
      "layers.3.body.layers.0",
      "layers.6",
      "layers.7",
    ]);
    for (const [i, { difference }] of layers.entries()) {
      expect(difference).toBeGreaterThan(0);
      expect(difference).toBeLessThanOrEqual(layers[i - 1]?.difference ?? 1);
    }
    const options = {
      inputs: types,
      validation: data,
      measured: { loss: crossEntropy() },
      score: ({ loss = Number.NaN }: Readonly<Record<string, number>>) => -loss,
    };
    const any = await quantizeWithin(model, data, { ...options, allowed: 1 });
    expect([any.kept, any.isWithin]).toEqual([[], true]);
    const strict = await quantizeWithin(model, data, { ...options, allowed: 0 });
    const change = strict.scores.before - strict.scores.after;
    expect(strict.isWithin).toBe(change <= 0);
    expect(strict.kept.length > 0 || change <= 0).toBe(true);
  });

  test("refuses data and layers that do not fit, with the mend", async () => {
    const one = fromTensors({
      x: random(4, 8, 3, 12, 12),
      y: new Tensor("int32", [8], new Int32Array(8).fill(3)),
    }).batch(4);
    const quantize = (own: unknown, options = {}) =>
      quantizeStatic(model, own as Dataset<Batch>, { inputs: types, ...options });
    await expect(quantize(one)).rejects.toThrow(DataError);
    await expect(quantize(one)).rejects.toThrow(/all 8 samples are of class 3.*shuffle/);
    const other = fromTensors({ image: random(4, 8, 3, 12, 12) }).batch(4);
    await expect(quantize(other)).rejects.toThrow(/the batch has image, and the model takes x/);
    const small = fromTensors({ x: random(4, 8, 3, 9, 9) }).batch(4);
    await expect(quantize(small)).rejects.toThrow(ShapeError);
    const nan = fromTensors({
      x: new Tensor("float32", [4, 3, 12, 12], new Float32Array(1728).fill(Number.NaN)),
    }).batch(4);
    await expect(quantize(nan)).rejects.toThrow(NonFiniteError);
    const x = random(5, 8, 3, 12, 12);
    x.data[1000] = Number.NaN;
    await expect(quantize(fromTensors({ x }).batch(4))).rejects.toThrow(NonFiniteError);
    await expect(quantize(data, { keep: "layer.0" })).rejects.toThrow(
      /unknown layer "layer.0"; did you mean "layers.0"/,
    );
    await expect(quantize(data, { keep: /./ })).rejects.toThrow(OptionError);
    const none = sequential([activation("relu")]);
    await expect(quantizeStatic(none, data, { inputs: types })).rejects.toThrow(/no convolution or dense layer/);
  });
});
