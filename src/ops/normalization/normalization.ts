/** Softmax and the normalizations. */
import { ShapeError, UnsupportedError } from "../../core/errors.ts";
import { normalizeAxes, normalizeAxis, reduceShape, sameShape, showShape, size } from "../../core/shape.ts";
import type { Value } from "../../graph/ir.ts";
import {
  type Attributes,
  apply,
  defineOp,
  makeNode,
  type OpDef,
  requireFloat,
  requireSameDType,
  type StoredNode,
} from "../../graph/op.ts";
import { rowOrder } from "../../graph/rows.ts";
import { cast } from "../cast.ts";
import { scalar } from "../constant.ts";
import { add, div, maximum, mul, square, sub } from "../elementwise.ts";
import { exp, log, reciprocal, sqrt } from "../functions.ts";
import { concat, expand, reshape } from "../movement.ts";
import { storedNode, without } from "../reading.ts";
import { reduceMax, reduceMean, reduceSum, sumTo } from "../reduce.ts";
import { samplesAcross, samplesBeside, samplesFirst } from "../samples.ts";
import { slice } from "../slicing.ts";

export const Softmax: OpDef = defineOp("Softmax", {
  arity: "1",
  kind: "activation",
  attributes: { axis: "int" },
  infer: ([x], { axis = -1 }) => {
    normalizeAxis(axis, x.rank);
    return requireFloat("Softmax", x);
  },
  read: softmaxBefore13,
  // dx = y (g - Σ g y)
  grad: ({ g, outputs: [y], attributes: { axis = -1 } }) => {
    const weighted = mul(g, y);
    return [sub(weighted, mul(y, reduceSum(weighted, axis, { keepDims: true })))];
  },
  flops: ({ outputs: [y] }) => 5 * size(y.shape),
  samples: ({ inputs: [x], axes, attributes: { axis = -1 } }) => samplesBeside(axes, [normalizeAxis(axis, x.rank)]),
});

export const LogSoftmax: OpDef = defineOp("LogSoftmax", {
  arity: "1",
  kind: "activation",
  attributes: { axis: "int" },
  infer: ([x], { axis = -1 }) => {
    normalizeAxis(axis, x.rank);
    return requireFloat("LogSoftmax", x);
  },
  read: softmaxBefore13,
  onWebGpu: ({ inputs: [x], attributes: { axis = -1 } }) => {
    const shifted = sub(x, reduceMax(x, axis, { keepDims: true }));
    return [sub(shifted, log(reduceSum(exp(shifted), axis, { keepDims: true })))];
  },
  // dx = g - softmax(x) Σ g
  grad: ({ g, outputs: [y], attributes: { axis = -1 } }) => [
    sub(g, mul(exp(y), reduceSum(g, axis, { keepDims: true }))),
  ],
  flops: ({ outputs: [y] }) => 5 * size(y.shape),
  samples: ({ inputs: [x], axes, attributes: { axis = -1 } }) => samplesBeside(axes, [normalizeAxis(axis, x.rank)]),
});

/** 1 at the first of the largest elements along an axis, 0 elsewhere. */
export const Hardmax: OpDef = defineOp("Hardmax", {
  arity: "1",
  kind: "activation",
  attributes: { axis: "int" },
  infer: ([x], { axis = -1 }) => {
    normalizeAxis(axis, x.rank);
    return requireFloat("Hardmax", x);
  },
  grad: "none",
  read: softmaxBefore13,
  flops: ({ outputs: [y] }) => size(y.shape),
  samples: ({ inputs: [x], axes, attributes: { axis = -1 } }) => samplesBeside(axes, [normalizeAxis(axis, x.rank)]),
});

/** Before operator set 13 these operators joined the axes before and from `axis`, by default 1, to a matrix of rows. */
function softmaxBefore13({ version, inputs, attributes }: StoredNode, op: OpDef): readonly Value[] | undefined {
  const [x] = inputs;
  if (version >= 13 || !x) return undefined;
  const along = normalizeAxis((attributes.axis as number | undefined) ?? 1, x.rank);
  const [outer, inner] = [size(x.shape.slice(0, along)), size(x.shape.slice(along))];
  if (inner === x.shape[along]) return storedNode(op, inputs, { ...attributes, axis: along }).outputs;
  const rows = storedNode(op, [reshape(x, [outer, inner])], { ...attributes, axis: 1 });
  return [reshape(rows.outputs[0], x.shape)];
}

