/** Frozen parameters in fewer bits: the same numbers everywhere, in training, prediction and checkpoints. */
import { describe, expect, test } from "vitest";
import { keyOf, Random } from "../../core/random.ts";
import { copyOf, Tensor, tensor } from "../../core/tensor.ts";
import type { Labelled } from "../../data/pipeline/dataset.ts";
import { graphOf } from "../../graph/ir.ts";
import { optimize } from "../../jit/compile.ts";
import { conv2d, dense, embedding, flatten, meanSquaredError, quantizeFrozen, sequential } from "../../nn/index.ts";
import type { AnyModule } from "../../nn/module.ts";
import { ParameterInputs } from "../../nn/parameter-inputs.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../checkpoint.ts";
import { adam } from "../optimizers/index.ts";
import { predict, predictor } from "../predict.ts";
import { Trainer } from "./trainer.ts";

const random = new Random(keyOf(1));
const normals = (...shape: number[]) => {
  const length = shape.reduce((product, extent) => product * extent, 1);
  return new Tensor(
    "float32",
    shape,
    Float32Array.from({ length }, () => random.normal()),
  );
};
const x = normals(6, 1, 8, 8);
const y = normals(6, 2);

/** A body whose rows are no multiples of a block, and a head. */
function network() {
  const model = sequential([conv2d(5, 3), flatten(), dense(10, { activation: "tanh" }), dense(2)]);
  model.initialize(keyOf(2), x);
  return model;
}
const parameter = (model: AnyModule, path: string) => {
  const found = model.parameters().get(path);
  if (!found) throw new Error(`no ${path}`);
  return found;
};

const trainerOf = (model: AnyModule) =>
  new Trainer<Labelled>(model, { loss: meanSquaredError(), optimizer: adam({ learningRate: 0.01 }) });

test.each([4, 8] as const)("numbers that %i bits held before stay, whatever the sign of their scale", (bits) => {
  const model = dense(1, { bias: false });
  const half = 2 ** (bits - 1);
  // As in ggml's q4_0 the extreme element of each block of 32 stands `half` steps below 0.
  const steps = Array.from({ length: 64 }, (_, i) => (i % 32 === 0 ? 0 : (i * 7) % (2 * half)) - half);
  const elements = steps.map((step, i) => step * (i < 32 ? 0.046875 : -0.0078125));
  model.initialize(keyOf(0), tensor([elements]));
  const weight = parameter(model, "weight");
  model.freeze();
  weight.value = tensor([elements]);
  for (let times = 0; times < 2; times++) {
    quantizeFrozen(model, { bits });
    expect([...(weight.value?.data ?? [])]).toEqual(elements);
  }
});

test("numbers are whole multiples of a scale for each block", () => {
  const model = dense(1, { bias: false });
  model.initialize(keyOf(0), tensor([[0, 0, 0, 0, 0]]));
  const weight = parameter(model, "weight");
  weight.value = tensor([[7, -3.4, 0.6, 0.25, -0.5]]);
  model.freeze();
  // Blocks of two: scales 7 / 7, 0.6 / 7, and 0.5 / 8, by which an element alone is whole.
  quantizeFrozen(model, { bits: 4, block: 2 });
  expect([...(weight.packed?.parts["elements"]?.data ?? [])]).toEqual([
    8 + 7 + 16 * (8 - 3),
    8 + 7 + 16 * (8 + 3),
    0 + 16 * 8,
  ]);
  const a = Math.fround(Math.fround(0.6) / 7);
  const expected = [7, -3, 7 * a, 3 * a, -0.5].map(Math.fround);
  expect([...(weight.value?.data ?? [])]).toEqual(expected);
});

test("a matrix of normal numbers is near what it was, nearer with more bits", () => {
  const errors = ([4, 8, 16] as const).map((bits) => {
    const model = dense(32, { bias: false });
    model.initialize(keyOf(3), normals(1, 100));
    const before = parameter(model, "weight").value?.toNumbers() ?? [];
    model.freeze();
    const { bytes } = quantizeFrozen(model, { bits });
    // Of 100 columns there are four blocks of 32, with a scale of 4 bytes each.
    expect(bytes).toEqual({ before: 4 * 3200, after: bits === 16 ? 2 * 3200 : 32 * 4 * (4 * bits + 4) });
    const after = parameter(model, "weight").value?.toNumbers() ?? [];
    const norm = (numbers: readonly number[]) => Math.hypot(...numbers);
    return norm(after.map((own, i) => own - (before[i] ?? 0))) / norm(before);
  });
  // Steps of a seventh, a 127th of the largest of 32, some 2.1 deviations; half a unit of the tenth bit.
  expect(errors[0]).toBeLessThan(0.11);
  expect(errors[1]).toBeLessThan(0.006);
  expect(errors[2]).toBeLessThan(0.0003);
});

test("rows that are shorter than a block take no more than their own elements", () => {
  // Kernels of nine elements, ten with the one that fills the last byte, and a scale of 4 bytes.
  const model = conv2d(5, 3, { bias: false });
  model.initialize(keyOf(0), x);
  model.freeze();
  expect(quantizeFrozen(model, { bits: 4 }).bytes).toEqual({ before: 4 * 45, after: 5 * (5 + 4) });
});

