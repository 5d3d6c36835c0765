/** Networks of several inputs, joined before or after they answer, by hand, trained and as one file. */
import { expect, test } from "vitest";
import { OptionError, ShapeError } from "../../core/errors.ts";
import { keyOf, Random } from "../../core/random.ts";
import { Tensor, tensor } from "../../core/tensor.ts";
import { fromTensors } from "../../data/index.ts";
import { encodeOnnx } from "../../formats/files/export-onnx.ts";
import { modelFromOnnx } from "../../formats/onnx-model.ts";
import { activation, crossEntropy, dense, type Module, sequential } from "../../nn/index.ts";
import { adam, fit, predict } from "../../train/index.ts";
import { earlyFusion, lateFusion } from "./fusion.ts";

/** A network that gives what it takes. */
const same = () => sequential([activation("linear")]);
const inputs = { a: tensor([[1, 2]]), b: tensor([[3, -1]]) };
const softmax = (x: readonly number[]) => {
  const sum = x.reduce((total, own) => total + Math.exp(own), 0);
  return x.map((own) => Math.exp(own) / sum);
};
const valuesOf = async (model: Module<never, never>, given: object = inputs): Promise<number[]> => [
  ...((await predict(model, given as never)) as unknown as Tensor<"float32">).data,
];

test("late fusion averages scores, probabilities or their logarithms by weights", async () => {
  const [p, q] = [softmax([1, 2]), softmax([3, -1])];
  const late = (options = {}) => valuesOf(lateFusion({ a: same(), b: same() }, options) as never);
  expect(await late()).toEqual([2, 0.5]);
  expect(await late({ weights: [3, 1] })).toEqual([1.5, 1.25]);
  const mixed = await late({ of: "probabilities" });
  for (const [i, own] of mixed.entries()) expect(own).toBeCloseTo(((p[i] as number) + (q[i] as number)) / 2, 6);
  const product = await late({ of: "logProbabilities" });
  for (const [i, own] of product.entries())
    expect(own).toBeCloseTo((Math.log(p[i] as number) + Math.log(q[i] as number)) / 2, 6);
});

test("early fusion lays features side by side before its head", async () => {
  const model = earlyFusion({ a: same(), b: same() }, same());
  expect(await valuesOf(model as never)).toEqual([1, 2, 3, -1]);
  // Features of any rank.
  const images = tensor([
    [
      [5, 6],
      [7, 8],
    ],
  ]);
  expect(await valuesOf(model as never, { a: images, b: inputs.b })).toEqual([5, 6, 7, 8, 3, -1]);
});

test("both learn from two inputs, and are one file", async () => {
  const random = new Random(keyOf(1));
  const [a, b] = [random.normals(400), random.normals(400)];
  // The class is whether the first numbers of both have the same sign: no input alone says it.
  const y = Int32Array.from({ length: 200 }, (_, i) => Number((a[2 * i] as number) > 0 === (b[2 * i] as number) > 0));
  const tensors = {
    a: new Tensor("float32", [200, 2], a),
    b: new Tensor("float32", [200, 2], b),
    y: new Tensor("int32", [200], y),
  };
  const data = fromTensors(tensors).batch(20);
  const early = earlyFusion({ a: dense(8), b: dense(8) }, sequential([dense(16, { activation: "relu" }), dense(2)]));
  const { history } = await fit(early, data, {
    loss: crossEntropy(),
    optimizer: adam({ learningRate: 0.02 }),
    epochs: 30,
  });
  expect(history.at(-1)?.["loss"]).toBeLessThan(0.25);
  const late = lateFusion({ a: dense(2), b: dense(2) }, { learned: true });
  await fit(late, data, { loss: crossEntropy(), optimizer: adam({ learningRate: 0.02 }), epochs: 2 });
  expect([...late.parameters().keys()]).toEqual([
    "weights",
    "members.a.weight",
    "members.a.bias",
    "members.b.weight",
    "members.b.bias",
  ]);
  const types = { a: { dtype: "float32", shape: [1, 2] }, b: { dtype: "float32", shape: [1, 2] } } as const;
  for (const model of [early, late]) {
    const { bytes, obstacle } = encodeOnnx(model, { inputs: types });
    expect(obstacle).toBeUndefined();
    const [own, file] = [
      await valuesOf(model as never, { a: tensors.a, b: tensors.b }),
      await valuesOf(modelFromOnnx(bytes) as never, { a: tensors.a, b: tensors.b }),
    ];
    for (const [i, value] of own.entries()) expect(file[i]).toBeCloseTo(value, 5);
  }
});

test("what does not fit is refused", async () => {
  expect(() => lateFusion({})).toThrow(OptionError);
  expect(() => earlyFusion({}, same())).toThrow(/joins networks by the names of their inputs/);
  expect(() => lateFusion({ a: same(), b: same() }, { weights: [1] })).toThrow(/pass 2 numbers that are not all 0/);
  expect(() => lateFusion({ a: same() }, { weights: [1], learned: true })).toThrow(/pass one of the two/);
  const odd = lateFusion({ a: dense(2), b: dense(3) });
  const types = { a: { dtype: "float32", shape: [1, 2] }, b: { dtype: "float32", shape: [1, 2] } } as const;
  expect(() => odd.trace(types)).toThrow(ShapeError);
});
