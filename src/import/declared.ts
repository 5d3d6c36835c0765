/** What a file declares of its inputs, and the shapes that follow. */
import type { DType } from "../core/dtype.ts";
import { ShapeError } from "../core/errors.ts";
import type { Shape } from "../core/shape.ts";

/** An element type of a file: its name, its bits, and the dtype in which we compute with it. */
export interface ElementType {
  readonly name: string;
  readonly bits: number;
  readonly dtype: DType;
}

/** What a file says of a tensor: extents are numbers, names of symbols, or unknown. */
export interface Declared {
  readonly name: string;
  readonly type: ElementType | undefined;
  /** `undefined` when even the rank is unknown. */
  readonly extents: readonly (number | string | undefined)[] | undefined;
  /** It is a list of such tensors. */
  readonly isSequence?: boolean;
  /** It may be nothing. */
  readonly isOptional?: boolean;
}

/** The shape that a file declares. Throws ShapeError when an extent is left open. */
export function declaredShape({ name, extents }: Declared): Shape {
  if (extents?.every((extent) => typeof extent === "number")) return extents as Shape;
  const shown = extents ? `[${extents.map((extent) => extent ?? "?").join(", ")}]` : "unknown, even its rank";
  throw new ShapeError(`the shape of input "${name}" is ${shown}; pass the shape to use`);
}
