/** How units run through what moves elements: transposed, joined, split, repeated, looked up. */
import { normalizeAxes, normalizeAxis } from "../../../../core/shape.ts";
import { Tensor } from "../../../../core/tensor.ts";
import type { Value } from "../../../../graph/ir.ts";
import type { OpDef } from "../../../../graph/op.ts";
import { constant, constantNumbers, int64s } from "../../../../ops/constant.ts";
import { Gather } from "../../../../ops/indexing.ts";
import {
  Concat,
  Expand,
  Flatten,
  Reshape,
  Split,
  Squeeze,
  Tile,
  Transpose,
  Unsqueeze,
} from "../../../../ops/movement.ts";
import { Pad, resolveSlice, Slice } from "../../../../ops/slicing.ts";
import { Resize } from "../../../../ops/vision/interpolation.ts";
import type { AxisUnits, ValueUnits } from "../units.ts";
import { followReshape } from "./reshape.ts";
import { type ChannelRule, type Cutting, extentOf, type Following, placesOf, type Remade, shapeOf } from "./rule.ts";

const numbersOf = (value: Value | undefined): readonly number[] => constantNumbers(value) ?? [];

/** The operand at a position lists the extents of the output. */
const target =
  (position: number) =>
  ({ inputs, outputs, stays }: Cutting): Remade => ({
    inputs: inputs.with(position, int64s(shapeOf(outputs[0] as ValueUnits, { stays }))),
  });

const reshape: ChannelRule = { follow: followReshape, remake: target(1) };

const transpose: ChannelRule = {
  follow: ({ node, inputs: [x = []] }) => {
    const perm = (node.attributes.perm as readonly number[] | undefined) ?? x.map((_, i) => x.length - 1 - i);
    return [perm.map((axis) => x[normalizeAxis(axis, x.length)] as AxisUnits)];
  },
};

/** What is repeated along an axis is the same at each index: any of them can be cut. */
const expand: ChannelRule = {
  follow: ({ node, inputs: [x = []], units }) => {
    const [{ shape }] = node.outputs;
    return [
      shape.map((extent, axis) => {
        const own = x[axis - shape.length + x.length];
        return own?.length === extent ? own : units.fresh(extent);
      }),
    ];
  },
  remake: target(1),
};

const concat: ChannelRule = {
  follow: ({ node, inputs, units }) => {
    const operands = inputs as readonly [ValueUnits, ...ValueUnits[]];
    const [first, ...others] = operands;
    const along = normalizeAxis(Number(node.attributes.axis ?? 0), first.length);
    for (const other of others)
      for (const [axis, own] of other.entries()) if (axis !== along) units.joinAxes(first[axis] as AxisUnits, own);
    const joined = units.room(operands.reduce((sum, axes) => sum + (axes[along]?.length ?? 0), 0));
    let next = 0;
    for (const axes of operands) {
      joined.set(axes[along] as AxisUnits, next);
      next += axes[along]?.length ?? 0;
    }
    return [first.map((own, axis) => (axis === along ? joined : own))];
  },
};

const splitAxis = ({ node }: Pick<Following, "node">, x: ValueUnits): number =>
  normalizeAxis(Number(node.attributes.axis ?? 0), x.length);

const split: ChannelRule = {
  follow: (following) => {
    const x = following.inputs[0] as ValueUnits;
    const along = splitAxis(following, x);
    let start = 0;
    return following.node.outputs.map(({ shape }) => {
      const first = start;
      start += shape[along] as number;
      return x.map((own, axis) => (axis === along ? own.subarray(first, start) : own));
    });
  },
  remake: ({ node, inputs, operands, outputs, stays }) => {
    const along = splitAxis({ node }, operands[0] as ValueUnits);
    const lengths = outputs.map((own) => extentOf(own[along] as AxisUnits, { stays }));
    const { num_outputs: _, ...attributes } = node.attributes;
    return { inputs: [inputs[0], int64s(lengths)], attributes };
  },
};

const slice: ChannelRule = {
  follow: ({ node, inputs: [x = []], units, place }) => {
    const [source, starts, ends, axes, steps] = node.inputs as readonly [Value, Value, Value, Value?, Value?];
    return [
      resolveSlice(source, starts, ends, axes, steps).map(({ start, step, count }, axis) => {
        const own = x[axis] as AxisUnits;
        if (step !== 1) units.holdAxis(own, `${place} takes one of every ${Math.abs(step)} along the axis`);
        return Int32Array.from({ length: count }, (_, i) => own[start + step * i] as number);
      }),
    ];
  },
  remake: ({ node, inputs, operands: [x = []], outputs: [y = []], stays }) => {
    const [source, starts, ends, axes, steps] = node.inputs as readonly [Value, Value, Value, Value?, Value?];
    const ranges = resolveSlice(source, starts, ends, axes, steps);
    const [from, to] = [[...numbersOf(starts)], [...numbersOf(ends)]];
    const listed = axes ? numbersOf(axes) : from.map((_, i) => i);
    for (const [i, given] of listed.entries()) {
      const axis = normalizeAxis(given, x.length);
      const own = x[axis] as AxisUnits;
      if (own.every(stays)) continue;
      from[i] = placesOf(own, { stays })[ranges[axis]?.start ?? 0] ?? 0;
      to[i] = (from[i] as number) + extentOf(y[axis] as AxisUnits, { stays });
    }
    return { inputs: [inputs[0], int64s(from), int64s(to), ...inputs.slice(3)] };
  },
};

