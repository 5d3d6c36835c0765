/** Operators that rearrange images and matrices: blocks into channels and back, triangles. */
import { isFloat } from "../core/dtype.ts";
import { ShapeError, UnsupportedError } from "../core/errors.ts";
import { type Shape, showShape } from "../core/shape.ts";
import { zerosTensor } from "../core/tensor.ts";
import { moveElements } from "../graph/elements.ts";
import type { Value } from "../graph/ir.ts";
import { apply, defineOp, type OpDef } from "../graph/op.ts";
import { requireConstant, scalar } from "./constant.ts";
import { smallIntegers, through } from "./kernels.ts";
import { reshape, transpose } from "./movement.ts";
import { samplesBeside, samplesFirst } from "./samples.ts";

/** Throws ShapeError unless x is [N, C, H, W] and the extents divide; returns them. */
function imageOf(op: string, x: Value, divisors: readonly [number, number, number]): readonly number[] {
  const [, channels = 0, height = 0, width = 0] = x.shape;
  if (x.rank !== 4 || [channels, height, width].some((extent, i) => extent % (divisors[i] ?? 1) !== 0))
    throw new ShapeError(
      `${op}: ${showShape(x.shape)} is no [batch, channels, height, width] that ${divisors.join(", ")} divide; use another block size`,
    );
  return x.shape;
}

/** Order of the channels of a block: the pixel before the channel, or after it. */
type BlockOrder = "DCR" | "CRD";

/** [N, C, H b, W b] → [N, C b², H, W], where `shape` is the result's. */
function blocksToChannels(x: Value, shape: Shape, b: number, order: BlockOrder): Value {
  const [batch = 1, channels = 1, height = 1, width = 1] = shape;
  const blocks = reshape(x, [batch, channels / b ** 2, height, b, width, b]); // N, C, H, b, W, b'
  return reshape(transpose(blocks, order === "CRD" ? [0, 1, 3, 5, 2, 4] : [0, 3, 5, 1, 2, 4]), shape);
}

/** The way back: [N, C b², H, W] → [N, C, H b, W b]. */
function channelsToBlocks(x: Value, b: number, order: BlockOrder): Value {
  const [batch = 1, all = 1, height = 1, width = 1] = x.shape;
  const channels = all / b ** 2;
  const split = order === "CRD" ? [batch, channels, b, b, height, width] : [batch, b, b, channels, height, width];
  const blocks = transpose(reshape(x, split), order === "CRD" ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2]);
  return reshape(blocks, [batch, channels, height * b, width * b]);
}

/** Whether ONNX Runtime rearranges blocks of these elements. */
const hasBlockKernel = ({ dtype }: Value): boolean => isFloat(dtype) || dtype === "uint8" || dtype === "int8";

/** Elements of a block of b × b pixels, which are channels: [N, C b², H, W] → [N, C, H b, W b]. */
export const DepthToSpace: OpDef = defineOp("DepthToSpace", {
  arity: "1",
  attributes: { blocksize: "int", mode: "string" },
  infer: ([x], { blocksize = 1, mode = "DCR" }) => {
    if (mode !== "DCR" && mode !== "CRD")
      throw new UnsupportedError(`DepthToSpace: mode is "${mode}"; pass DCR or CRD`);
    const [batch = 1, channels = 1, height = 1, width = 1] = imageOf("DepthToSpace", x, [blocksize ** 2, 1, 1]);
    return { dtype: x.dtype, shape: [batch, channels / blocksize ** 2, height * blocksize, width * blocksize] };
  },
  grad: ({ g, inputs: [x], attributes: { blocksize = 1, mode = "DCR" } }) => [
    blocksToChannels(g, x.shape, blocksize, mode as BlockOrder),
  ],
  flops: () => 0,
  lower: ({ inputs: [x], attributes: { blocksize = 1, mode = "DCR" } }) =>
    hasBlockKernel(x) ? undefined : [channelsToBlocks(x, blocksize, mode as BlockOrder)],
  samples: samplesFirst,
});

/** Blocks of b × b pixels as channels, the pixel before the channel: [N, C, H, W] → [N, C b², H / b, W / b]. */
export const SpaceToDepth: OpDef = defineOp("SpaceToDepth", {
  arity: "1",
  attributes: { blocksize: "int" },
  infer: ([x], { blocksize = 1 }) => {
    const [batch = 1, channels = 1, height = 1, width = 1] = imageOf("SpaceToDepth", x, [1, blocksize, blocksize]);
    return { dtype: x.dtype, shape: [batch, channels * blocksize ** 2, height / blocksize, width / blocksize] };
  },
  grad: ({ g, attributes: { blocksize = 1 } }) => [apply(DepthToSpace, [g], { blocksize, mode: "DCR" })],
  flops: () => 0,
  lower: ({ inputs: [x], outputs: [y], attributes: { blocksize = 1 } }) =>
    hasBlockKernel(x) ? undefined : [blocksToChannels(x, y.shape, blocksize, "DCR")],
  samples: samplesFirst,
});

/** The upper triangle of matrices from diagonal `k` on, or the lower up to it; zeros elsewhere. */
export const Trilu: OpDef = defineOp("Trilu", {
  arity: "1-2",
  attributes: { upper: "int" },
  infer: ([x, k]) => {
    if (x.rank < 2) throw new ShapeError(`Trilu takes matrices, got ${showShape(x.shape)}; reshape to [rows, columns]`);
    if (k) requireConstant("Trilu", "k", k);
    return x;
  },
  grad: ({ g, inputs: [, k], attributes }) => [apply(Trilu, [g, k], attributes), undefined],
  flops: () => 0,
  lower: through({ ...smallIntegers, uint64: "int64" }),
  samples: ({ inputs: [x], axes }) => samplesBeside(axes, [x.rank - 2, x.rank - 1]),
  evaluate: ([source], { inputs: [x, k], attributes: { upper = 1 } }) => {
    if (!source) return undefined;
    const diagonal = k ? (requireConstant("Trilu", "k", k)[0] ?? 0) : 0;
    const zero = zerosTensor(x.dtype, []);
    return [
      moveElements(x, (position) => {
        const [row = 0, column = 0] = position.slice(-2);
        const isKept = upper === 1 ? column - row >= diagonal : column - row <= diagonal;
        return isKept ? [source, position] : [zero, []];
      }),
    ];
  },
});

/** The triangle on and above diagonal `k` of matrices, zeros below. */
export const upperTriangle = (x: Value, k = 0): Value => apply(Trilu, [x, scalar(k, "int64")], { upper: 1 });
/** The triangle on and below diagonal `k` of matrices, zeros above. */
export const lowerTriangle = (x: Value, k = 0): Value => apply(Trilu, [x, scalar(k, "int64")], { upper: 0 });
