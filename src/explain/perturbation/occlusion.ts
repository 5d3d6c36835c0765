/** Occlusion: how far the score falls where a window of the sample is covered. */

import { OptionError } from "../../core/errors.ts";
import { count, listOf, number } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { type Shape, showShape, stridesOf } from "../../core/shape.ts";
import { fullTensor, Tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import type { Module } from "../../nn/index.ts";
import { type Attribution, type ExplainOptions, explainTypes } from "../attribution.ts";
import { copyInto, type Explained, explainedOf } from "../explained.ts";

/** Options of `occlusion`. */
export interface OcclusionOptions<O> extends ExplainOptions<O> {
  /**
   * Extents of the window along the last axes, `[height, width]` of images; the axes before them are covered whole. Default an eighth of each
   * spatial axis, rounded up, of [1, C, H, W], and one element otherwise.
   */
  readonly window?: Shape | undefined;
  /** How far the window moves along each of these axes, at most its extent; default half of it, rounded up. */
  readonly stride?: Shape | undefined;
  /** What covers; default 0. */
  readonly fill?: number;
}

const extents = listOf(count(), "whole numbers from 1, such as [4, 4]");
const checkOptions = optionsOf<OcclusionOptions<never>>("occlusion", {
  ...explainTypes,
  window: extents,
  stride: extents,
  fill: number,
});

/** A window: where it starts along each axis, and its extents. */
interface Window {
  readonly start: Shape;
  readonly extents: Shape;
}

/** Where a window starts along an axis: by steps, the last at the end so that all is covered. */
function startsAlong(extent: number, window: number, stride: number): readonly number[] {
  const last = extent - window;
  const regular = Array.from({ length: Math.floor(last / stride) + 1 }, (_, i) => i * stride);
  return regular.at(-1) === last ? regular : [...regular, last];
}

/** All windows of a shape. Throws OptionError for a window that does not fit, and for steps that leave elements out. */
function windowsOf(
  shape: Shape,
  { window, stride }: Pick<OcclusionOptions<never>, "window" | "stride">,
): readonly Window[] {
  const own = window ?? (shape.length === 4 ? shape.slice(2).map((extent) => Math.ceil(extent / 8)) : [1]);
  const steps = stride ?? own.map((extent) => Math.ceil(extent / 2));
  const whole = shape.length - own.length;
  if (whole < 1 || own.some((extent, i) => extent > (shape[whole + i] ?? 0)))
    throw new OptionError(
      `occlusion: the window ${showShape(own)} does not fit into the input ${showShape(shape)}; pass at most ${showShape(shape.slice(1))}, of its last axes`,
    );
  if (steps.length !== own.length || steps.some((step, i) => step > (own[i] ?? 0)))
    throw new OptionError(
      `occlusion: the stride ${showShape(steps)} leaves elements out between windows ${showShape(own)}; pass at most the window`,
    );
  const extents = [...shape.slice(0, whole), ...own];
  let starts: Shape[] = [shape.slice(0, whole).map(() => 0)];
  for (const [i, extent] of own.entries()) {
    const along = startsAlong(shape[whole + i] ?? 1, extent, steps[i] ?? 1);
    starts = starts.flatMap((start) => along.map((at) => [...start, at]));
  }
  return starts.map((start) => ({ start, extents }));
}

/** Visits the places of a window's elements in a tensor with these strides. */
function eachPlace({ start, extents }: Window, strides: Shape, visit: (place: number) => void): void {
  const walk = (axis: number, from: number): void => {
    if (axis === start.length) visit(from);
    else
      for (let i = 0; i < (extents[axis] ?? 1); i++)
        walk(axis + 1, from + ((start[axis] ?? 0) + i) * (strides[axis] ?? 1));
  };
  walk(0, 0);
}

/**
 * How much of the score goes where a window of a sample [1, …] is covered, for each element the mean over the windows that cover it (Zeiler and
 * Fergus 2014, section 4.2). It needs no gradient, and one run of the model for each window. Elements that stand in for one another hide one
 * another: the score falls for none of them alone. Throws what `scoreOf` throws, and OptionError for a window that does not fit.
 * @example const { values } = await explain.occlusion(model, image, { window: [4, 4], stride: [2, 2] });
 */
export async function occlusion<O>(
  model: Module<Value, O>,
  x: Tensor,
  options: OcclusionOptions<O> = {},
): Promise<Attribution> {
  const { fill = 0 } = checkOptions(options as OcclusionOptions<never>);
  const explained = await explainedOf(model, x, options);
  const windows = windowsOf(x.shape, options);
  const values = await meanDrops(explained, windows, fullTensor(x.dtype, [1], fill));
  const { target, score } = explained;
  return { method: "occlusion", values: new Tensor("float32", x.shape, values), target, score, notes: [] };
}

/** For each element the mean fall of the score over the windows that cover it. */
async function meanDrops(
  explained: Explained,
  windows: readonly Window[],
  { data: [fill] }: Tensor,
): Promise<Float32Array<ArrayBuffer>> {
  const { x, score } = explained;
  const strides = stridesOf(x.shape);
  const covered = await explained.scores(windows.length, (i, into) => {
    copyInto(into, x.data);
    eachPlace(windows[i] as Window, strides, (place) => {
      into[place] = fill as number;
    });
  });
  const [sums, counts] = [new Float64Array(x.data.length), new Uint32Array(x.data.length)];
  for (const [i, window] of windows.entries())
    eachPlace(window, strides, (place) => {
      sums[place] = (sums[place] as number) + score - (covered[i] as number);
      counts[place] = (counts[place] as number) + 1;
    });
  return Float32Array.from(sums, (sum, place) => sum / (counts[place] as number));
}