/** The axes from one on. */
const axesFrom = ({ rank }: Value, axis: number): readonly number[] =>
  Array.from({ length: rank }, (_, i) => i).slice(normalizeAxis(axis, rank));

/** (x - mean) / sqrt(variance + epsilon) · scale + bias over the axes from `axis` on (Ba et al. 2016). */
export const LayerNormalization: OpDef = defineOp("LayerNormalization", {
  arity: "2-3",
  attributes: { axis: "int", epsilon: "float", stash_type: "int" },
  infer: ([x, scale, bias], { axis = -1 }) => {
    requireSameDType("layerNorm", requireFloat("layerNorm", x), scale, bias);
    const along = normalizeAxis(axis, x.rank);
    const normalized = x.shape.slice(along);
    const wrong = [scale, bias].find((value) => value && !sameShape(value.shape, normalized));
    if (wrong)
      throw new ShapeError(
        `layerNorm: ${wrong === scale ? "scale" : "bias"} is ${showShape(wrong.shape)}, the normalized axes are ${showShape(normalized)}; make them equal`,
      );
    const moments = { dtype: x.dtype, shape: x.shape.map((extent, i) => (i < along ? extent : 1)) };
    return [x, moments, moments];
  },
  // With n = (x - mean) r, r = 1/sqrt(variance + epsilon), s = g·scale: dx = r (s - mean(s) - n mean(s n));
  // gradients of mean and r, which come in second order, add g_mean / N and -g_r r² n / N.
  grad: ({ gs: [g, gMean, gR], inputs: [x, scale, bias], outputs: [, mean, r], attributes: { axis = -1 }, needs }) => {
    if (!mean || !r) throw new ShapeError("layerNorm: its mean and inverse deviation are needed for the gradient");
    const axes = x.shape.map((_, i) => i).slice(normalizeAxis(axis, x.rank));
    const count = size(x.shape) / size(mean.shape);
    const n = mul(sub(x, mean), r);
    const average = (value: Value) => reduceMean(value, axes, { keepDims: true });
    const through = (s: Value) => mul(r, sub(sub(s, average(s)), mul(n, average(mul(s, n)))));
    const parts = [
      g && through(mul(g, scale)),
      gMean && expand(div(gMean, count), x.shape),
      gR && mul(mul(div(gR, -count), mul(r, r)), n),
    ].filter((part) => part !== undefined);
    return [
      needs[0] ? parts.reduce((sum, part) => add(sum, part)) : undefined,
      g && needs[1] ? sumTo(mul(g, n), scale.shape) : undefined,
      g && bias && needs[2] ? sumTo(g, bias.shape) : undefined,
    ];
  },
  flops: ({ inputs: [x] }) => 8 * size(x.shape),
  samples: ({ inputs: [x], axes, attributes: { axis = -1 } }) => samplesBeside(axes, axesFrom(x, axis)),
  requiredOutputs: 1,
  // ONNX Runtime keeps the moments in float32, whatever x is.
  lower: ({ inputs: [x, scale, bias], attributes: { axis = -1, epsilon = 1e-5 } }) => {
    if (x.dtype === "float32") return undefined;
    const axes = x.shape.map((_, i) => i).slice(normalizeAxis(axis, x.rank));
    const mean = reduceMean(x, axes, { keepDims: true });
    const centred = sub(x, mean);
    const r = reciprocal(sqrt(add(reduceMean(square(centred), axes, { keepDims: true }), epsilon)));
    const scaled = mul(mul(centred, r), scale);
    return [bias ? add(scaled, bias) : scaled, mean, r];
  },
});

type ScaledView = { readonly inputs: readonly [Value, Value]; readonly attributes: { readonly axis?: number } };

/** Types of a normalization by the root of the mean square alone. */
function inferRms(x: Value, scale: Value, axis: number) {
  requireSameDType("rmsNorm", requireFloat("rmsNorm", x), scale);
  const along = normalizeAxis(axis, x.rank);
  const normalized = x.shape.slice(along);
  if (!sameShape(scale.shape, normalized))
    throw new ShapeError(
      `rmsNorm: scale is ${showShape(scale.shape)}, the normalized axes are ${showShape(normalized)}; make them equal`,
    );
  return [x, { dtype: x.dtype, shape: x.shape.map((extent, i) => (i < along ? extent : 1)) }];
}

