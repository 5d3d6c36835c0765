/** Single weights at zero: which become so, and that no optimizer moves them. */
import { describe, expect, test } from "vitest";
import { keyOf } from "../../../core/random.ts";
import { Tensor, tensor, zerosTensor } from "../../../core/tensor.ts";
import { type Batch, fromTensors } from "../../../data/index.ts";
import { encodeOnnx } from "../../../formats/files/export-onnx.ts";
import { modelFromOnnx } from "../../../formats/onnx-model.ts";
import { signed } from "../../../models/testing/fill.ts";
import {
  type AnyModule,
  activation,
  batchNorm,
  conv2d,
  crossEntropy,
  dense,
  flatten,
  sequential,
} from "../../../nn/index.ts";
import {
  adam,
  type Callback,
  decodeCheckpoint,
  encodeCheckpoint,
  type FitOptions,
  fit,
  type GradientTransform,
  type Optimizer,
  type OptimizerName,
  optimizers,
  sgd,
} from "../../../train/index.ts";
import {
  keepZeros,
  type PruneWeightsOptions,
  planPruning,
  pruneGradually,
  pruneWeights,
  sparsityOf,
} from "../index.ts";

const network = () => {
  const model = sequential([
    conv2d(4, 3, { padding: 1 }),
    batchNorm(),
    activation("relu"),
    flatten(),
    dense(8, { activation: "relu" }),
    dense(3),
  ]);
  model.initialize(keyOf(5), { dtype: "float32", shape: [1, 1, 4, 4] });
  return model;
};
const data = () =>
  fromTensors({
    x: signed("x", [16, 1, 4, 4]),
    y: new Tensor(
      "int32",
      [16],
      Int32Array.from({ length: 16 }, (_, i) => i % 3),
    ),
  }).batch(4);
const train = (
  model: AnyModule,
  epochs: number,
  {
    optimizer = adam({ learningRate: 0.01 }),
    ...training
  }: FitOptions<Batch>["training"] & { readonly optimizer?: Optimizer } = {},
) => fit(model, data(), { loss: crossEntropy(), optimizer, epochs, training });
const valuesOf = (model: AnyModule) =>
  Object.fromEntries(Array.from(model.parameters(), ([path, { value }]) => [path, value?.toNumbers() ?? []]));
const zerosOf = (model: AnyModule) =>
  Object.fromEntries(
    Object.entries(valuesOf(model)).map(([path, numbers]) => [path, numbers.map((own) => Number(own === 0))]),
  );

/** Two dense layers whose weights are known. */
const known = () => {
  const model = sequential([dense(2, { bias: false }), dense(2, { bias: false })]);
  model.trace({ dtype: "float32", shape: [1, 4] });
  const values = [
    [
      [0.1, -0.2, 0.3, -0.4],
      [5, -6, 7, 8],
    ],
    [
      [0.5, -0.6],
      [-0.7, 0.05],
    ],
  ];
  for (const [i, parameter] of [...model.parameters().values()].entries()) parameter.value = tensor(values[i] ?? []);
  return model;
};

