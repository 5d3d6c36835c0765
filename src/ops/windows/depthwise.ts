/**
 * Convolutions of each channel by a filter of its own, on rows over the channels. There are too few multiplications in them for a product of
 * matrices; ONNX Runtime's operators on channels in blocks keep a block's sums in registers. Values are put in blocks and back for each.
 */
import { type Shape, size } from "../../core/shape.ts";
import type { TensorType, Value } from "../../graph/ir.ts";
import { apply } from "../../graph/op.ts";
import type { Rows } from "../../graph/rows.ts";
import { zeros } from "../constant.ts";
import { gather } from "../indexing.ts";
import { concat, reshape, transpose } from "../movement.ts";
import { reduceSum } from "../reduce.ts";
import { flip, slice } from "../slicing.ts";
import { offsetsOf, type Window } from "./geometry.ts";
import { NchwcConv, ReorderInput, ReorderOutput } from "./nchwc.ts";
import { asRows, indexTensor, keyOf } from "./rows.ts";

/** Blocks have at most as many channels, on any processor. */
const widest = 16;

/** Whether a convolution of x [N, C, …] in groups by w [M, C / groups, …kernel] is one of each channel, and computed in blocks. */
export const fitsBlocks = (
  x: TensorType,
  w: Shape,
  { innermost, blocks }: Pick<Rows, "innermost" | "blocks">,
): boolean =>
  blocks &&
  innermost === "channels" &&
  x.dtype === "float32" &&
  w.length === 4 &&
  w[0] === x.shape[1] &&
  w[1] === 1 &&
  (w[0] ?? 0) % widest === 0;

/** Rows [N, …spatial, C] in blocks, [N, C, …spatial]. */
const inBlocks = (x: Value): Value => apply(ReorderInput, [x], { channels_last: 1 });
/** Back to rows. */
const outOfBlocks = (x: Value): Value => apply(ReorderOutput, [x], { channels: x.shape[1] ?? 1, channels_last: 1 });
/** Filters [C, 1, …kernel] in blocks of filters, which stand as those of an image's channels do. */
const filtersInBlocks = (w: Value): Value => {
  const [filters = 1, , ...kernel] = w.shape;
  return reshape(apply(ReorderInput, [reshape(w, [1, filters, ...kernel])], { channels_last: 0 }), w.shape);
};

const convolve = (x: Value, w: Value, { kernel, strides, dilations, begins, ends }: Omit<Window, "output">): Value =>
  apply(NchwcConv, [x, w], {
    kernel_shape: kernel,
    strides,
    dilations,
    pads: [...begins, ...ends],
    group: w.shape[0] ?? 1,
  });

/** x [N, …spatial, C] by w [C, 1, …kernel]. */
export const depthwise = (x: Value, w: Value, window: Window): Value =>
  outOfBlocks(convolve(inBlocks(x), filtersInBlocks(w), window));

/** The transpose of `depthwise` in x, of extents `spatial`: g, spread by the strides, by the mirrored filters. */
export function depthwiseTransposed(g: Value, w: Value, window: Window, spatial: Shape, { shared }: Rows): Value {
  const { kernel, strides, dilations, begins } = window;
  const ones = spatial.map(() => 1);
  const reach = kernel.map((extent, i) => (dilations[i] ?? 1) * (extent - 1));
  const before = reach.map((width, i) => width - (begins[i] ?? 0));
  const mirrored = kernel.reduce((value, _, i) => flip(value, i + 2), w);
  const by = (value: Value, pads: Pick<Window, "begins" | "ends">) =>
    outOfBlocks(convolve(inBlocks(value), filtersInBlocks(mirrored), { ...pads, kernel, dilations, strides: ones }));
  const spread = window.output.map((extent, i) => (extent - 1) * (strides[i] ?? 1) + 1);
  const after = spatial.map((extent, i) => extent + (reach[i] ?? 0) - (before[i] ?? 0) - (spread[i] ?? 1));
  if (strides.every((stride) => stride === 1) && [...before, ...after].every((width) => width >= 0))
    return by(g, { begins: before, ends: after });
  // Rows of g where the strides put them, and zeros between them and around.
  const [batch = 1] = g.shape;
  const channels = g.shape.at(-1) ?? 1;
  const extents = spatial.map((extent, i) => extent + (reach[i] ?? 0));
  const index = shared(keyOf("spread", batch, spatial, window), () => {
    const positions = size(window.output);
    const one = offsetsOf(extents).map((at) => {
      const steps = at.map((to, i) => (to - (before[i] ?? 0)) / (strides[i] ?? 1));
      const isThere = steps.every((step, i) => Number.isInteger(step) && step >= 0 && step < (window.output[i] ?? 0));
      return isThere ? steps.reduce((row, step, i) => row * (window.output[i] ?? 1) + step, 0) : -1;
    });
    return indexTensor(Int32Array.from(one), batch, positions);
  });
  const rows = gather(concat([asRows(g), zeros([1, channels])]), index);
  const none = spatial.map(() => 0);
  return by(reshape(rows, [batch, ...extents, channels]), { begins: none, ends: none });
}

/**
 * The gradient of w [C, 1, …kernel] by x [N, …spatial, C] and g [N, …output, C]: each image's channel is convolved by its own gradient as
 * the filter, with strides and dilations exchanged, and the images' results are summed.
 */
export function depthwiseWeightGradient(x: Value, g: Value, shape: Shape, window: Window): Value {
  const { kernel, strides, dilations, begins, ends, output } = window;
  const [batch = 1, ...spatial] = x.shape.slice(0, -1);
  const [channels = 1] = shape;
  const images = reshape(inBlocks(x), [1, batch * channels, ...spatial]);
  const filters = reshape(inBlocks(g), [batch * channels, 1, ...output]);
  const exchanged = { kernel: output, strides: dilations, dilations: strides, begins, ends };
  const sums = outOfBlocks(convolve(images, filters, exchanged));
  // Behind the kernel's positions may stand some that the strides left out.
  const taps = slice(sums, ...kernel.map((end, i) => ({ axis: i + 1, start: 0, end })));
  const whole = reduceSum(reshape(taps, [size(kernel), batch, channels]), [1]);
  return reshape(transpose(whole, [1, 0]), shape);
}
