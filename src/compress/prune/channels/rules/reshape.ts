/**
 * How units run through a reshape. Both shapes are parted into the shortest runs of axes with as many elements. Where a run joins axes, one
 * of them carries its units into the joined axis and the others stay whole: of [channels, rows, columns] → [features] a channel is
 * rows · columns features. Where it splits an axis, one axis of the result carries them, and what lies within its indices is cut
 * together: of [width] → [heads, of each] a head is a unit.
 */
import type { AxisUnits, Units, ValueUnits } from "../units.ts";
import type { Following } from "./rule.ts";

export function followReshape({ node, inputs: [x = []], units, place }: Following): readonly ValueUnits[] {
  const [{ shape }] = node.outputs;
  const axes: (AxisUnits | undefined)[] = shape.map(() => undefined);
  for (const { from, to } of runsOf(
    x.map(({ length }) => length),
    shape,
  )) {
    const extents = to.map((axis) => shape[axis] as number);
    const entering = from.map((axis) => x[axis] as AxisUnits);
    const made = followRun(entering, extents, units, place);
    for (const [i, axis] of to.entries()) axes[axis] = made[i];
  }
  return [axes.map((own, axis) => own ?? units.whole(shape[axis] as number, `${place} adds the axis`))];
}

interface Run {
  readonly from: readonly number[];
  readonly to: readonly number[];
}

/** The shortest runs of axes with as many elements in both shapes; axes of extent 1 are in none. */
function runsOf(from: readonly number[], to: readonly number[]): readonly Run[] {
  const [left, right] = [from, to].map((shape) => [...shape.keys()].filter((axis) => shape[axis] !== 1)) as [
    number[],
    number[],
  ];
  const runs: Run[] = [];
  while (left.length > 0 && right.length > 0) {
    const run = { from: [left.shift() as number], to: [right.shift() as number] };
    let [a, b] = [from[run.from[0] as number] as number, to[run.to[0] as number] as number];
    while (a !== b) {
      const [rest, shape, own] = a < b ? ([left, from, run.from] as const) : ([right, to, run.to] as const);
      const next = rest.shift();
      // Of no elements at all every product is 0.
      if (next === undefined) return [...runs, run];
      own.push(next);
      if (a < b) a *= shape[next] as number;
      else b *= shape[next] as number;
    }
    runs.push(run);
  }
  return runs;
}

function followRun(
  from: readonly AxisUnits[],
  to: readonly number[],
  units: Units,
  place: string,
): readonly AxisUnits[] {
  const [only] = from;
  if (from.length === 1 && to.length === 1) return [only as AxisUnits];
  const carrying = from.findIndex((axis) => units.isFree(axis));
  for (const [i, axis] of from.entries())
    if (i !== carrying) units.holdAxis(axis, `${place} joins the axis with others`);
  if (carrying < 0) {
    const reason = units.reason(only?.[0] as number) ?? `${place} joins axes that stay whole`;
    return to.map((extent) => units.whole(extent, reason));
  }
  const inner = from.slice(carrying + 1).reduce((product, { length }) => product * length, 1);
  const outer = from.slice(0, carrying).reduce((product, { length }) => product * length, 1);
  const carried = from[carrying] as AxisUnits;
  const flat = units.room(outer * carried.length * inner);
  for (let at = 0; at < flat.length; at++) flat[at] = carried[Math.floor(at / inner) % carried.length] as number;
  if (to.length === 1) return [flat];
  return splitUnits(flat, to, units, place);
}

/** The units of the axes into which those of one are split. */
function splitUnits(flat: AxisUnits, to: readonly number[], units: Units, place: string): readonly AxisUnits[] {
  const innerOf = (axis: number) => to.slice(axis + 1).reduce((product, extent) => product * extent, 1);
  const inners = [...to.keys()].map(innerOf);
  const indexOf = (at: number, axis: number) => Math.floor(at / (inners[axis] as number)) % (to[axis] as number);
  const firstOf = (axis: number): AxisUnits =>
    Int32Array.from({ length: to[axis] as number }, (_, i) => flat[i * (inners[axis] as number)] as number);
  const isLossless = (axis: number) => {
    const first = firstOf(axis);
    return flat.every((unit, at) => units.find(unit) === units.find(first[indexOf(at, axis)] as number));
  };
  // Else the longest but the last: heads of queries, keys and values are [3, heads, of each], or [heads, of each].
  const longest = Math.max(...to.slice(0, -1));
  const lossless = [...to.keys()].findIndex(isLossless);
  const carrying = lossless >= 0 ? lossless : to.indexOf(longest);
  const first = firstOf(carrying);
  for (const [at, unit] of flat.entries()) units.join(unit, first[indexOf(at, carrying)] as number);
  return to.map((extent, axis) =>
    axis === carrying ? first : units.whole(extent, `${place} splits an axis, of which this is the inner one`),
  );
}
