/** Layers that only change the shape of their input. */
import { type Shape, size } from "../core/shape.ts";
import type { Value } from "../graph/ir.ts";
import { flatten as flattenOp, reshape as reshapeOp } from "../ops/index.ts";
import { Module } from "./module.ts";

export class Flatten extends Module {
  readonly kind = "reshape";
  protected call(x: Value): Value {
    return flattenOp(x, 1);
  }
}

export class Reshape extends Module {
  readonly kind = "reshape";
  readonly shape: Shape;
  constructor(shape: Shape) {
    super();
    this.shape = shape;
  }
  protected call(x: Value): Value {
    return reshapeOp(x, [x.shape[0] ?? 1, ...this.shape.map((extent) => (extent === -1 ? this.#rest(x) : extent))]);
  }
  /** What is left for a -1 among the extents. */
  #rest(x: Value): number {
    return size(x.shape.slice(1)) / size(this.shape.filter((extent) => extent !== -1));
  }
}

/** [N, …] → [N, product of the rest]. */
export const flatten = (): Flatten => new Flatten();
/** [N, …] → [N, …shape]; one extent may be -1. */
export const reshape = (shape: Shape): Reshape => new Reshape(shape);
