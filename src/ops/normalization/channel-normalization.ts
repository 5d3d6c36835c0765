/** Normalizations of images by moments of a sample's channels, of neighbouring channels, and by norms. */
import { ShapeError, UnsupportedError } from "../../core/errors.ts";
import { normalizeAxis, sameShape, showShape, size } from "../../core/shape.ts";
import type { TensorType, Value } from "../../graph/ir.ts";
import { apply, defineOp, type OpDef, requireFloat, requireSameDType } from "../../graph/op.ts";
import { add, div, mul, pow, square, sub, where } from "../elementwise.ts";
import { abs, reciprocal, sign, sqrt } from "../functions.ts";
import { equal } from "../logic.ts";
import { expand, reshape } from "../movement.ts";
import { defineComposition, storedNode } from "../reading.ts";
import { reduceMean, reduceSum } from "../reduce.ts";
import { samplesBeside, samplesFirst } from "../samples.ts";
import { pad, slice } from "../slicing.ts";
import { perChannel } from "./normalization.ts";

/** x [N, C, …] as [N, groups, elements]. */
const grouped = (x: Value, groups: number): Value => reshape(x, [x.shape[0] ?? 1, groups, -1]);
const groupMean = (rows: Value): Value => reduceMean(rows, -1, { keepDims: true });

/** (x - mean) r, [N, groups, elements], with r = 1 / sqrt(variance + epsilon) of each group. */
function normalizedGroups(x: Value, groups: number, epsilon: number) {
  const rows = grouped(x, groups);
  const centred = sub(rows, groupMean(rows));
  const r = reciprocal(sqrt(add(groupMean(square(centred)), epsilon)));
  return { n: mul(centred, r), r };
}

interface GroupView {
  readonly inputs: readonly [Value, Value, Value];
  readonly groups: number;
  readonly epsilon: number;
}

function inferGroups(op: string, groups: number, [x, scale, bias]: readonly [Value, Value, Value]): TensorType {
  requireSameDType(op, requireFloat(op, x), scale, bias);
  const [, channels = 0] = x.shape;
  if (x.rank < 3 || channels % groups !== 0)
    throw new ShapeError(
      `${op}: ${showShape(x.shape)} has no channels that ${groups} groups divide; pass [batch, channels, …]`,
    );
  for (const [what, vector] of [["scale", scale] as const, ["bias", bias] as const])
    if (!sameShape(vector.shape, [channels]))
      throw new ShapeError(
        `${op}: ${what} is ${showShape(vector.shape)}, input ${showShape(x.shape)} has ${channels} channels; pass [${channels}]`,
      );
  return x;
}

function computeGroups({ inputs: [x, scale, bias], groups, epsilon }: GroupView): Value {
  const n = reshape(normalizedGroups(x, groups, epsilon).n, x.shape);
  return add(mul(n, perChannel(scale, x.rank)), perChannel(bias, x.rank));
}

/** With s = g · scale: dx = r (s - mean(s) - n mean(s n)), as in layer normalization. */
function groupGradients(g: Value, { inputs: [x, scale], groups, epsilon }: GroupView): readonly Value[] {
  const { n, r } = normalizedGroups(x, groups, epsilon);
  const s = grouped(mul(g, perChannel(scale, x.rank)), groups);
  const dx = mul(r, sub(sub(s, groupMean(s)), mul(n, groupMean(mul(s, n)))));
  const perVector = (value: Value) => reduceSum(value, [0, ...x.shape.slice(2).map((_, i) => i + 2)]);
  return [reshape(dx, x.shape), perVector(mul(g, reshape(n, x.shape))), perVector(g)];
}

/** Each channel of each sample by its own moments (Ulyanov et al. 2016): x [N, C, …], scale and bias [C]. */
export const InstanceNormalization: OpDef = defineOp("InstanceNormalization", {
  arity: "3",
  attributes: { epsilon: "float" },
  infer: (inputs) => inferGroups("InstanceNormalization", inputs[0].shape[1] ?? 1, inputs),
  grad: ({ g, inputs, attributes: { epsilon = 1e-5 } }) =>
    groupGradients(g, { inputs, groups: inputs[0].shape[1] ?? 1, epsilon }),
  flops: ({ inputs: [x] }) => 8 * size(x.shape),
  samples: samplesFirst,
  // ONNX Runtime has it in float32 only.
  lower: ({ inputs, attributes: { epsilon = 1e-5 } }) =>
    inputs[0].dtype === "float32" ? undefined : [computeGroups({ inputs, groups: inputs[0].shape[1] ?? 1, epsilon })],
});

/** Each group of channels of each sample by its own moments (Wu and He 2018): x [N, C, …], scale and bias [C]. */
export const GroupNormalization: OpDef = defineOp("GroupNormalization", {
  arity: "3",
  attributes: { epsilon: "float", num_groups: "int", stash_type: "int" },
  infer: (inputs, { num_groups = 1 }) => inferGroups("GroupNormalization", num_groups, inputs),
  grad: ({ g, inputs, attributes: { num_groups: groups = 1, epsilon = 1e-5 } }) =>
    groupGradients(g, { inputs, groups, epsilon }),
  flops: ({ inputs: [x] }) => 8 * size(x.shape),
  samples: samplesFirst,
  // ONNX Runtime runs ONNX's own expression of it, of more operators.
  lower: ({ inputs, attributes: { num_groups: groups = 1, epsilon = 1e-5 } }) => [
    computeGroups({ inputs, groups, epsilon }),
  ],
  // In operator sets 18 to 20 scale and bias are of the groups.
  read: ({ version, inputs: [x, scale, bias], attributes }, op) => {
    if (version >= 21 || !x) return undefined;
    const [, channels = 1] = x.shape;
    const spread = (vector: Value | undefined) => {
      const groups = vector?.shape[0] ?? 1;
      return vector && reshape(expand(reshape(vector, [groups, 1]), [groups, channels / groups]), [channels]);
    };
    return storedNode(op, [x, spread(scale), spread(bias)], attributes).outputs;
  },
});

