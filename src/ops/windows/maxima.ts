/** Where the maxima of windows lie, in operators that graphics cards have. */
import { size, stridesOf } from "../../core/shape.ts";
import { tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import { cast } from "../cast.ts";
import { constant, scalar } from "../constant.ts";
import { add, where } from "../elementwise.ts";
import { greater } from "../logic.ts";
import { expand } from "../movement.ts";
import { pad, slice } from "../slicing.ts";
import { offsetsOf, reachOf, type Window } from "./geometry.ts";

/**
 * The positions of the maxima of windows of x [N, C, …], of equal ones the first: each place in a window is a slice of x, and the largest
 * so far wins it.
 * @param byColumn count the elements of a sample's channel column by column
 */
export function positionsOfMaxima(x: Value, window: Window, byColumn: boolean): Value {
  const spatial = x.shape.slice(2);
  const ends = reachOf(window).map((extent, i) => Math.max(0, extent - (window.begins[i] ?? 0) - (spatial[i] ?? 0)));
  const around = [[0, 0], [0, 0], ...window.begins.map((begin, i) => [begin, ends[i] ?? 0] as const)];
  const padded = around.some(([before, after]) => before !== 0 || after !== 0) ? pad(x, around, lowest) : x;
  // Steps from one element to the next along each spatial axis.
  const steps = byColumn ? stridesOf([...spatial].reverse()).reverse() : stridesOf(spatial);
  let best: { readonly element: Value; readonly offset: Value } | undefined;
  for (const place of offsetsOf(window.kernel)) {
    const starts = place.map((position, i) => position * (window.dilations[i] ?? 1));
    const element = slice(
      padded,
      ...starts.map((start, i) => {
        const step = window.strides[i] ?? 1;
        return { axis: i + 2, start, end: start + ((window.output[i] ?? 1) - 1) * step + 1, step };
      }),
    );
    const offset = scalar(
      starts.reduce((sum, start, i) => sum + start * (steps[i] ?? 1), 0),
      "int32",
    );
    const isBetter = best && greater(element, best.element);
    best = {
      element: best && isBetter ? where(isBetter, element, best.element) : element,
      offset: best && isBetter ? where(isBetter, offset, best.offset) : offset,
    };
  }
  // Where each window begins, by its place, its channel and its sample.
  const along = (axis: number, extent: number, step: number, from = 0): Value => {
    const shape = x.shape.map((_, i) => (i === axis ? extent : 1));
    return constant(
      tensor(
        Int32Array.from({ length: extent }, (_, i) => i * step + from),
        { dtype: "int32", shape },
      ),
    );
  };
  const [samples = 1, channels = 1] = x.shape;
  const image = size(spatial);
  const begins = [
    along(0, samples, channels * image),
    along(1, channels, image),
    ...window.output.map((extent, i) => {
      const step = steps[i] ?? 1;
      return along(i + 2, extent, (window.strides[i] ?? 1) * step, -(window.begins[i] ?? 0) * step);
    }),
  ];
  const shape = [samples, channels, ...window.output];
  const found = begins.reduce((sum, begin) => add(sum, begin), best?.offset ?? scalar(0, "int32"));
  return cast(expand(found, shape), "int64");
}

/** Below every element that is a number. */
const lowest = -3.4028234663852886e38;
