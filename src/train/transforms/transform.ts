/** What stands between the gradients of a batch and the update. */
import type { Key } from "../../core/random.ts";
import type { SampleClipping } from "../engine/clipped-step.ts";
import type { Bucket } from "../store/buckets.ts";
import type { Gradients } from "../store/gradients.ts";
import type { Shard } from "../store/shard.ts";

/** The step that a transform is part of. */
export interface TransformStep {
  /** How much the batch stands for in a mean: of a loss over n samples, n. */
  readonly weight: number;
  /** Batches before this one. */
  readonly batch: number;
  /** Differs for each batch and each transform. */
  readonly key: Key;
  /** Where samples were clipped, how many of the batch, of a weight above 0, were within the limit of each group. */
  readonly within?: Float32Array | undefined;
  /** Keeps numbers for the step's result, under the transform's name. */
  report(numbers: Readonly<Record<string, number>>): void;
}

/**
 * What became of the gradients: `unchanged` (but perhaps for their scale), `changed` in their vectors, or `held`: there is no
 * update now.
 */
export type Transformed = "unchanged" | "changed" | "held";

/** A transform that is compiled for vectors. */
export interface BoundTransform {
  /** Where it is the first, and gradients come in buckets: is told of each that is there, before `apply`, while others are still computed. */
  begin?(bucket: Bucket): void;
  apply(gradients: Gradients, step: TransformStep): Transformed | Promise<Transformed>;
  /** At the end of an epoch, hands on what is held; default: nothing is. */
  flush?(gradients: Gradients): Transformed | Promise<Transformed>;
  /** After each update, which it may correct in the vector `parameters`: what keeps elements at zero whatever the optimizer does. */
  updated?(): void | Promise<void>;
}

/**
 * A transform of gradients: accumulation, clipping, noise, a mean over machines. Transforms run in their order, before the
 * update.
 * @example
 * // The sign of each element alone (Bernstein et al. 2018).
 * const signs: GradientTransform = {
 *   name: "signs",
 *   bind: () => ({
 *     apply: (gradients) =>
 *       gradients.edit((gradient) => {
 *         for (const [i, element] of gradient.entries()) gradient[i] = Math.sign(element);
 *       }),
 *   }),
 * };
 */
export interface GradientTransform {
  /** Under which it reports and remembers. */
  readonly name: string;
  /** Makes gradients whole of which this process has a part: their norm is measured after it. Default false. */
  readonly completes?: boolean;
  /** Bounds the gradient of each sample before they are added up: gradients are then sums of clipped ones, divided by `samples`. Default not at all. */
  readonly clipping?: SampleClipping;
  /** Names of vectors that it remembers, beside `parameters` and `gradients`; zero at first. */
  readonly slots?: readonly string[];
  /**
   * Compiles it for the vectors of shards; called anew when other parameters are trained. `memory` holds numbers from step to
   * step, empty at first; vectors and numbers are saved in checkpoints.
   */
  bind(shards: readonly Shard[], memory: Record<string, number>): BoundTransform;
}
