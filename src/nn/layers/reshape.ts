/** Layers that only change the shape of their input. */
import { OptionError, ShapeError } from "../../core/errors.ts";
import { type Shape, showShape, size } from "../../core/shape.ts";
import type { Value } from "../../graph/ir.ts";
import { flatten as flattenOp, reshape as reshapeOp } from "../../ops/index.ts";
import { Module } from "../module.ts";
import { requireCount } from "../options.ts";

/** Joins all axes but the batch: [N, …] → [N, features]. Make one with `flatten`. */
export class Flatten extends Module {
  override readonly kind = "reshape";
  protected call(x: Value): Value {
    return flattenOp(x, 1);
  }
}

/** Gives each sample another shape with as many elements: [N, …] → [N, …shape]. Make one with `reshape`. */
export class Reshape extends Module {
  override readonly kind = "reshape";
  readonly shape: Shape;
  constructor(shape: Shape) {
    super();
    for (const extent of shape) if (extent !== -1) requireCount("reshape", "an extent", extent);
    if (shape.filter((extent) => extent === -1).length > 1)
      throw new OptionError(`reshape: ${showShape(shape)} leaves two extents open; pass -1 at most once`);
    this.shape = shape;
  }
  protected call(x: Value): Value {
    const features = x.shape.slice(1);
    const rest = size(features) / size(this.shape.filter((extent) => extent !== -1));
    const shape = this.shape.map((extent) => (extent === -1 ? rest : extent));
    if (x.rank < 1 || !Number.isInteger(rest) || size(shape) !== size(features))
      throw new ShapeError(
        `input ${showShape(x.shape)} has ${size(features)} elements a sample, ${showShape(this.shape)} does not; pass a shape with as many`,
      );
    return reshapeOp(x, [x.shape[0] ?? 1, ...shape]);
  }
}

/** Joins all axes but the batch, row by row, for a dense layer behind: [N, …] → [N, product of the rest]. */
export const flatten = (): Flatten => new Flatten();
/**
 * Gives each sample another shape with as many elements: [N, …] → [N, …shape]. One extent may be -1, which the others
 * decide. Throws OptionError for two of them, ShapeError for an input with another number of elements.
 */
export const reshape = (shape: Shape): Reshape => new Reshape(shape);
