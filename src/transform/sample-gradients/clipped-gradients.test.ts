/** Clipped gradients by every way, beside those of one sample at a time, for layers and published architectures. */
import { describe, expect, test } from "vitest";
import { gradients as gradientsOf } from "../../autodiff/gradients.ts";
import { keyOf, Random } from "../../core/random.ts";
import { size } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";
import type { TensorType, Value } from "../../graph/ir.ts";
import { compile } from "../../jit/compile.ts";
import { bertArchitectures, gpt2Architectures, presetOf } from "../../models/index.ts";
import {
  type AnyModule,
  activation,
  batchNorm,
  type Context,
  conv2d,
  convTranspose2d,
  dense,
  embedding,
  flatten,
  groupNorm,
  gru,
  layerNorm,
  lstm,
  Module,
  maxPool2d,
  multiHeadAttention,
  rmsNorm,
  rnn,
  sequential,
  tiedDense,
} from "../../nn/index.ts";
import { ParameterInputs } from "../../nn/parameter-inputs.ts";
import { add, constant, mul, ones, reduceMean, reshape, square } from "../../ops/index.ts";
import { type ClippingWay, clippedGradients } from "./clipped-gradients.ts";
import { MixedSamplesError } from "./sample-axes.ts";

const image: TensorType = { dtype: "float32", shape: [1, 2, 8, 8] };
const vectors: TensorType = { dtype: "float32", shape: [1, 6] };
const sequence: TensorType = { dtype: "float32", shape: [1, 5, 4] };
const tokens: TensorType = { dtype: "int64", shape: [1, 6] };
const sizes = { vocabulary: 20, width: 8, layers: 2, heads: 2, feedForward: 16, positions: 8 };

const count = 3;

function filled({ dtype, shape }: TensorType, rows: number, seed: number): Tensor {
  const random = new Random(keyOf(seed));
  const own = [rows, ...shape.slice(1)];
  if (dtype === "float32") return new Tensor("float32", own, random.normals(size(own)));
  return new Tensor(
    "int64",
    own,
    BigInt64Array.from({ length: size(own) }, () => BigInt(random.integer(sizes.vocabulary))),
  );
}

const rowOf = (x: Tensor, row: number): Tensor => {
  const length = x.data.length / (x.shape[0] ?? 1);
  return new Tensor(x.dtype, [1, ...x.shape.slice(1)], x.data.slice(row * length, (row + 1) * length) as never);
};

/** Losses [N] of outputs: the mean square of each sample's, by factors that differ. */
function lossesOf(y: Value, rows: number, first: number): Value {
  const flat = reshape(y, [rows, size(y.shape) / rows]);
  const factors = constant(
    new Tensor(
      "float32",
      [rows, 1],
      Float32Array.from({ length: rows }, (_, i) => 1 + first + i),
    ),
  );
  return reduceMean(square(add(mul(flat, factors), 0.3)), 1);
}

const ofBatch = ({ shape, ...type }: TensorType, rows: number): TensorType => ({
  ...type,
  shape: [rows, ...shape.slice(1)],
});

/** A model's parameters as graph inputs, with its losses on a batch. */
function traced(model: AnyModule, type: TensorType, rows: number, { first = 0, training = false } = {}) {
  const inputs = new ParameterInputs();
  const {
    inputs: [x],
    output,
  } = model.trace(ofBatch(type, rows), { training, bind: inputs.bind });
  return { x: x as Value, inputs, losses: lossesOf(output as Value, rows, first) };
}

const trainable = (model: AnyModule) => [...model.parameters()].filter(([, { trainable }]) => trainable);

/** Gradients of a sample alone, by path. */
async function aloneGradients(model: AnyModule, type: TensorType, x: Tensor, at: number) {
  const { x: fed, inputs, losses } = traced(model, type, 1, { first: at });
  const wrt = trainable(model).map(([, parameter]) => inputs.valueOf(parameter) as Value);
  const found = gradientsOf([losses], [ones([1], "float32")], wrt);
  const executable = await compile([fed, ...inputs.values], found);
  const results = await executable.run([rowOf(x, at), ...inputs.tensors()]);
  await executable.session.release();
  return results.map(({ data }) => Float64Array.from(data as Float32Array));
}

const lengthOf = (parts: readonly Float64Array[]) =>
  Math.sqrt(parts.reduce((sum, part) => sum + part.reduce((own, g) => own + g * g, 0), 0));

/** Sums of clipped gradients by a way, one group of all parameters or one for each. */
async function clippedBy(
  model: AnyModule,
  type: TensorType,
  x: Tensor,
  { way, groups, limits }: { way: ClippingWay; groups: readonly (readonly number[])[]; limits: readonly number[] },
) {
  const rows = x.shape[0] ?? 1;
  const { x: fed, inputs, losses } = traced(model, type, rows);
  const wrt = trainable(model).map(([, parameter]) => inputs.valueOf(parameter) as Value);
  const limit = constant(new Tensor("float32", [limits.length], Float32Array.from(limits)));
  const { gradients, within } = clippedGradients([losses], { wrt, groups, limits: limit, data: [fed], way });
  const executable = await compile([fed, ...inputs.values], [within, ...gradients.map((own) => own as Value)]);
  const [inside, ...sums] = (await executable.run([x, ...inputs.tensors()])) as [Tensor, ...Tensor[]];
  await executable.session.release();
  return { within: [...(inside.data as Float32Array)], sums: sums.map(({ data }) => data as Float32Array) };
}

/** A table whose rows are scores too, as of a language model. */
class Tied extends Module {
  readonly table = embedding(20, 8);
  readonly head = tiedDense(this.table);
  readonly body = dense(8, { activation: "tanh" });
  protected call(x: Value, context: Context): Value {
    return this.head.apply(this.body.apply(this.table.apply(x, context), context), context);
  }
}

