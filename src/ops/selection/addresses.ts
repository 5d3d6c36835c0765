/** What operators that read and write at computed places share: checks of their indices, and how known ones are read. */
import { DTypeError, ShapeError } from "../../core/errors.ts";
import { normalizeAxis, type Shape, showShape, stridesOf } from "../../core/shape.ts";
import type { Tensor } from "../../core/tensor.ts";
import { forEachPosition, offsetOf, type Position } from "../../graph/elements.ts";
import type { Value } from "../../graph/ir.ts";
import type { SampleAxes, SampledNode } from "../../graph/op.ts";
import { commonAxis } from "../samples.ts";

/** Throws DTypeError for indices that are no whole numbers. */
export function requireIndices(op: string, indices: Value): void {
  if (indices.dtype !== "int64" && indices.dtype !== "int32")
    throw new DTypeError(`${op}: indices must be int32 or int64, got ${indices.dtype}; cast(indices, "int64")`);
}

/** How many axes of x the last axis of `indices` addresses. */
export function addressDepth(op: string, x: Value, indices: Value): number {
  if (indices.dtype !== "int64")
    throw new DTypeError(`${op}: indices must be int64, got ${indices.dtype}; cast(indices, "int64")`);
  const depth = indices.shape.at(-1) ?? 0;
  if (depth < 1 || depth > x.rank)
    throw new ShapeError(
      `${op}: indices ${showShape(indices.shape)} address ${depth} axes, ${showShape(x.shape)} has ${x.rank}; make their last extent 1 to ${x.rank}`,
    );
  return depth;
}

/** Reads indices of an axis of `extent`, where negative ones count from its end. Throws ShapeError for one outside. */
export function indexReader(indices: Tensor): (position: Position, extent: number) => number {
  const strides = stridesOf(indices.shape);
  return (position, extent) => {
    const index = Number(indices.data[offsetOf(position, strides)]);
    if (!(index >= -extent && index < extent))
      throw new ShapeError(`index ${index} is outside an axis of ${extent}; pass ${-extent} to ${extent - 1}`);
    return index < 0 ? index + extent : index;
  };
}

/** Reads the addresses in the last axis of the indices, each of the first axes of `shape`. */
export function addressReader(indices: Tensor, shape: Shape): (position: Position) => Position {
  const lookUp = indexReader(indices);
  const depth = indices.shape.at(-1) ?? 0;
  return (position) => shape.slice(0, depth).map((extent, axis) => lookUp([...position, axis], extent));
}

/** Every position of a shape, row-major. */
export function positionsOf(shape: Shape): readonly Position[] {
  const positions: Position[] = [];
  forEachPosition(shape, (position) => positions.push(position));
  return positions;
}

interface ElementsView {
  readonly inputs: readonly [Value, ...Value[]];
  readonly axes: SampleAxes;
  readonly attributes: { readonly axis?: number };
}

/** Positions along one axis, the same place along the others: samples may lie along those. */
export function samplesOfElements({ inputs, axes, attributes: { axis = 0 } }: ElementsView): SampledNode | undefined {
  const own = commonAxis(axes);
  if (own === undefined || own === normalizeAxis(axis, inputs[0].rank)) return undefined;
  return { outputs: [own], operands: inputs.map(() => own) };
}