/** With n = x r, r = 1/sqrt(mean(x²) + epsilon), s = g·scale: dx = r (s - n mean(s n)); a gradient of r adds -g_r r² n / N. */
function rmsGradient(g: Value | undefined, gR: Value | undefined, r: Value, view: ScaledView) {
  const { inputs, attributes } = view;
  const [x, scale] = inputs;
  const axes = x.shape.map((_, i) => i).slice(normalizeAxis(attributes.axis ?? -1, x.rank));
  const n = mul(x, r);
  const through = (s: Value) => mul(r, sub(s, mul(n, reduceMean(mul(s, n), axes, { keepDims: true }))));
  const parts = [
    g && through(mul(g, scale)),
    gR && mul(mul(div(gR, -size(x.shape) / size(r.shape)), mul(r, r)), n),
  ].filter((part) => part !== undefined);
  return [parts.reduce((sum, part) => add(sum, part)), g && sumTo(mul(g, n), scale.shape)];
}

/** ONNX Runtime's RMSNormalization, which also gives 1/sqrt(mean(x²) + epsilon). Its CPU kernel is in ONNX's domain. */
const rmsInParts = (
  [x, scale]: readonly [Value, Value],
  { axis = -1, epsilon = 1e-5 }: { readonly axis?: number; readonly epsilon?: number },
): readonly Value[] => {
  const axes = x.shape.map((_, i) => i).slice(normalizeAxis(axis, x.rank));
  const r = reciprocal(sqrt(add(reduceMean(square(x), axes, { keepDims: true }), epsilon)));
  return [mul(mul(x, r), scale), r];
};

export const SimplifiedLayerNormalization: OpDef = defineOp("SimplifiedLayerNormalization", {
  arity: "2",
  attributes: { axis: "int", epsilon: "float", stash_type: "int" },
  infer: ([x, scale], { axis = -1 }) => inferRms(x, scale, axis),
  grad: ({ gs: [g, gR], outputs: [, r], ...view }) => {
    if (!r) throw new ShapeError("rmsNorm: its inverse root mean square is needed for the gradient");
    return rmsGradient(g, gR, r, view);
  },
  flops: ({ inputs: [x] }) => 5 * size(x.shape),
  samples: ({ inputs: [x], axes, attributes: { axis = -1 } }) => samplesBeside(axes, axesFrom(x, axis)),
  requiredOutputs: 1,
  // ONNX Runtime keeps the root in float32, whatever x is.
  lower: ({ inputs, attributes }) => (inputs[0].dtype === "float32" ? undefined : rmsInParts(inputs, attributes)),
  // The provider's root is not that of the mean.
  onWebGpu: ({ inputs, attributes }) => rmsInParts(inputs, attributes),
});

/** x / sqrt(mean(x²) + epsilon) · scale over the axes from `axis` on (Zhang and Sennrich 2019). */
export const RMSNormalization: OpDef = defineOp("RMSNormalization", {
  arity: "2",
  since: 23,
  attributes: { axis: "int", epsilon: "float", stash_type: "int" },
  infer: ([x, scale], { axis = -1 }) => inferRms(x, scale, axis).slice(0, 1),
  // The root comes from the node that this one is lowered to: the two become one.
  grad: ({ g, ...view }) => {
    const [, r] = makeNode(SimplifiedLayerNormalization, view.inputs, view.attributes).outputs;
    return rmsGradient(g, undefined, r as Value, view);
  },
  flops: ({ inputs: [x] }) => 5 * size(x.shape),
  samples: ({ inputs: [x], axes, attributes: { axis = -1 } }) => samplesBeside(axes, axesFrom(x, axis)),
  lower: ({ inputs, attributes }) => [apply(SimplifiedLayerNormalization, inputs, attributes)],
});

