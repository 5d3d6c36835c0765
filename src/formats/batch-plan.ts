/** Whether inputs have another batch size than the one that a file is written for, and along which axes. */
import type { SampleAxes } from "../graph/op.ts";
import type { Declared } from "../import/declared.ts";
import type { BatchSizes } from "../import/rebatch.ts";

interface Shaped {
  readonly shape: readonly number[];
}

/** How a graph for the file's batch size becomes one for the inputs. */
export interface BatchPlan {
  /** Where the samples of each input lie; none for one that is the same for all. */
  readonly axes: SampleAxes;
  readonly sizes: BatchSizes;
}

/** Axes along which an input has another extent than the file writes; `undefined` when even the rank differs. */
function differing({ extents }: Declared, { shape }: Shaped): readonly number[] | undefined {
  if (!extents) return [];
  if (extents.length !== shape.length) return undefined;
  return extents.flatMap((extent, axis) => (typeof extent === "number" && extent !== shape[axis] ? [axis] : []));
}

/**
 * The plan for inputs of which one at least differs from the file in its first extent, the batch: the others may have it along any
 * axis. `undefined` where shapes are as the file has them, or differ otherwise.
 */
export function planBatch(inputs: readonly Declared[], given: readonly Shaped[]): BatchPlan | undefined {
  const found = inputs.map((declared, i) => differing(declared, given[i] ?? { shape: [] }));
  const first = found.findIndex((axes) => axes?.[0] === 0);
  const from = inputs[first]?.extents?.[0];
  const to = given[first]?.shape[0];
  if (typeof from !== "number" || to === undefined) return undefined;
  const fits = found.every((axes, i) =>
    axes?.every((axis) => axes.length === 1 && inputs[i]?.extents?.[axis] === from && given[i]?.shape[axis] === to),
  );
  if (!fits) return undefined;
  const axes = found.map((own, i) => {
    const [axis] = own ?? [];
    if (axis !== undefined) return axis;
    // An open batch beside one that is written.
    return typeof inputs[i]?.extents?.[0] !== "number" && given[i]?.shape[0] === to ? 0 : undefined;
  });
  return { axes, sizes: { from, to } };
}

/** The plan for inputs whose file leaves the first extent open, from a batch of one; `undefined` where there is no such batch. */
export function planOpenBatch(inputs: readonly Declared[], given: readonly Shaped[]): BatchPlan | undefined {
  const isOpen = ({ extents }: Declared) => extents === undefined || typeof extents[0] !== "number";
  const first = inputs.findIndex((declared, i) => isOpen(declared) && (given[i]?.shape.length ?? 0) > 0);
  const to = given[first]?.shape[0];
  if (to === undefined || to === 1) return undefined;
  const axes = inputs.map((declared, i) => (isOpen(declared) && given[i]?.shape[0] === to ? 0 : undefined));
  return { axes, sizes: { from: 1, to } };
}
