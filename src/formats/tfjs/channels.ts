/**
 * Values whose channels are their last axis, as TensorFlow has them, computed with the channels first, as our operators
 * have them. A layer takes and gives values in TensorFlow's order; the transposition in which one ends stands in the
 * graph only where the next one does not begin by undoing it.
 */
import { greatest } from "../../core/lists.ts";
import { normalizeAxis } from "../../core/shape.ts";
import type { Value } from "../../graph/ir.ts";
import { reshape, Transpose, transpose } from "../../ops/index.ts";

const inner = (rank: number) => Array.from({ length: rank - 2 }, (_, i) => i + 1);
/** [N, …, C] to [N, C, …], and back. */
const toFirst = (rank: number): readonly number[] => [0, rank - 1, ...inner(rank)];
const toLast = (rank: number): readonly number[] => [0, ...inner(rank).map((axis) => axis + 1), 1];

/** What a permutation made a value of. */
function source(x: Value, permutation: readonly number[]): Value | undefined {
  const { producer } = x;
  const made = producer?.op === Transpose ? (producer.attributes["perm"] as readonly number[]) : undefined;
  return made?.every((axis, i) => axis === permutation[i]) ? producer?.inputs[0] : undefined;
}

/** The value with the channels first that a value comes from, `undefined` when it was not computed so. */
const computedFirst = (x: Value): Value | undefined => (x.rank > 2 ? source(x, toLast(x.rank)) : undefined);

/** [N, …, C] as [N, C, …]. */
export const channelsFirst = (x: Value): Value =>
  x.rank > 2 ? (computedFirst(x) ?? transpose(x, toFirst(x.rank))) : x;

/** [N, C, …] as [N, …, C]. */
export const channelsLast = (y: Value): Value =>
  y.rank > 2 ? (source(y, toFirst(y.rank)) ?? transpose(y, toLast(y.rank))) : y;

/** Where an axis of a value in TensorFlow's order lies in the value that is computed with. */
export type At = (axis: number) => number;

/**
 * f of values with the channels last, in the order in which they were computed: the channels first when those of one were.
 * f gets them at one rank, smaller ones with extents of 1 before as broadcasting has them; what it gives must have that
 * rank too.
 */
export function alongAxes(values: readonly Value[], f: (at: At, ...values: Value[]) => Value): Value {
  const rank = greatest(values.map((value) => value.rank));
  if (!values.some((value) => value.rank === rank && computedFirst(value)))
    return f((axis) => normalizeAxis(axis, rank), ...values);
  const aligned = values.map((value) => {
    if (value.rank === 0) return value;
    return channelsFirst(reshape(value, [...new Array<number>(rank - value.rank).fill(1), ...value.shape]));
  });
  return channelsLast(f((axis) => toFirst(rank).indexOf(normalizeAxis(axis, rank)), ...aligned));
}

/** f of values as `alongAxes` has them, for a function that is elementwise under broadcasting and knows no axes. */
export const elementwise = (f: (...values: Value[]) => Value, ...values: readonly Value[]): Value =>
  alongAxes(values, (_, ...own) => f(...own));
