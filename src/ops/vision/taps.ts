/** Interpolation between elements at computed places: which are taken along each axis, and all their combinations. */
import type { DType } from "../../core/dtype.ts";
import { type Shape, stridesOf } from "../../core/shape.ts";
import type { Value } from "../../graph/ir.ts";
import { cast } from "../cast.ts";
import { scalar } from "../constant.ts";
import { add, maximum, minimum, mul } from "../elementwise.ts";
import { and } from "../logic.ts";

/** An element that is taken along one axis at each place. */
export interface Tap {
  /** Its index, a float that is whole and within the axis. */
  readonly index: Value;
  /** What it counts; default 1. */
  readonly weight: Value | undefined;
  /** Where it counts at all; default everywhere. */
  readonly isInside?: Value;
}

/** Whole places, kept within an axis. */
export const clipped = (places: Value, extent: number): Value =>
  maximum(minimum(places, scalar(extent - 1, places.dtype)), 0);

/** An element of several axes: its index among all of them, int64, and what it counts. */
interface FlatTap {
  readonly index: Value;
  readonly weight: Value | undefined;
}

/** Every combination of one tap along each axis. */
export function weightedTaps(along: readonly (readonly Tap[])[], extents: Shape, dtype: DType): readonly FlatTap[] {
  const strides = stridesOf(extents);
  const combinations = along.reduce<readonly (readonly Tap[])[]>(
    (all, taps) => all.flatMap((before) => taps.map((tap) => [...before, tap])),
    [[]],
  );
  return combinations.map((taps) => {
    const places = taps.map(({ index }, axis) => mul(cast(index, "int64"), strides[axis] ?? 1));
    const insides = taps.flatMap(({ isInside }) => (isInside ? [isInside] : []));
    const mask =
      insides.length > 0
        ? cast(
            insides.reduce((both, own) => and(both, own)),
            dtype,
          )
        : undefined;
    const factors = [...taps.map(({ weight }) => weight), mask].filter((factor) => factor !== undefined);
    return {
      index: places.reduce((sum, place) => add(sum, place)),
      weight: factors.length > 0 ? factors.reduce((product, factor) => mul(product, factor)) : undefined,
    };
  });
}
