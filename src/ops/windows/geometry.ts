/** Window geometry shared by convolutions and pooling: kernel, strides, dilations, padding, groups. */
import { ShapeError } from "../../core/errors.ts";
import { type Shape, showShape } from "../../core/shape.ts";

/** ONNX's window attributes, all optional. */
export interface WindowAttributes {
  readonly kernel_shape?: readonly number[];
  readonly strides?: readonly number[];
  readonly dilations?: readonly number[];
  /** Begins of every spatial axis, then ends. */
  readonly pads?: readonly number[];
  readonly auto_pad?: string;
  readonly ceil_mode?: number;
}

/** Resolved window over spatial axes. */
export interface Window {
  readonly kernel: Shape;
  readonly strides: Shape;
  readonly dilations: Shape;
  readonly begins: Shape;
  readonly ends: Shape;
  readonly output: Shape;
}

export const windowSchema = {
  kernel_shape: "ints",
  strides: "ints",
  dilations: "ints",
  pads: "ints",
  auto_pad: "string",
} as const;

/** Window of a forward sliding operator over `spatial` extents. Throws ShapeError when the kernel does not fit. */
export function resolveWindow(op: string, spatial: Shape, kernel: Shape, attributes: WindowAttributes): Window {
  const rank = spatial.length;
  const strides = attributes.strides ?? new Array<number>(rank).fill(1);
  const dilations = attributes.dilations ?? new Array<number>(rank).fill(1);
  const reach = kernel.map((extent, i) => (dilations[i] ?? 1) * (extent - 1) + 1);
  const pads = [...(attributes.pads ?? new Array<number>(2 * rank).fill(0))];
  if (kernel.length !== rank || strides.length !== rank || dilations.length !== rank || pads.length !== 2 * rank)
    throw new ShapeError(
      `${op}: ${rank} spatial axes need as many kernel extents, strides and dilations, and twice as many pads; ` +
        `got kernel ${showShape(kernel)}, strides ${showShape(strides)}, dilations ${showShape(dilations)}, pads ${showShape(pads)}`,
    );
  if (attributes.auto_pad?.startsWith("SAME"))
    for (const [i, extent] of spatial.entries()) {
      const stride = strides[i] ?? 1;
      const total = Math.max(0, (Math.ceil(extent / stride) - 1) * stride + (reach[i] ?? 1) - extent);
      const small = Math.floor(total / 2);
      pads[i] = attributes.auto_pad === "SAME_UPPER" ? small : total - small;
      pads[i + rank] = total - (pads[i] ?? 0);
    }
  const output = spatial.map((extent, i) => {
    const room = extent + (pads[i] ?? 0) + (pads[i + rank] ?? 0) - (reach[i] ?? 1);
    if (room < 0)
      throw new ShapeError(
        `${op}: kernel ${showShape(kernel)} reaches over ${reach[i]} elements, input axis ${i + 2} has ` +
          `${extent + (pads[i] ?? 0) + (pads[i + rank] ?? 0)} with its padding; use a smaller kernel or more padding`,
      );
    const steps = room / (strides[i] ?? 1);
    const count = (attributes.ceil_mode ? Math.ceil(steps) : Math.floor(steps)) + 1;
    // A window that would begin in the padding after the input is left out, as PyTorch and ONNX do.
    const last = (count - 1) * (strides[i] ?? 1);
    return attributes.ceil_mode && last >= extent + (pads[i] ?? 0) ? count - 1 : count;
  });
  return { kernel, strides, dilations, begins: pads.slice(0, rank), ends: pads.slice(rank), output };
}

/** Every offset of a kernel, row-major. */
export function offsetsOf(kernel: Shape): Shape[] {
  return kernel.reduce<Shape[]>(
    (offsets, extent) => offsets.flatMap((offset) => Array.from({ length: extent }, (_, i) => [...offset, i])),
    [[]],
  );
}

/** Elements along each axis from the first window's begin to the last one's end. */
export const reachOf = ({ kernel, strides, dilations, output }: Window): Shape =>
  output.map((count, i) => (count - 1) * (strides[i] ?? 1) + ((kernel[i] ?? 1) - 1) * (dilations[i] ?? 1) + 1);
