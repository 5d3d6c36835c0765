/** A curve as the page and its files draw it: its points, what they are drawn over, its color. */
import type { ProcessLoad } from "../../train/callbacks/process-load.node.ts";

/** A curve, thinned for drawing. */
export interface Curve {
  readonly run: string;
  readonly name: string;
  /** Whether it has a point for each epoch, or for some batches. */
  readonly by: "batch" | "epoch";
  /** Batches that the run had made at each point; of event files the step that they say. */
  readonly batches: readonly number[];
  readonly values: readonly (number | null)[];
  /** The values smoothed over all points, those that are not drawn among them. */
  readonly smoothed?: readonly (number | null)[];
  /** Batches of an epoch, where they are known. */
  readonly batchesOfEpoch?: number;
  /** Seconds since 1970 of each point, where event files say them. */
  readonly times?: readonly number[];
}

/** Names of curves of the process that trains, not of what it trains. */
export const loadCurves: readonly string[] = ["cpuPercent", "memoryMiB"] satisfies readonly (keyof ProcessLoad)[];

/** What the axis below counts: batches, epochs, or seconds since the first point. */
export const axes = ["step", "epoch", "time"] as const;
export type Axis = (typeof axes)[number];

/** How curves are drawn. */
export interface Drawing {
  readonly axis: Axis;
  /** Weight of what came before in the smoothed curve, from 0 to below 1; 0 for none. */
  readonly smoothing: number;
  /** Whether the axis beside is logarithmic: values of 0 and below are left out. */
  readonly logarithmic: boolean;
}

/** Where a curve's points stand; nothing where that is not known. */
export function placesOf({ batches, batchesOfEpoch, times }: Curve, axis: Axis): readonly number[] | undefined {
  if (axis === "step") return batches;
  if (axis === "time") return times?.map((time) => time - (times[0] ?? 0));
  return batchesOfEpoch === undefined ? undefined : batches.map((batch) => batch / batchesOfEpoch);
}

/** Colors of curves, told apart by people who see colors otherwise too (Okabe and Ito 2008), a little darker for thin lines. */
const colors = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#7b3fa0", "#5f6b76"] as const;

/** The color of a place, from 0; after the last they begin again. */
export const colorOf = (place: number): string => colors[place % colors.length] ?? colors[0];