/** Inference-time batch normalization of [N, C, …] with given mean and variance (Ioffe and Szegedy 2015). */
export const BatchNormalization: OpDef = defineOp("BatchNormalization", {
  arity: "5",
  attributes: { epsilon: "float", momentum: "float", training_mode: "int" },
  statistics: [3, 4],
  infer: ([x, ...vectors], { training_mode = 0 }) => {
    if (training_mode)
      throw new UnsupportedError("batchNorm: ONNX's training_mode is not differentiated; use batchNormTrain");
    requireSameDType("batchNorm", requireFloat("batchNorm", x), ...vectors);
    for (const [i, vector] of vectors.entries())
      if (!sameShape(vector.shape, [x.shape[1] ?? 0]))
        throw new ShapeError(
          `batchNorm: ${["scale", "bias", "mean", "variance"][i]} is ${showShape(vector.shape)}, input ${showShape(x.shape)} has ${x.shape[1]} channels; pass [${x.shape[1]}]`,
        );
    return x;
  },
  grad: ({ g, inputs: [x, scale, bias, mean, variance], attributes: { epsilon = 1e-5 } }) => {
    const channels = (value: Value) => perChannel(value, x.rank);
    const deviation = sqrt(add(channels(variance), epsilon));
    const n = div(sub(x, channels(mean)), deviation);
    const dn = mul(g, channels(scale));
    const sum = (value: Value) => reshape(sumTo(value, channels(scale).shape), scale.shape);
    const dx = div(dn, deviation);
    return [
      dx,
      sum(mul(g, n)),
      reshape(sumTo(g, channels(bias).shape), bias.shape),
      sum(mul(dx, -1)),
      sum(mul(-0.5, div(mul(dn, n), square(deviation)))),
    ];
  },
  flops: ({ inputs: [x] }) => 2 * size(x.shape),
  samples: samplesFirst,
  read: ({ version, inputs, attributes, outputs }, op) => {
    const { is_test = version < 7 ? 0 : 1, spatial = 1 } = attributes;
    if (attributes.training_mode === 1) return normalizedByBatch(inputs as BatchOperands, attributes);
    if (outputs > 1 || is_test === 0)
      throw new UnsupportedError(
        "batchNorm: the file has it as in training, with the batch's moments; export the model for inference",
      );
    if (spatial === 0)
      throw new UnsupportedError(
        "batchNorm: spatial is 0, with a mean for each element; only one for each channel is supported",
      );
    return storedNode(op, inputs, without(attributes, ["is_test", "spatial", "consumed_inputs"])).outputs;
  },
});

type BatchOperands = readonly [Value, Value, Value, Value, Value];

/** What a file has as in training: normalized by the moments of the batch, and the running moments that follow. */
function normalizedByBatch([x, scale, bias, mean, variance]: BatchOperands, attributes: Attributes): readonly Value[] {
  const { epsilon = 1e-5, momentum = 0.9 } = attributes as Readonly<Record<string, number>>;
  const batch = batchNormTrain(x, scale, bias, { epsilon });
  const blend = (running: Value, observed: Value) => add(mul(running, momentum), mul(observed, 1 - momentum));
  return [batch.y, blend(mean, batch.mean), blend(variance, batch.variance)];
}

/** A per-channel vector [C] shaped to broadcast over [N, C, …]. */
export const perChannel = (vector: Value, rank: number): Value =>
  reshape(vector, [vector.shape[0] ?? 1, ...new Array<number>(Math.max(0, rank - 2)).fill(1)]);

/** e^x / Σ e^x along an axis, without overflow: positive elements that sum to 1. */
export const softmax = (x: Value, axis = -1): Value => apply(Softmax, [x], { axis });
/** log(softmax(x)), without overflow. */
export const logSoftmax = (x: Value, axis = -1): Value => apply(LogSoftmax, [x], { axis });

/** Options of normalizations. */
export interface NormOptions {
  /** Added to the variance, or to the mean square; default 1e-5, of `rmsNorm` 1e-6. */
  readonly epsilon?: number;
}
/** Layer normalization over the trailing axes that `scale` has. */
export const layerNorm = (x: Value, scale: Value, bias: Value, { epsilon = 1e-5 }: NormOptions = {}): Value =>
  apply(LayerNormalization, [x, scale, bias], { axis: x.rank - scale.rank, epsilon });

/** Normalization by the root of the mean square over the trailing axes that `scale` has. */
export const rmsNorm = (x: Value, scale: Value, { epsilon = 1e-6 }: NormOptions = {}): Value =>
  apply(RMSNormalization, [x, scale], { axis: x.rank - scale.rank, epsilon });

