/** Images in another size, as TensorFlow resizes them: the centres of pixels on one another. */
import { UnsupportedError } from "../../../../core/errors.ts";
import { type Shape, showShape } from "../../../../core/shape.ts";
import { Tensor } from "../../../../core/tensor.ts";
import type { Value } from "../../../../graph/ir.ts";
import { cast, constant, gather, longestExtent, resize } from "../../../../ops/index.ts";
import { channelsFirst, channelsLast } from "../../channels.ts";

/** How pixels between those of an image come about. */
export type Interpolation = "nearest" | "linear";

/** The interpolation of a name. Throws UnsupportedError for those that are not supported. */
export function interpolationOf(name: string): Interpolation {
  if (name === "nearest") return "nearest";
  if (name === "bilinear") return "linear";
  throw new UnsupportedError(`its interpolation is ${name}, expected nearest or bilinear`);
}

/** Throws UnsupportedError for a size that is larger than images are. */
export function requireExtents(extents: Shape): void {
  if (extents.some((extent) => extent > longestExtent))
    throw new UnsupportedError(`its output is ${showShape(extents)}, expected ${longestExtent} at most along an axis`);
}

/** x [N, C, …] with its spatial axes in other extents. */
export function resizedAxes(x: Value, extents: Shape, mode: Interpolation): Value {
  requireExtents(extents);
  if (mode === "linear") return resize(cast(x, "float32"), extents, { mode });
  return extents.reduce((y, extent, i) => {
    const from = y.shape[i + 2] ?? 1;
    if (from === extent) return y;
    // The pixel in which the centre of the new one lies.
    const places = Array.from({ length: extent }, (_, at) =>
      BigInt(Math.min(from - 1, Math.floor(((at + 0.5) * from) / extent))),
    );
    return gather(y, constant(new Tensor("int64", [extent], BigInt64Array.from(places))), i + 2);
  }, x);
}

/** Images [N, H, W, C] in another size. */
export const resized = (x: Value, size: Shape, interpolation: string): Value =>
  channelsLast(resizedAxes(channelsFirst(x), size, interpolationOf(interpolation)));