describe("plans", () => {
  const zeroed = async (options: PruneWeightsOptions) => {
    const model = known();
    const plan = await pruneWeights(model, options);
    return { plan, values: valuesOf(model) };
  };

  test("of all weights together the smallest go, of each layer those of each", async () => {
    const global = await zeroed({ sparsity: 0.5 });
    expect(global.values["layers.0.weight"]?.map(Boolean)).toEqual([0, 0, 0, 0, 1, 1, 1, 1].map(Boolean));
    expect(global.values["layers.1.weight"]?.map(Boolean)).toEqual([0, 1, 1, 0].map(Boolean));
    expect(global.plan).toMatchObject({ sparsity: 0.5, parameters: 12, effective: 6 });
    const layer = await zeroed({ sparsity: 0.5, by: "layer" });
    expect(layer.plan.weights).toEqual([
      { path: "layers.0.weight", elements: 8, zeros: 4 },
      { path: "layers.1.weight", elements: 4, zeros: 2 },
    ]);
  });

  test("of every four two stay", async () => {
    const { values, plan } = await zeroed({ by: { n: 2, m: 4 }, exclude: "layers.1" });
    expect(values["layers.0.weight"]).toEqual([0, 0, Math.fround(0.3), Math.fround(-0.4), 0, 0, 7, 8]);
    expect(plan.weights[1]).toMatchObject({ zeros: 0 });
  });

  test("one weight of each layer stays whatever the others are", async () => {
    const { plan } = await zeroed({ sparsity: 0.99 });
    expect(plan.weights.map(({ elements, zeros }) => elements - zeros)).toEqual([1, 1]);
  });

  test("what the loss does not depend on goes first by Taylor expansion", async () => {
    const model = known();
    // The third and the fourth input are zero: no weight of theirs counts, though they are the largest.
    const x = tensor([
      [1, 2, 0, 0],
      [2, 1, 0, 0],
    ]);
    const batches = fromTensors({ x, y: tensor([0, 1], { dtype: "int32" }) }).batch(1);
    const { pruned } = await planPruning(model, {
      sparsity: 0.34,
      score: "taylor",
      data: batches,
      loss: crossEntropy(),
    });
    expect([...(pruned.get("layers.0.weight") ?? [])]).toEqual([0, 0, 1, 1, 0, 0, 1, 1]);
    expect(valuesOf(model)).toEqual(valuesOf(known()));
  });

  test("an exported model has the zeros", async () => {
    const model = network();
    await pruneWeights(model, { sparsity: 0.8 });
    const file = modelFromOnnx(encodeOnnx(model, { inputs: { dtype: "float32", shape: [1, 1, 4, 4] } }).bytes);
    expect(sparsityOf(file).sparsity).toBeCloseTo(0.8, 1);
  });

  test("are refused for what they cannot be", async () => {
    const refused = (options: unknown, model: AnyModule = known()) =>
      expect(planPruning(model, options as PruneWeightsOptions)).rejects;
    await refused({}).toThrow(/sparsity is missing/);
    for (const sparsity of [0, 1, -0.5, 2, Number.NaN, "half"]) await refused({ sparsity }).toThrow(/sparsity/);
    await refused({ by: { n: 2, m: 4 }, sparsity: 0.5 }).toThrow(/leave sparsity out/);
    await refused({ by: { n: 4, m: 4 } }).toThrow(/pass fewer/);
    await refused({ by: { n: 2, m: 4 } }).toThrow(/"layers\.1\.weight" has 2 elements, which is no multiple of 4/);
    await refused({ by: "row", sparsity: 0.5 }).toThrow(/by/);
    await refused({ sparsity: 0.5, score: "taylor" }).toThrow(/needs data/);
    await refused({ sparsity: 0.5, loss: crossEntropy() }).toThrow(/reads no data/);
    await refused({ sparsity: 0.5, exclude: "layers.7" }).toThrow(/unknown parameter "layers\.7"/);
    await refused({ sparsity: 0.5, exclude: /layers/ }).toThrow(/no parameter of two axes or more is left/);
    await refused({ sparsity: 0.5 }, dense(2)).toThrow(/has no parameters yet/);
    const empty = dense(2);
    empty.trace({ dtype: "float32", shape: [1, 4] });
    await refused({ sparsity: 0.5 }, empty).toThrow(/has no value/);
  });
});

describe("keepZeros", () => {
  test.each(Object.keys(optimizers) as OptimizerName[])("whatever %s does", async (name) => {
    const model = network();
    // What it remembers of the gradients before would move them.
    await train(model, 1, { optimizer: optimizers[name]({ learningRate: 0.01 }) });
    await pruneWeights(model, { sparsity: 0.7 });
    const [before, zeros] = [valuesOf(model), zerosOf(model)];
    await train(model, 3, { optimizer: optimizers[name]({ learningRate: 0.01 }), transforms: [keepZeros()] });
    for (const path of Object.keys(before).filter((own) => own.endsWith("weight") && own !== "layers.1.weight")) {
      expect(zerosOf(model)[path]).toEqual(zeros[path]);
      expect(valuesOf(model)[path]).not.toEqual(before[path]);
    }
  });

  test("with momentum, decoupled weight decay, clipping and accumulation", async () => {
    const model = network();
    await pruneWeights(model, { sparsity: 0.7 });
    const zeros = zerosOf(model)["layers.4.weight"];
    const transforms = [keepZeros()];
    await train(model, 3, { optimizer: sgd({ learningRate: 0.1, momentum: 0.9 }), transforms, clipNorm: 0.1 });
    await train(model, 3, { optimizer: optimizers.adamw({ learningRate: 0.01 }), transforms, accumulate: 2 });
    expect(zerosOf(model)["layers.4.weight"]).toEqual(zeros);
    // Biases are zero at first, and train.
    expect(valuesOf(model)["layers.5.bias"]?.every((own) => own !== 0)).toBe(true);
  });

  test("gradients of what is pruned do not count in the norm that is clipped", async () => {
    const model = network();
    await pruneWeights(model, { sparsity: 0.7 });
    const zeros = zerosOf(model)["layers.4.weight"] ?? [];
    let seen: number[] = [];
    const spy: GradientTransform = {
      name: "spy",
      bind: () => ({
        apply: (gradients) =>
          gradients.edit((gradient, path) => {
            if (path === "layers.4.weight") seen = [...gradient];
          }),
      }),
    };
    await train(model, 1, { transforms: [keepZeros(), spy] });
    expect(seen.filter((own, i) => zeros[i] === 1 && own !== 0)).toEqual([]);
    expect(seen.some((own) => own !== 0)).toBe(true);
  });

  test("what is zero all over trains, as does what is excluded", async () => {
    const model = network();
    const last = model.parameters().get("layers.5.weight");
    if (last) last.value = zerosTensor("float32", last.shape);
    const first = model.parameters().get("layers.0.weight")?.value;
    if (first) first.data[0] = 0;
    await train(model, 3, { transforms: [keepZeros({ exclude: "layers.0" })] });
    expect(valuesOf(model)["layers.5.weight"]?.some((own) => own !== 0)).toBe(true);
    expect(valuesOf(model)["layers.0.weight"]?.[0]).not.toBe(0);
  });
});

