/** How units run through normalization, softmax, pooling and reductions, which compute along some axes and beside the others. */
import { normalizeAxes, normalizeAxis } from "../../../../core/shape.ts";
import type { OpDef } from "../../../../graph/op.ts";
import { constantNumbers } from "../../../../ops/constant.ts";
import {
  GroupNormalization,
  InstanceNormalization,
  LpNormalization,
} from "../../../../ops/normalization/channel-normalization.ts";
import {
  BatchNormalization,
  Hardmax,
  LayerNormalization,
  LogSoftmax,
  RMSNormalization,
  SimplifiedLayerNormalization,
  Softmax,
} from "../../../../ops/normalization/normalization.ts";
import { Trilu } from "../../../../ops/rearrange.ts";
import {
  CumSum,
  ReduceL1,
  ReduceL2,
  ReduceMax,
  ReduceMean,
  ReduceMin,
  ReduceSum,
  ReduceSumSquare,
} from "../../../../ops/reduce.ts";
import { AveragePool, GlobalAveragePool, GlobalMaxPool, MaxPool } from "../../../../ops/windows/pooling.ts";
import type { AxisUnits, ValueUnits } from "../units.ts";
import { type ChannelRule, type Cutting, extentOf, type Following, type Remade, wholeAxes } from "./rule.ts";

/** x [N, C, …] and vectors [C]. */
const perChannel: ChannelRule = {
  follow: ({ inputs, units }) => {
    const [x, ...vectors] = inputs as readonly [ValueUnits, ...ValueUnits[]];
    for (const vector of vectors) units.joinAxes(x[1] as AxisUnits, vector[0] as AxisUnits);
    return [x];
  },
};

/** Moments over the channels of a group: only whole groups can be cut. */
const perGroup: ChannelRule = {
  follow: ({ node, inputs, units }) => {
    const [x, ...vectors] = inputs as readonly [ValueUnits, ...ValueUnits[]];
    const channels = x[1] as AxisUnits;
    const each = channels.length / Number(node.attributes.num_groups ?? 1);
    for (const [i, unit] of channels.entries()) units.join(unit, channels[i - (i % each)] as number);
    for (const vector of vectors) units.joinAxes(channels, vector[0] as AxisUnits);
    return [x];
  },
  remake: ({ node, operands, stays }: Cutting): Remade => {
    const channels = operands[0]?.[1] as AxisUnits;
    const groups = Number(node.attributes.num_groups ?? 1);
    return {
      attributes: { ...node.attributes, num_groups: (groups * extentOf(channels, { stays })) / channels.length },
    };
  },
};

/** Operands hold the axes of x along which it is computed; the outputs have the extents of x, or 1. */
function along(axesOf: (following: Following) => readonly number[], what: string): ChannelRule {
  return {
    follow: (following) => {
      const { node, inputs, units, place } = following;
      const [x, ...others] = inputs as readonly [ValueUnits, ...(ValueUnits | undefined)[]];
      const reason = `${place} ${what}`;
      for (const axis of axesOf(following)) units.holdAxis(x[axis] as AxisUnits, reason);
      for (const other of others) for (const axis of other ?? []) units.holdAxis(axis, reason);
      return node.outputs.map(({ shape }) =>
        shape.map((extent, axis) => (extent === x[axis]?.length ? x[axis] : units.whole(extent, reason))),
      );
    },
  };
}

const rankOf = ({ inputs: [x] }: Following): number => x?.length ?? 0;

/** The axis of an attribute. */
const atAxis =
  (fallback: number) =>
  (following: Following): readonly number[] => [
    normalizeAxis(Number(following.node.attributes.axis ?? fallback), rankOf(following)),
  ];

/** The axes from that of an attribute on. */
const fromAxis = (following: Following): readonly number[] => {
  const [first = 0] = atAxis(-1)(following);
  return Array.from({ length: rankOf(following) - first }, (_, i) => first + i);
};

const sum = "takes a sum over the axis";
const mean = "takes a mean over the axis";

/** Channels by themselves; what follows them is seen through windows. */
const pooling: ChannelRule = {
  follow: ({ node, inputs: [x], units, place }) => {
    const reason = `${place} has a window there`;
    for (const axis of x?.slice(2) ?? []) units.holdAxis(axis, reason);
    return node.outputs.map(({ shape }) => [...(x?.slice(0, 2) ?? []), ...wholeAxes(shape.slice(2), units, reason)]);
  },
};

/** The axes that a reduction reduces. */
function reducedAxes({ node }: Following): readonly number[] {
  const rank = node.inputs[0]?.rank ?? 0;
  const listed = node.inputs[1] ? (constantNumbers(node.inputs[1]) ?? []) : [];
  if (listed.length > 0) return normalizeAxes(listed, rank);
  return node.attributes.noop_with_empty_axes === 1 ? [] : Array.from({ length: rank }, (_, axis) => axis);
}

/** @param reason why an axis that is reduced must stay whole; `undefined` where what is cut only leaves the sum */
const reduction = (reason: string | undefined): ChannelRule => ({
  follow: (following) => {
    const { node, inputs, units, place } = following;
    const x = inputs[0] as ValueUnits;
    const reduced = reducedAxes(following);
    if (reason !== undefined) for (const axis of reduced) units.holdAxis(x[axis] as AxisUnits, `${place} ${reason}`);
    if (node.attributes.keepdims === 0) return [x.filter((_, axis) => !reduced.includes(axis))];
    return [x.map((own, axis) => (reduced.includes(axis) ? units.whole(1, `${place} ${sum}`) : own))];
  },
});

/** Operators that compute along axes. */
export const normalizationRules: readonly (readonly [OpDef, ChannelRule])[] = [
  [BatchNormalization, perChannel],
  [InstanceNormalization, perChannel],
  [GroupNormalization, perGroup],
  [LayerNormalization, along(fromAxis, mean)],
  [SimplifiedLayerNormalization, along(fromAxis, mean)],
  [RMSNormalization, along(fromAxis, mean)],
  [LpNormalization, along(atAxis(-1), sum)],
  [Softmax, along(atAxis(-1), sum)],
  [LogSoftmax, along(atAxis(-1), sum)],
  [Hardmax, along(atAxis(-1), "takes the greatest along the axis")],
  [CumSum, along(({ node, inputs }) => cumulativeAxis(node, inputs[0]), "adds up along the axis")],
  [Trilu, along((following) => [rankOf(following) - 2, rankOf(following) - 1], "takes a triangle of the two axes")],
  [MaxPool, pooling],
  [AveragePool, pooling],
  [GlobalAveragePool, pooling],
  [GlobalMaxPool, pooling],
  // Of a channel that is zero nothing is missing in a sum.
  [ReduceSum, reduction(undefined)],
  [ReduceL1, reduction(undefined)],
  [ReduceL2, reduction(undefined)],
  [ReduceSumSquare, reduction(undefined)],
  [ReduceMean, reduction(mean)],
  [ReduceMax, reduction("takes the greatest along the axis")],
  [ReduceMin, reduction("takes the least along the axis")],
];

function cumulativeAxis(node: Following["node"], x: ValueUnits | undefined): readonly number[] {
  const [axis] = constantNumbers(node.inputs[1]) ?? [];
  const rank = x?.length ?? 0;
  return axis === undefined ? Array.from({ length: rank }, (_, i) => i) : [normalizeAxis(axis, rank)];
}