/** (x - mean) / √(variance + epsilon) · scale + bias by given moments: x [N, C, …], the four [C] each → [N, C, …]. */
export const batchNormInference = (
  x: Value,
  [scale, bias, mean, variance]: readonly [Value, Value, Value, Value],
  { epsilon = 1e-5 }: NormOptions = {},
): Value => apply(BatchNormalization, [x, scale, bias, mean, variance], { epsilon });

const centredOf = (x: Value, axes: readonly number[]): Value => sub(x, reduceMean(x, axes, { keepDims: true }));
const spreadOf = (x: Value, axes: readonly number[]): Value =>
  reduceMean(square(centredOf(x, axes)), axes, { keepDims: true });

/**
 * The mean square of the distances from the mean along axes, which stay as extents of 1. Our own operator for its gradient, which takes half as
 * many steps as that of its parts.
 */
export const Variance: OpDef = defineOp("Variance", {
  domain: "sardonyx",
  arity: "1",
  attributes: { axes: "ints" },
  infer: ([x], { axes = [] }) => ({
    dtype: requireFloat("Variance", x).dtype,
    shape: reduceShape(x.shape, axes, true),
  }),
  // dx = 2 g (x - mean) / N: the distances add up to 0, so that nothing comes by way of the mean.
  grad: ({ g, inputs: [x], outputs: [y], attributes: { axes = [] } }) => [
    mul(mul(g, (2 * size(y.shape)) / size(x.shape)), centredOf(x, axes)),
  ],
  flops: ({ inputs: [x] }) => 4 * size(x.shape),
  samples: ({ inputs: [x], axes: own, attributes: { axes = [] } }) =>
    samplesAcross(own, normalizeAxes(axes, x.rank), true),
  byRows: ({ inputs: [x], attributes: { axes = [] }, layout, has, rows }) => {
    const order = rowOrder(layout.innermost, x.rank);
    return has(x)
      ? {
          rows: [
            spreadOf(
              rows(x),
              axes.map((axis) => order.indexOf(axis)),
            ),
          ],
        }
      : undefined;
  },
  lower: ({ inputs: [x], attributes: { axes = [] } }) => [spreadOf(x, axes)],
});

interface Moments {
  readonly mean: Value;
  readonly spread: Value;
}

/**
 * The moments of a batch from those of its parts. In float64, since the mean of squares and the square of the mean may be large beside their
 * difference; from numbers near the means, so that they are less so.
 */
function momentsOfParts({ mean, spread }: Moments, meanOverParts: (own: Value) => Value, near: Value): Moments {
  const distance = cast(sub(mean, near), "float64");
  const both = meanOverParts(concat([distance, add(cast(spread, "float64"), square(distance))], 0));
  const [first, second] = [slice(both, { axis: 0, start: 0, end: 1 }), slice(both, { axis: 0, start: 1, end: 2 })];
  const difference = maximum(sub(second, square(first)), scalar(0, "float64"));
  return { mean: add(near, cast(first, mean.dtype)), spread: cast(difference, spread.dtype) };
}

/** Options of `batchNormTrain`. */
export interface BatchNormTrainOptions extends NormOptions {
  /** The mean over all parts of a batch of what x is a part of, each by its share of the samples; default: x is the whole. */
  readonly meanOverParts?: ((own: Value) => Value) | undefined;
  /** A vector [C] near the means, from which parts measure theirs; default 0. */
  readonly near?: Value | undefined;
}

/** Batch normalization by the batch's own moments over all axes but the channel's; also returns those moments, [C] each. */
export function batchNormTrain(
  x: Value,
  scale: Value,
  bias: Value,
  { epsilon = 1e-5, meanOverParts, near }: BatchNormTrainOptions = {},
) {
  const axes = x.shape.map((_, i) => i).filter((axis) => axis !== 1);
  const own = { mean: reduceMean(x, axes, { keepDims: true }), spread: apply(Variance, [x], { axes }) };
  const { mean, spread } = meanOverParts
    ? momentsOfParts(own, meanOverParts, near ? perChannel(near, x.rank) : scalar(0))
    : own;
  const centred = sub(x, mean);
  const factor = div(perChannel(scale, x.rank), sqrt(add(spread, epsilon)));
  const y = add(mul(centred, factor), perChannel(bias, x.rank));
  return { y, mean: reshape(mean, scale.shape), variance: reshape(spread, scale.shape) };
}
