/** TensorFlow's StridedSlice: x[begin:end:stride, …, newaxis, index], its marks kept as bits of whole numbers. */
import { ShapeError } from "../../../../core/errors.ts";
import { showShape } from "../../../../core/shape.ts";
import type { Value } from "../../../../graph/ir.ts";
import * as ops from "../../../../ops/index.ts";
import type { Applied, Operator } from "../operator.ts";

/** One entry of the brackets. */
export interface Entry {
  readonly begin: number | undefined;
  readonly end: number | undefined;
  readonly stride: number;
  /** Stands for as many whole axes as are left. */
  readonly isEllipsis: boolean;
  /** Makes an axis of extent 1. */
  readonly isNew: boolean;
  /** A single index: its axis goes. */
  readonly isIndex: boolean;
}

function entriesOf(node: Applied): readonly Entry[] {
  const [begins, ends, strides] = [1, 2, 3].map((i) => node.known(i));
  const mask = (name: string) => {
    const bits = node.attributes.int(name, 0);
    return (i: number) => Math.floor(bits / 2 ** i) % 2 === 1;
  };
  const [beginMask, endMask, ellipsis, fresh, shrink] = [
    mask("begin_mask"),
    mask("end_mask"),
    mask("ellipsis_mask"),
    mask("new_axis_mask"),
    mask("shrink_axis_mask"),
  ];
  return (begins ?? []).map((begin, i) => ({
    begin: beginMask(i) ? undefined : begin,
    end: endMask(i) ? undefined : ends?.[i],
    stride: strides?.[i] || 1,
    isEllipsis: ellipsis(i),
    isNew: !ellipsis(i) && fresh(i),
    isIndex: !ellipsis(i) && !fresh(i) && shrink(i),
  }));
}

/** x[entries], as Python has brackets. */
export function sliced(x: Value, entries: readonly Entry[]): Value {
  const named = entries.filter(({ isEllipsis, isNew }) => !isEllipsis && !isNew).length;
  const ranges: ops.SliceOptions[] = [];
  /** Axes of the result, -1 for a new one. */
  const kept: number[] = [];
  let axis = 0;
  for (const { begin, end, stride, isEllipsis, isNew, isIndex } of entries) {
    if (isNew) kept.push(-1);
    else if (isEllipsis) for (let rest = x.rank - named; rest > 0; rest--) kept.push(axis++);
    else {
      const extent = x.shape[axis];
      const index = (begin ?? 0) < 0 ? (begin ?? 0) + (extent ?? 0) : (begin ?? 0);
      if (extent === undefined || (isIndex && (index < 0 || index >= extent)))
        throw new ShapeError(`its entry ${begin} for axis ${axis} lies outside of ${showShape(x.shape)}`);
      const range = isIndex ? { start: index, end: index + 1 } : { start: begin, end, step: stride };
      ranges.push({ axis, ...(range as Omit<ops.SliceOptions, "axis">) });
      if (!isIndex) kept.push(axis);
      axis++;
    }
  }
  while (axis < x.rank) kept.push(axis++);
  const cut = ranges.length > 0 ? ops.slice(x, ...ranges) : x;
  return ops.reshape(
    cut,
    kept.map((own) => (own < 0 ? 1 : (cut.shape[own] ?? 1))),
  );
}

export const stridedSlice: Operator = {
  op: ops.Slice,
  build: (node) => sliced(node.operand(0), entriesOf(node)),
};