/** Indices that are known: where they lead in an axis. */
function knownIndices(value: Value | undefined, extent: number): readonly number[] | undefined {
  return constantNumbers(value)?.map((index) => (index < 0 ? index + extent : index));
}

/** Rows of a table: known ones are units of the table, of those that the data name all stay. */
const gather: ChannelRule = {
  follow: (following) => {
    const { node, units, place } = following;
    const [table, indices] = following.inputs as readonly [ValueUnits, ValueUnits];
    const along = normalizeAxis(Number(node.attributes.axis ?? 0), table.length);
    const own = table[along] as AxisUnits;
    const [before, after] = [table.slice(0, along), table.slice(along + 1)];
    const known = knownIndices(node.inputs[1], own.length);
    if (known && indices.length === 1)
      return [[...before, Int32Array.from(known, (index) => own[index] as number), ...after]];
    units.holdAxis(known ? own.filter((_, index) => known.includes(index)) : own, `${place} looks up along the axis`);
    if (!known) for (const axis of [...before, ...after]) following.makes(axis, 0);
    return [[...before, ...indices, ...after]];
  },
  remake: ({ node, inputs, operands: [table = []], stays }) => {
    const own = table[normalizeAxis(Number(node.attributes.axis ?? 0), table.length)] as AxisUnits;
    const known = knownIndices(node.inputs[1], own.length);
    if (!known || own.every(stays)) return {};
    const places = placesOf(own, { stays });
    const kept = known.filter((index) => stays(own[index] as number)).map((index) => places[index] as number);
    const shape = node.inputs[1]?.rank === 1 ? [kept.length] : (node.inputs[1]?.shape ?? []);
    return { inputs: [inputs[0], constant(new Tensor("int64", shape, BigInt64Array.from(kept, BigInt)))] };
  },
};

/** Axes that come or go have extent 1. */
const reshaped: ChannelRule = { follow: followReshape };

/** Axes whose extent changes must stay whole, before and after. */
const resized: ChannelRule = {
  follow: ({ node, inputs: [x = []], units, place }) => {
    const reason = `${place} changes the extent of the axis`;
    return [
      node.outputs[0].shape.map((extent, axis) => {
        const own = x[axis] as AxisUnits;
        if (own.length === extent) return own;
        units.holdAxis(own, reason);
        return units.whole(extent, reason);
      }),
    ];
  },
  remake: ({ node, inputs, outputs: [y = []], stays }) => {
    if (node.op !== Resize || !node.inputs[3]) return {};
    const axes = node.attributes.axes as readonly number[] | undefined;
    const shape = shapeOf(y, { stays });
    return { inputs: inputs.with(3, int64s(axes ? axes.map((axis) => shape.at(axis) ?? 1) : shape)) };
  },
};

/** Elements around an axis that are none of the channels of x stay; what is copied or cut off needs the whole axis. */
const pad: ChannelRule = {
  follow: ({ node, inputs: [x = []], units, place }) => {
    const reason = `${place} pads the axis`;
    const widths = numbersOf(node.inputs[1]);
    const axes = node.inputs[3] ? normalizeAxes(numbersOf(node.inputs[3]), x.length) : [...x.keys()];
    const isConstant = (node.attributes.mode ?? "constant") === "constant";
    return [
      x.map((own, axis) => {
        const at = axes.indexOf(axis);
        const [before = 0, after = 0] = at < 0 ? [] : [widths[at], widths[at + axes.length]];
        if (before === 0 && after === 0) return own;
        if (isConstant && before >= 0 && after >= 0)
          return Int32Array.from([...units.whole(before, reason), ...own, ...units.whole(after, reason)]);
        units.holdAxis(own, reason);
        return units.whole(node.outputs[0].shape[axis] as number, reason);
      }),
    ];
  },
};

/** Operators that move elements. */
export const movementRules: readonly (readonly [OpDef, ChannelRule])[] = [
  [Reshape, reshape],
  [Flatten, reshaped],
  [Squeeze, reshaped],
  [Unsqueeze, reshaped],
  [Transpose, transpose],
  [Expand, expand],
  [Concat, concat],
  [Split, split],
  [Slice, slice],
  [Gather, gather],
  [Tile, resized],
  [Pad, pad],
  [Resize, resized],
];