/** Sum over the `count` channels around each of [N, C, …], an odd number. */
function channelSums(x: Value, count: number): Value {
  const [, channels = 1] = x.shape;
  const beside = (count - 1) / 2;
  const padded = pad(
    x,
    x.shape.map((_, axis) => (axis === 1 ? [beside, beside] : [0, 0])),
  );
  const parts = Array.from({ length: count }, (_, i) => slice(padded, { axis: 1, start: i, end: i + channels }));
  return parts.reduce((sum, part) => add(sum, part));
}

interface LrnSettings {
  readonly size?: number;
  readonly alpha?: number;
  readonly beta?: number;
  readonly bias?: number;
}

/** bias + alpha / size · Σ x² over the channels around each. */
const lrnSquares = (x: Value, { size: count = 1, alpha = 1e-4, bias = 1 }: LrnSettings): Value =>
  add(mul(channelSums(square(x), count), alpha / count), bias);

/** x / s^beta with s = bias + alpha / size · Σ x² over `size` neighbouring channels (Krizhevsky et al. 2012, sec. 3.3). */
export const LRN: OpDef = defineOp("LRN", {
  arity: "1",
  attributes: { size: "int", alpha: "float", beta: "float", bias: "float" },
  infer: ([x], { size: count = 1 }) => {
    if (count % 2 === 0)
      throw new UnsupportedError(`LRN: size is ${count}; only an odd number of channels around each is supported`);
    return requireFloat("LRN", x);
  },
  // dx = g s^-beta - 2 alpha beta / size · x Σ g x s^(-beta - 1), over the channels in whose sums x is.
  grad: ({ g, inputs: [x], attributes }) => {
    const { size: count = 1, alpha = 1e-4, beta = 0.75 } = attributes;
    const s = lrnSquares(x, attributes);
    const direct = mul(g, pow(s, -beta));
    const around = channelSums(mul(div(direct, s), x), count);
    return [sub(direct, mul(mul(x, (2 * alpha * beta) / count), around))];
  },
  flops: ({ inputs: [x], attributes: { size: count = 1 } }) => (2 * count + 12) * size(x.shape),
  samples: samplesFirst,
  lower: ({ inputs: [x], attributes }) =>
    x.dtype === "float32" ? undefined : [mul(x, pow(lrnSquares(x, attributes), -(attributes.beta ?? 0.75)))],
});

/** x / ‖x‖ along an axis, of the 1-norm or the 2-norm; 0 where the norm is. */
export const LpNormalization: OpDef = defineOp("LpNormalization", {
  arity: "1",
  attributes: { axis: "int", p: "int" },
  infer: ([x], { axis = -1 }) => {
    normalizeAxis(axis, x.rank);
    return requireFloat("LpNormalization", x);
  },
  // d‖x‖ is y for the 2-norm, sign(x) for the 1-norm: dx = (g - d‖x‖ Σ g y) / ‖x‖
  grad: ({ g, inputs: [x], attributes: { axis = -1, p = 2 } }) => {
    const sum = (value: Value) => reduceSum(value, axis, { keepDims: true });
    const norm = p === 1 ? sum(abs(x)) : sqrt(sum(square(x)));
    const safe = where(equal(norm, 0), 1, norm);
    const y = div(x, safe);
    return [div(sub(g, mul(p === 1 ? sign(x) : y, sum(mul(g, y)))), safe)];
  },
  flops: ({ inputs: [x] }) => 3 * size(x.shape),
  samples: ({ inputs: [x], axes, attributes: { axis = -1 } }) => samplesBeside(axes, [normalizeAxis(axis, x.rank)]),
});

/** (x - mean) / deviation over axes, by default all but the channel's. */
export const MeanVarianceNormalization: OpDef = defineComposition("MeanVarianceNormalization", {
  arity: "1",
  attributes: { axes: "ints" },
  kind: "normalization",
  build: ({ inputs: [x], attributes: { axes = [0, 2, 3] } }) => {
    const mean = (value: Value) => reduceMean(value, axes, { keepDims: true });
    const centred = sub(x, mean(x));
    return [div(centred, add(sqrt(mean(square(centred))), 1e-9))];
  },
});

/** Options of group normalization. */
export interface GroupNormOptions {
  /** Groups of neighbouring channels, each normalized by its own moments; they divide the channels. */
  readonly groups: number;
  /** Added to the variance; default 1e-5. */
  readonly epsilon?: number;
}

/** Group normalization of x [N, C, …] with scale and bias [C]. */
export const groupNorm = (x: Value, scale: Value, bias: Value, { groups, epsilon = 1e-5 }: GroupNormOptions): Value =>
  apply(GroupNormalization, [x, scale, bias], { num_groups: groups, epsilon });
/** Instance normalization of x [N, C, …] with scale and bias [C]. */
export const instanceNorm = (x: Value, scale: Value, bias: Value, epsilon = 1e-5): Value =>
  apply(InstanceNormalization, [x, scale, bias], { epsilon });
