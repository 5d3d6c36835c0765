/** TensorFlow's operators that move blocks of an image into channels or samples, and back. */
import { ShapeError, UnsupportedError } from "../../../../core/errors.ts";
import { showShape, size } from "../../../../core/shape.ts";
import type { Value } from "../../../../graph/ir.ts";
import { type Attributes, apply, type OpDef } from "../../../../graph/op.ts";
import * as ops from "../../../../ops/index.ts";
import { channelsFirst, channelsLast } from "../../channels.ts";
import { type Applied, type Operator, type Operators, pairsOf } from "../operator.ts";

/** Blocks of channels as squares of elements, or back; ONNX numbers them as TensorFlow does. */
const rearranged = (op: OpDef, attributes: Attributes = {}): Operator => ({
  op,
  build: (node) => {
    if (node.attributes.text("data_format", "NHWC") !== "NHWC") throw new UnsupportedError("its channels are not last");
    const blocksize = node.attributes.int("block_size");
    return channelsLast(apply(op, [channelsFirst(node.operand(0))], { ...attributes, blocksize }));
  },
});

/** What operand 1 says of the axes after the batch, and operand 2 of their borders. */
function blocksOf(node: Applied) {
  const [x, blocks, borders] = [node.operand(0), node.known(1), pairsOf(node.known(2))];
  if (blocks.length === 0 || blocks.length >= x.rank || blocks.some((block) => block < 1))
    throw new ShapeError(`its blocks ${showShape(blocks)} do not divide the axes of ${showShape(x.shape)}`);
  return { x, blocks, borders, rest: x.shape.slice(blocks.length + 1) };
}

/** [N, H, W, …] with borders → [N · b · c, H / b, W / c, …], the place in the block before the sample. */
function spaceToBatch(node: Applied): Value {
  const { x, blocks, borders, rest } = blocksOf(node);
  const padded = ops.pad(x, [[0, 0], ...borders, ...rest.map(() => [0, 0])]);
  const [batch = 1, ...extents] = padded.shape;
  const outer = blocks.map((block, i) => (extents[i] ?? 0) / block);
  const apart = ops.reshape(padded, [batch, ...outer.flatMap((extent, i) => [extent, blocks[i] ?? 1]), ...rest]);
  const within = blocks.map((_, i) => 2 * i + 2);
  const order = [...within, 0, ...within.map((axis) => axis - 1), ...rest.map((_, i) => 2 * blocks.length + 1 + i)];
  return ops.reshape(ops.transpose(apart, order), [batch * size(blocks), ...outer, ...rest]);
}

/** The way back of spaceToBatch, which then cuts borders. */
function batchToSpace(node: Applied): Value {
  const { x, blocks, borders, rest } = blocksOf(node);
  const [samples = 1, ...extents] = x.shape;
  const outer = extents.slice(0, blocks.length);
  const batch = samples / size(blocks);
  const apart = ops.reshape(x, [...blocks, batch, ...outer, ...rest]);
  const axes = blocks.flatMap((_, i) => [blocks.length + 1 + i, i]);
  const order = [blocks.length, ...axes, ...rest.map((_, i) => 2 * blocks.length + 1 + i)];
  const joined = ops.reshape(ops.transpose(apart, order), [
    batch,
    ...outer.map((extent, i) => extent * (blocks[i] ?? 1)),
    ...rest,
  ]);
  const cut = borders.map(([before = 0, after = 0]) => [-before, -after]);
  return ops.pad(joined, [[0, 0], ...cut, ...rest.map(() => [0, 0])]);
}

export const spaceOperators: Operators = {
  BatchToSpaceND: { op: ops.DepthToSpace, build: batchToSpace },
  DepthToSpace: rearranged(ops.DepthToSpace, { mode: "DCR" }),
  SpaceToBatchND: { op: ops.SpaceToDepth, build: spaceToBatch },
  SpaceToDepth: rearranged(ops.SpaceToDepth),
};