describe.each([4, 8, 16] as const)("%i bits", (bits) => {
  test("prediction and training compute with the same numbers as with float32 that was rounded", async () => {
    const [packed, rounded] = [network(), network()];
    for (const model of [packed, rounded]) model.freeze(/^layers\.(0|2)\./);
    const { parameters } = quantizeFrozen(packed, { bits });
    expect(parameters).toBe(2);
    for (const path of ["layers.0.weight", "layers.2.weight"])
      parameter(rounded, path).value = parameter(packed, path).value;
    expect((await predict(packed, x)).data).toEqual((await predict(rounded, x)).data);
    const [own, other] = [trainerOf(packed), trainerOf(rounded)];
    for (let i = 0; i < 3; i++) expect((await own.step({ x, y })).loss).toBe((await other.step({ x, y })).loss);
    expect(parameter(packed, "layers.2.weight").packed?.bits).toBe(bits);
    expect((await predict(packed, x)).data).toEqual((await predict(rounded, x)).data);
  });

  test("a run that is resumed goes on with the same bits, packed", async () => {
    const begin = () => {
      const model = network();
      model.freeze(/^layers\.(0|2)\./);
      return model;
    };
    const whole = begin();
    quantizeFrozen(whole, { bits });
    const trainer = trainerOf(whole);
    await trainer.step({ x, y });
    const bytes = encodeCheckpoint({
      epoch: 0,
      batchInEpoch: 1,
      history: [],
      sums: {},
      callbacks: {},
      optimizers: [],
      trainer: trainer.state(),
    });
    const { loss } = await trainer.step({ x, y });
    const again = begin();
    const resumed = trainerOf(again);
    resumed.restore(decodeCheckpoint(bytes).trainer);
    expect((await resumed.step({ x, y })).loss).toBe(loss);
    expect(parameter(again, "layers.0.weight").packed?.bits).toBe(bits);
    expect((await predict(again, x)).data).toEqual((await predict(whole, x)).data);
  });
});

test("what is packed, given a value or unfrozen counts at once", async () => {
  const model = network();
  const ask = predictor(model);
  const before = (await ask(x)).toNumbers();
  model.freeze("layers.2");
  quantizeFrozen(model, { bits: 4 });
  const packed = (await ask(x)).toNumbers();
  expect(packed).not.toEqual(before);
  const weight = parameter(model, "layers.2.weight");
  weight.value = weight.value && copyOf(weight.value);
  expect(weight.packed).toBeUndefined();
  expect((await ask(x)).toNumbers()).toEqual(packed);
  quantizeFrozen(model, { bits: 4 });
  const trainer = trainerOf(model);
  await trainer.step({ x, y });
  const kept = weight.value?.toNumbers();
  model.unfreeze();
  await trainer.step({ x, y });
  expect(weight.packed).toBeUndefined();
  expect(weight.value?.toNumbers()).not.toEqual(kept);
});

test("rows of a packed table are looked up", async () => {
  const table = embedding(7, 40);
  const at = tensor([[3, 0, 6]], { dtype: "int32" });
  table.initialize(keyOf(4), at);
  table.freeze();
  quantizeFrozen(table, { bits: 8 });
  const rows = parameter(table, "weight").value?.toNumbers() ?? [];
  const expected = [3, 0, 6].flatMap((row) => rows.slice(40 * row, 40 * row + 40));
  expect((await predict(table, at)).toNumbers()).toEqual(expected);
});

test("mistakes are refused", () => {
  const model = network();
  expect(() => quantizeFrozen(model, { bits: 4 })).toThrow("freeze some first");
  model.freeze();
  expect(() => quantizeFrozen(model, { bits: 4, parameters: /none/ })).toThrow("matches /none/");
  expect(() => quantizeFrozen(model, { bits: 3 as 4 })).toThrow("bits is 3; pass 4, 8 or 16");
  expect(() => quantizeFrozen(model, { bits: 4, block: 5 })).toThrow("block is 5");
});

test("products with rows of 4 bits are ONNX Runtime's own, and give the same numbers", async () => {
  const model = sequential([dense(7), dense(3)]);
  model.initialize(keyOf(4), { dtype: "float32", shape: [5, 48] });
  model.freeze();
  const rows = normals(5, 48);
  quantizeFrozen(model, { bits: 4 });
  const bound = new ParameterInputs();
  const { inputs, output } = model.trace(rows, { bind: bound.bind });
  const types = optimize(graphOf([...inputs, ...bound.values], [output])).nodes.map(({ op }) => op.type);
  // Rows of 7 are shorter than the blocks that it takes.
  expect([types.includes("MatMulNBits"), types.includes("BitwiseAnd")]).toEqual([true, true]);
  const packed = (await predict(model, rows)).toNumbers();
  for (const own of model.parameters().values()) own.value = own.value && copyOf(own.value);
  const plain = (await predict(model, rows)).toNumbers();
  for (const [i, own] of packed.entries()) expect(own).toBeCloseTo(plain[i] ?? 0, 5);
});
