/** The data inputs of a model: what the file says of their shapes, and whether those that are chosen fit. */
import { bytesPerElement, type DType } from "../../core/dtype.ts";
import { ShapeError } from "../../core/errors.ts";
import { type Shape, showShape } from "../../core/shape.ts";
import type { Declared } from "../../import/declared.ts";

/** Chooses the shape of an input. Throws ShapeError for one that cannot be known. */
export type ShapeOf = (input: Declared) => Shape;

/** Names of the axes that a file leaves open, which say what to pass for them, by the number of axes. */
const axisNames: readonly (readonly string[])[] = [
  [],
  ["batch"],
  ["batch", "length"],
  ["batch", "time", "features"],
  ["batch", "height", "width", "channels"],
];

export interface InputOfFile {
  readonly name: string;
  readonly dtype: DType;
  /** `undefined` for what may vary; `undefined` itself when even the rank is unknown. */
  readonly extents: readonly (number | undefined)[] | undefined;
}

/** The shape of an input. Throws ShapeError when the chosen one contradicts the file. */
export function inputShape({ name, dtype, extents }: InputOfFile, shapeOf: ShapeOf): Shape {
  const named = extents?.map((extent, axis) => extent ?? axisNames[extents.length]?.[axis]);
  const type = { name: dtype, bits: 8 * bytesPerElement(dtype), dtype };
  const shape = shapeOf({ name, type, extents: named });
  // Other batches may always be asked for.
  const fits = named?.every((extent, axis) => axis === 0 || typeof extent !== "number" || extent === shape[axis]);
  if (named && (!fits || named.length !== shape.length))
    throw new ShapeError(
      `input "${name}" is [${named.map((extent) => extent ?? "?").join(", ")}], got ${showShape(shape)}; pass a shape that fits, with the channels last`,
    );
  return shape;
}
