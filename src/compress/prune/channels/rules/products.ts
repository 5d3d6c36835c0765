/** How units run through sums of products: these make channels, and add those of their operands up. */
import type { OpDef } from "../../../../graph/op.ts";
import { FusedMatMul, Gemm, MatMul } from "../../../../ops/matmul.ts";
import { Conv, ConvTranspose } from "../../../../ops/windows/convolution.ts";
import type { AxisUnits, ValueUnits } from "../units.ts";
import { broadcastUnits } from "./elementwise.ts";
import { type ChannelRule, type Cutting, extentOf, type Following, type Remade, wholeAxes } from "./rule.ts";

const groupsOf = ({ attributes }: Following["node"]): number => Number(attributes.group ?? 1);

/**
 * x [N, C, …] and weight, whose axis `making` is of the channels of y and whose axis `reading` of those of x that it adds up. Of several
 * groups only whole ones can be cut: what a group reads and makes is one unit.
 */
function followConvolution(following: Following, { making, reading }: ConvolutionAxes): readonly ValueUnits[] {
  const { node, units, place } = following;
  const [x, weight, bias] = following.inputs as readonly [ValueUnits, ValueUnits, ValueUnits?];
  const [{ shape }] = node.outputs;
  for (const axis of [...x.slice(2), ...weight.slice(2)]) units.holdAxis(axis, `${place} has a window there`);
  const [entering, read, made] = [x[1], weight[reading], weight[making]] as readonly [AxisUnits, AxisUnits, AxisUnits];
  const groups = groupsOf(node);
  const channels = groups === 1 ? made : units.fresh(shape[1] as number);
  if (groups === 1) units.joinAxes(entering, read);
  else {
    // The weight's first axis runs over all groups, the second over what one of them has.
    const [all, one] = making === 0 ? [made, read] : [read, made];
    for (const axis of [entering, channels, all])
      for (const [i, unit] of axis.entries())
        units.join(unit, channels[Math.floor((i * groups) / axis.length) * (channels.length / groups)] as number);
    units.holdAxis(one, `${place} has as many channels in each of its ${groups} groups`);
  }
  if (bias?.[0]) units.joinAxes(bias[0], channels);
  following.makes(channels, 1);
  following.costs(groups === 1 ? [channels, read] : [channels]);
  return [[x[0] as AxisUnits, channels, ...wholeAxes(shape.slice(2), units, `${place} has a window there`)]];
}

interface ConvolutionAxes {
  readonly making: 0 | 1;
  readonly reading: 0 | 1;
}

function remakeConvolution({ node, outputs, stays }: Cutting): Remade {
  const [, channels] = outputs[0] as readonly [AxisUnits, AxisUnits];
  const groups = groupsOf(node);
  if (groups === 1) return {};
  return { attributes: { ...node.attributes, group: (groups * extentOf(channels, { stays })) / channels.length } };
}

const convolution = (axes: ConvolutionAxes): ChannelRule => ({
  follow: (following) => followConvolution(following, axes),
  remake: remakeConvolution,
});

/** y = op(a) op(b) + c: the last axis of a and the one before it of b are added up, leading axes broadcast. */
const product: ChannelRule = {
  follow: (following) => {
    const { node, units } = following;
    const { transA = 0, transB = 0 } = node.attributes as Readonly<Record<string, number>>;
    const [a, b, c] = following.inputs as readonly [ValueUnits, ValueUnits, ValueUnits?];
    const [rows, inner] = matrixOf(a, transA === 1);
    const [read, columns] = matrixOf(b, transB === 1);
    units.joinAxes(inner, read);
    const leading = broadcastUnits([a.slice(0, -2), b.slice(0, -2)], units);
    const y = [...leading, rows, columns];
    if (c) broadcastUnits([y, c], units);
    following.makes(columns, 1);
    following.makes(rows, 0);
    following.costs([...y, inner]);
    return [y];
  },
};

function matrixOf(axes: ValueUnits, isTransposed: boolean): readonly [AxisUnits, AxisUnits] {
  const [first, second] = axes.slice(-2) as [AxisUnits, AxisUnits];
  return isTransposed ? [second, first] : [first, second];
}

/** Operators of sums of products. */
export const productRules: readonly (readonly [OpDef, ChannelRule])[] = [
  [Conv, convolution({ making: 0, reading: 1 })],
  [ConvTranspose, convolution({ making: 1, reading: 0 })],
  [MatMul, product],
  [FusedMatMul, product],
  [Gemm, product],
];
