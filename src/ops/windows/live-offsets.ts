/**
 * Offsets of a window that read anything but padding. Around a small image most do not: a window of 3x3 over one pixel reads it in the
 * middle alone, and eight ninths of the products are by zeros. So end networks that were made for larger images, and windows that are dilated far.
 */
import { type Shape, size } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import type { Rows } from "../../graph/rows.ts";
import { matmul } from "../matmul.ts";
import { reshape } from "../movement.ts";
import { offsetsOf, type Window } from "./geometry.ts";

/** A window of its live offsets. */
export interface Live {
  readonly window: Window;
  /** The first of them along each axis, in the kernel they are part of. */
  readonly first: Shape;
  readonly kernel: Shape;
}

/** The live offsets of a window over an image of extents `spatial`, or `undefined` where all are. */
export function liveOffsets(spatial: Shape, window: Window): Live | undefined {
  const { kernel, output, strides, dilations, begins, ends } = window;
  const ranges = spatial.map((extent, i) => {
    const [stride = 1, dilation = 1, begin = 0, steps = 1] = [strides[i], dilations[i], begins[i], output[i]];
    const reads = (offset: number) =>
      Array.from({ length: steps }, (_, step) => step * stride + offset * dilation - begin).some(
        (at) => at >= 0 && at < extent,
      );
    const live = Array.from({ length: kernel[i] ?? 1 }, (_, offset) => offset).filter(reads);
    return { first: live[0] ?? 0, last: live.at(-1) ?? 0, dilation };
  });
  const counts = ranges.map(({ first, last }) => last - first + 1);
  if (size(counts) === size(kernel)) return undefined;
  return {
    window: {
      ...window,
      kernel: counts,
      begins: begins.map((begin, i) => begin - (ranges[i]?.first ?? 0) * (dilations[i] ?? 1)),
      ends: ends.map((end, i) => end - ((kernel[i] ?? 1) - 1 - (ranges[i]?.last ?? 0)) * (dilations[i] ?? 1)),
    },
    first: ranges.map(({ first }) => first),
    kernel,
  };
}

/** A matrix that picks the live offsets of all: [offsets, live]. */
const picks = ({ window, first, kernel }: Live, { shared }: Rows): Value =>
  shared(JSON.stringify(["live offsets", kernel, window.kernel, first]), () => {
    const [all, live] = [size(kernel), size(window.kernel)];
    const matrix = new Float32Array(all * live);
    for (const [i, offset] of offsetsOf(window.kernel).entries()) {
      const at = offset.reduce((place, step, axis) => place * (kernel[axis] ?? 1) + step + (first[axis] ?? 0), 0);
      matrix[at * live + i] = 1;
    }
    return new Tensor("float32", [all, live], matrix);
  });

/** Filters [M, C, …kernel] at the live offsets: [M, C, …live]. By a product, which is faster than a slice of so short rows. */
export const narrowed = (w: Value, live: Live, layout: Rows): Value =>
  reshape(matmul(reshape(w, [-1, size(live.kernel)]), picks(live, layout)), [
    ...w.shape.slice(0, 2),
    ...live.window.kernel,
  ]);

/** The transpose of `narrowed`: zeros at the other offsets. */
export const widened = (g: Value, live: Live, layout: Rows): Value =>
  reshape(matmul(reshape(g, [-1, size(live.window.kernel)]), picks(live, layout), { transB: true }), [
    ...g.shape.slice(0, 2),
    ...live.kernel,
  ]);