describe("pruneGradually", () => {
  /** The share that is zero after each update. */
  const shares = (model: AnyModule, seen: number[]): Callback => ({
    name: "shares",
    onBatch: () => {
      seen.push(sparsityOf(model).sparsity);
    },
  });

  test("follows the cubic curve, and keeps what it pruned", async () => {
    const [model, seen]: [AnyModule, number[]] = [network(), []];
    const transforms = [pruneGradually({ sparsity: 0.8, begin: 2, end: 10, every: 4, by: "global" })];
    const options = { loss: crossEntropy(), optimizer: adam(), epochs: 4, callbacks: [shares(model, seen)] };
    await fit(model, data(), { ...options, training: { transforms } });
    const { weights } = sparsityOf(model);
    const all = weights.reduce((sum, { elements }) => sum + elements, 0);
    // Zhu and Gupta 2017, equation 1, at updates 2, 6 and 10: 0.8 (1 − (1 − (t − 2) / 8)³).
    const expected = [0, 0, 0, 0, 0, 0, 0.7, 0.7, 0.7, 0.7, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8];
    expect(seen.map((share) => Math.round(share * all))).toEqual(
      expected.map((share) => Math.floor(share * all + 1e-9)),
    );
  });

  test("resumes to the bit, with what was pruned", async () => {
    const transforms = () => [pruneGradually({ sparsity: 0.8, begin: 1, end: 9, every: 2 })];
    const whole = network();
    await train(whole, 4, { transforms: transforms() });
    const begun = network();
    const { progress } = await train(begun, 2, { transforms: transforms() });
    const rest = network();
    await train(rest, 4, { transforms: transforms(), resume: decodeCheckpoint(encodeCheckpoint(progress)) });
    expect(valuesOf(rest)).toEqual(valuesOf(whole));
    expect(sparsityOf(rest).sparsity).toBeCloseTo(0.8, 1);
    expect(sparsityOf(begun).sparsity).toBeLessThan(0.8);
  });

  test("steps report the share, and bad settings are refused", async () => {
    const model = network();
    const reports: unknown[] = [];
    const callbacks: Callback[] = [{ name: "reports", onBatch: (_, { reports: own }) => void reports.push(own) }];
    const transforms = [pruneGradually({ sparsity: 0.5, from: 0.5, begin: 1, end: 2 })];
    const options = { loss: crossEntropy(), optimizer: adam(), epochs: 1, callbacks };
    await fit(model, data(), { ...options, training: { transforms } });
    expect(reports[0]).toEqual({});
    expect(reports[3]).toEqual({ pruneGradually: { sparsity: sparsityOf(model).sparsity } });
    for (const sparsity of [0, 1, 1.5]) expect(() => pruneGradually({ sparsity, end: 10 })).toThrow(/sparsity/);
    expect(() => pruneGradually({ sparsity: 0.5, begin: 10, end: 10 })).toThrow(/pass a later end/);
    expect(() => pruneGradually({ sparsity: 0.5, from: 0.6, end: 10 })).toThrow(/pass a smaller from/);
    expect(() => keepZeros({ only: "layers" } as never)).toThrow(/unknown option/);
  });
});
