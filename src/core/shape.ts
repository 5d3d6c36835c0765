/** Shape arithmetic: sizes, strides, axes and NumPy-style broadcasting. */
import { ShapeError } from "./errors.ts";
import { greatest } from "./lists.ts";

/** Extents of a tensor, outermost first; `[]` is a scalar. */
export type Shape = readonly number[];

/** Number of elements. */
export const size = (shape: Shape): number => shape.reduce((product, extent) => product * extent, 1);

export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((extent, axis) => extent === b[axis]);

/** `[2, 3]` as text, for messages. */
export const showShape = (shape: Shape): string => `[${shape.join(", ")}]`;

/** Row-major strides in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= shape[axis] ?? 1;
  }
  return strides;
}

/** Turns a negative axis into a positive one. Throws ShapeError when out of range. */
export function normalizeAxis(axis: number, rank: number): number {
  const positive = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || positive < 0 || positive >= rank)
    throw new ShapeError(`axis ${axis} is outside a tensor of rank ${rank}; pass ${-rank} to ${rank - 1}`);
  return positive;
}

export function normalizeAxes(axes: readonly number[], rank: number): number[] {
  const positive = axes.map((axis) => normalizeAxis(axis, rank));
  if (new Set(positive).size !== positive.length)
    throw new ShapeError(`axes ${showShape(axes)} name the same axis twice; name each once`);
  return positive.sort((a, b) => a - b);
}

/** The common shape of operands under NumPy broadcasting. Throws ShapeError when there is none. */
export function broadcastShapes(...shapes: readonly Shape[]): Shape {
  const rank = greatest(
    shapes.map((shape) => shape.length),
    0,
  );
  return Array.from({ length: rank }, (_, axis) => {
    let extent = 1;
    for (const shape of shapes) {
      const own = shape[axis - rank + shape.length] ?? 1;
      if (own === extent || own === 1) continue;
      if (extent !== 1)
        throw new ShapeError(
          `shapes ${shapes.map(showShape).join(" and ")} do not broadcast: ` +
            `axis ${axis - rank} has ${extent} and ${own}; make them equal, or one of them 1`,
        );
      extent = own;
    }
    return extent;
  });
}

/** Axes of `to` along which a tensor of shape `from` was repeated to broadcast. */
export function broadcastAxes(from: Shape, to: Shape): number[] {
  const offset = to.length - from.length;
  return to.flatMap((extent, axis) => {
    if (axis < offset) return [axis];
    return from[axis - offset] === 1 && extent !== 1 ? [axis] : [];
  });
}

/** `shape` with the listed axes removed, or kept with extent 1. */
export function reduceShape(shape: Shape, axes: readonly number[], keepDims: boolean): Shape {
  const reduced = new Set(axes);
  return keepDims
    ? shape.map((extent, axis) => (reduced.has(axis) ? 1 : extent))
    : shape.filter((_, axis) => !reduced.has(axis));
}
