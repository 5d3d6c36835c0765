/** The orders in which convolutional networks are computed by rows (jit/row-layout.ts). */
import type { Shape } from "../core/shape.ts";
import type { Tensor } from "../core/tensor.ts";
import type { Value } from "./ir.ts";

/**
 * How values [N, C, …] are laid out as rows: over the samples, as [C, …, N], or over the channels, as [N, …, C]. What is outermost and each
 * position have a contiguous row.
 */
export type Innermost = "batch" | "channels";

/** The axes of a value of a rank in the order of rows. */
export function rowOrder(innermost: Innermost, rank: number): number[] {
  const axes = Array.from({ length: rank }, (_, axis) => axis);
  const moved = innermost === "batch" ? 0 : Math.min(1, rank - 1);
  return [...axes.filter((axis) => axis !== moved), moved];
}

/** Extents in the order of rows. */
export const rowShape = (shape: Shape, { innermost }: Pick<Rows, "innermost">): number[] =>
  rowOrder(innermost, shape.length).map((axis) => shape[axis] ?? 1);

/** What a rule by rows sees of the layout. */
export interface Rows {
  readonly innermost: Innermost;
  /** Whether the engine has operators on channels in blocks (ops/windows/nchwc.ts). */
  readonly blocks: boolean;
  /** A constant that rules share under a key. */
  shared(key: string, make: () => Tensor): Value;
}

/** Outputs of a node, by rows or as the graph has them. */
export interface RowsResult {
  readonly rows?: readonly (Value | undefined)[];
  readonly plain?: readonly (Value | undefined)[];
}
