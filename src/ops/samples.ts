/** Rules about samples that several operators share: where the samples of an output lie, by where those of the operands do. */
import { type Shape, size } from "../core/shape.ts";
import type { SampleAxes, SampledNode } from "../graph/op.ts";

interface Axes {
  readonly axes: SampleAxes;
}

/** The axis of the first operand's samples, `undefined` when another operand has samples too. */
export function onlyFirst([first, ...others]: SampleAxes): number | undefined {
  return others.every((axis) => axis === undefined) ? first : undefined;
}

/** Images [N, C, …]: each row of the first operand by itself, with other operands that all rows share. */
export const samplesFirst = ({ axes }: Axes): SampledNode | undefined =>
  onlyFirst(axes) === 0 ? { outputs: [0] } : undefined;

/** The first operand keeps its axes, along some of which it is computed: samples may lie along the others. */
export function samplesBeside(axes: SampleAxes, used: readonly number[], outputs = 1): SampledNode | undefined {
  const own = onlyFirst(axes);
  if (own === undefined || used.includes(own)) return undefined;
  return { outputs: new Array<number>(outputs).fill(own) };
}

/** As samplesBeside, where the axes that are used are gone from the output. */
export function samplesAcross(axes: SampleAxes, used: readonly number[], keepDims: boolean): SampledNode | undefined {
  const own = onlyFirst(axes);
  if (own === undefined || used.includes(own)) return undefined;
  return { outputs: [keepDims ? own : own - used.filter((axis) => axis < own).length] };
}

/** The axis that operands share of which each has samples there or is the same for all; `undefined` when they differ. */
export function commonAxis(axes: SampleAxes): number | undefined {
  const own = new Set(axes.filter((axis) => axis !== undefined));
  return own.size === 1 ? [...own][0] : undefined;
}

/**
 * Where samples lie when elements get another shape in the same order: an axis with as many elements before it, which has a multiple
 * of the samples. Of several such axes that of the same number, else the first.
 */
export function samplesReshaped(from: Shape, axes: SampleAxes, count: number, to: Shape): SampledNode | undefined {
  const axis = onlyFirst(axes);
  if (axis === undefined) return undefined;
  const before = size(from.slice(0, axis));
  const fitting = [...to.keys()].filter((i) => size(to.slice(0, i)) === before && (to[i] ?? 0) % count === 0);
  const found = fitting.includes(axis) ? axis : fitting[0];
  return found === undefined ? undefined : { outputs: [found] };
}