const cases: readonly (readonly [string, () => AnyModule, TensorType])[] = [
  ["dense layers", () => sequential([dense(5, { activation: "tanh" }), dense(3)]), vectors],
  ["dense layers over sequences", () => sequential([dense(6, { activation: "relu" }), dense(3)]), sequence],
  [
    "convolutions",
    () =>
      sequential([
        conv2d(4, 3, { padding: 1 }),
        activation("relu"),
        maxPool2d(2),
        conv2d(3, 3, { stride: 2 }),
        flatten(),
        dense(3),
      ]),
    image,
  ],
  [
    "grouped and dilated ones",
    () => sequential([conv2d(4, 3, { groups: 2, dilation: 2 }), flatten(), dense(3)]),
    image,
  ],
  ["a transposed convolution", () => sequential([convTranspose2d(3, 3, { stride: 2 }), flatten(), dense(2)]), image],
  [
    "group normalization",
    () => sequential([conv2d(4, 3), groupNorm(2), activation("relu"), flatten(), dense(3)]),
    image,
  ],
  ["layer normalization", () => sequential([dense(6), layerNorm(), dense(2)]), sequence],
  ["RMS normalization", () => sequential([dense(6), rmsNorm(), dense(2)]), sequence],
  ["an embedding", () => sequential([embedding(20, 6), flatten(), dense(3)]), tokens],
  ["a tied table", () => new Tied(), tokens],
  ["an LSTM", () => lstm(5), sequence],
  ["a bidirectional LSTM", () => lstm(3, { bidirectional: true }), sequence],
  ["a GRU", () => gru(5), sequence],
  ["a simple recurrent layer", () => rnn(5), sequence],
  ["attention", () => multiHeadAttention(8, 2), { dtype: "float32", shape: [1, 5, 8] }],
  ["GPT-2", () => gpt2Architectures.GPT2LMHeadModel({ sizes, details: {}, embeddingDropout: 0 }), tokens],
  ["BERT", () => bertArchitectures.BertForSequenceClassification({ sizes }), tokens],
  ["LeNet-5", () => presetOf("lenet5").build({}), { dtype: "float32", shape: [1, 1, 32, 32] }],
];

describe.each(cases)("%s", (_, build, type) => {
  const model = build();
  model.initialize(keyOf(1), ofBatch(type, 1));
  const x = filled(type, count, 2);

  test("gradients are clipped alike by all ways, and as each sample's alone", async () => {
    const each = await Promise.all(Array.from({ length: count }, (_, i) => aloneGradients(model, type, x, i)));
    const lengths = each.map((own) => lengthOf(own));
    // Between the lengths: some samples are clipped, others not.
    const limit = [...lengths].sort((a, b) => a - b)[1] as number;
    const all = each[0]?.map((_, i) => i) ?? [];
    const limitsByLayer = all.map((i) => lengthOf([each[1]?.[i] as Float64Array]) * 0.9 + 1e-4);
    for (const [groups, limits] of [
      [[all], [limit * 1.001]],
      [all.map((i) => [i]), limitsByLayer],
    ] as const) {
      const expected = all.map((i) => {
        const at = groups.findIndex((group) => group.includes(i));
        return each.reduce(
          (sum, own) => {
            const length = lengthOf((groups[at] ?? []).map((j) => own[j] as Float64Array));
            const weight = Math.min(1, (limits[at] ?? 0) / length);
            return sum.map((value, k) => value + weight * (own[i]?.[k] ?? 0));
          },
          new Float64Array(each[0]?.[i]?.length ?? 0),
        );
      });
      const size = expected.flatMap((own) => [...own]).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      for (const way of ["each", "lengths"] as const) {
        const { sums, within } = await clippedBy(model, type, x, { way, groups, limits });
        for (const [i, own] of sums.entries()) {
          const error = own.reduce((most, value, k) => Math.max(most, Math.abs(value - (expected[i]?.[k] ?? 0))), 0);
          // float32: sums of some hundred products.
          expect(error, `${way}, ${trainable(model)[i]?.[0]}`).toBeLessThan(1e-6 * Math.max(1, size));
        }
        const inside = groups.map(
          (group, at) =>
            each.filter((own) => lengthOf(group.map((j) => own[j] as Float64Array)) <= (limits[at] ?? 0)).length,
        );
        expect(within).toEqual(inside);
      }
    }
    const [first] = each;
    const { sums } = await clippedBy(model, type, rowOf(x, 0), { way: "alone", groups: [all], limits: [limit] });
    const weight = Math.min(1, limit / lengthOf(first ?? []));
    const error = (own: Float32Array, i: number) =>
      own.reduce((most, value, k) => Math.max(most, Math.abs(value - weight * (first?.[i]?.[k] ?? 0))), 0);
    const largest = Math.max(...(first ?? []).flatMap((own) => [...own].map((value) => Math.abs(weight * value))));
    expect(Math.max(...sums.map(error))).toBeLessThan(1e-6 * Math.max(1, largest));
  });
});

test("what mixes samples is named with its layer", () => {
  const model = sequential([conv2d(4, 3), batchNorm(), flatten(), dense(3)]);
  model.initialize(keyOf(1), image);
  const { x, inputs, losses } = traced(model, image, 3, { training: true });
  const wrt = trainable(model).map(([, parameter]) => inputs.valueOf(parameter) as Value);
  const limits = constant(new Tensor("float32", [1], Float32Array.of(1)));
  const clip = () =>
    clippedGradients([losses], { wrt, groups: [wrt.map((_, i) => i)], limits, data: [x], way: "lengths" });
  expect(clip).toThrow(MixedSamplesError);
  expect(clip).toThrow(/layers\.1: ReduceMean computes across the samples/);
});
