/** How training steps are made: the option `training` of `Trainer` and `fit`, and what comes of it. */
import { OptionError } from "../../core/errors.ts";
import { count, eitherOf, flag, having, listOf, matching, oneOf, positive } from "../../core/option-types.ts";
import type { OptionTypes } from "../../core/options.ts";
import { asideLines, type Communicator, communicatorType } from "../../distributed/communicator.ts";
import { type Exchange, exchanges } from "../../distributed/sums.ts";
import { type CompileOptions, checkCompile, precisionType } from "../../jit/compile.ts";
import { type SessionLimits, sessionTypes } from "../../jit/session-cache.ts";
import type { ComputePrecision } from "../../runtime/session.ts";
import { accumulate } from "../transforms/accumulate.ts";
import { clipNorm } from "../transforms/clip.ts";
import type { GradientTransform } from "../transforms/transform.ts";
import { checkLossScale, type LossScaleOptions } from "./loss-scale.ts";
import { checkGroup, type ParameterGroup } from "./parameter-groups.ts";
import { type CacheOptions, checkCache } from "./prefix-cache.ts";
import { type RanksOptions, sumOverRanks } from "./ranks.ts";
import { type MemoryOptions, memoryTypes } from "./step-memory.ts";

/** How steps are made, whatever is minimized: the option `training` of `Trainer` and `fit`. */
export interface TrainingOptions extends SessionLimits, MemoryOptions {
  /** Start of initial values and dropout; default 0. The order of the data has a key of its own, see Dataset.shuffle. */
  readonly seed?: number;
  /** Update once for this many batches; default 1. The transform `accumulate`, after those of `transforms`. */
  readonly accumulate?: number;
  /** Scale the gradient down to this Euclidean norm when it is longer; default off. The transform `clipNorm`, last. */
  readonly clipNorm?: number;
  /** What stands between gradients and updates, in order; default nothing. */
  readonly transforms?: readonly GradientTransform[];
  /** Parameters that are trained otherwise than the rest; default none. */
  readonly groups?: readonly ParameterGroup[];
  /** Device, threads, profiling; default those of the machine, and no profile. */
  readonly compile?: CompileOptions;
  /**
   * What matrix products and convolutions of steps are computed in, default that of `compile`. `"float16"` is mixed precision (Micikevicius et
   * al. 2018): parameters, what the optimizer remembers, sums and losses stay float32, and the loss is scaled so that small gradients are not
   * lost. Evaluation stays float32.
   */
  readonly precision?: ComputePrecision | undefined;
  /** How the loss scale of float16 begins and moves; default from 65,536, halved at overflow, doubled after 2,000 batches without. */
  readonly lossScale?: LossScaleOptions | undefined;
  /**
   * How much is kept of what frozen layers before the trained ones give for each sample, so that later epochs compute the others alone; false
   * keeps nothing. Default up to 1 GB in memory. For `fit`.
   */
  readonly cache?: false | CacheOptions;
  /**
   * The processes that train together: each is given the same batches and takes its rows of them, so that all come to what one would. Default
   * this process alone.
   */
  readonly communicator?: Communicator | undefined;
  /**
   * Whether batch normalization takes its moments over the rows of all processes that train together, as one does, or over those of each, for
   * which they meet less often; default "global".
   */
  readonly normalization?: "global" | "local" | undefined;
  /**
   * Whether each of the processes that train together updates a part of the parameters, and keeps what the optimizer remembers of that part
   * alone (ZeRO, stage 1: Rajbhandari et al. 2020): of Adam's two vectors each keeps its share. Transforms then see the gradients of that part.
   * Default false.
   */
  readonly sharded?: boolean | undefined;
  /**
   * In what numbers the processes that train together exchange gradients: float16 takes half the bytes, and rounds them to 11 bits, by a scale that
   * no sum exceeds. Default "float32".
   */
  readonly exchange?: Exchange | undefined;
  /**
   * In how many buckets the processes that train together exchange gradients, each while those of earlier layers are computed: from 1, the default,
   * to 8. What a bucket takes over costs a copy of what is kept for the way back, so that it pays where the network is slow. On a device with a memory
   * of its own, and where `accumulate` adds batches up first, gradients are exchanged at once.
   */
  readonly buckets?: number | undefined;
}

export const trainingTypes: OptionTypes<TrainingOptions> = {
  seed: count(0),
  accumulate: count(),
  clipNorm: positive,
  transforms: listOf(having<GradientTransform>("bind", "a transform such as clipValue(1)"), "transforms"),
  groups: listOf(checkGroup.type, "groups: [{ parameters: … }]"),
  compile: checkCompile.type,
  precision: precisionType,
  lossScale: checkLossScale.type,
  ...sessionTypes,
  ...memoryTypes,
  cache: eitherOf(
    matching<false>("false", (value) => value === false),
    checkCache.type,
    "false, or bounds such as { memory: 2e9 }",
  ),
  communicator: communicatorType,
  normalization: oneOf("global", "local"),
  sharded: flag,
  exchange: oneOf(...exchanges),
  buckets: matching<number>(
    `a whole number of buckets from 1 to ${asideLines}`,
    (value) => typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= asideLines,
  ),
};
/** The options of compiling with the precision of steps. Throws OptionError for a loss scale that nothing is multiplied by. */
export function withPrecision({
  compile = {},
  precision = compile.precision,
  lossScale,
}: TrainingOptions): CompileOptions {
  if (lossScale && precision !== "float16")
    throw new OptionError('lossScale is for products in float16; pass precision: "float16" with it, or leave it out');
  return { ...compile, precision };
}

/** How ranks share batches, where there are several. */
export const ranksOf = ({ communicator, ...rest }: TrainingOptions): RanksOptions | undefined =>
  communicator && {
    communicator,
    normalization: rest.normalization ?? "global",
    sharded: rest.sharded ?? false,
    exchange: rest.exchange ?? "float32",
    buckets: rest.buckets ?? 1,
  };

/**
 * The transforms of a run: those named, then accumulation, then clipping. Ranks complete the gradients before all of them, or after the
 * accumulation where it is the first: then they meet once for an update.
 */
export function transformsOf(options: TrainingOptions, ranks: RanksOptions | undefined): readonly GradientTransform[] {
  const { transforms = [] } = options;
  const accumulation = (options.accumulate ?? 1) === 1 ? [] : [accumulate(options.accumulate ?? 1)];
  const clipping = options.clipNorm === undefined ? [] : [clipNorm(options.clipNorm)];
  const sum = ranks ? [sumOverRanks(ranks)] : [];
  if (accumulation.length > 0 && transforms.length === 0) return [...accumulation, ...sum, ...clipping];
  return [...sum, ...transforms, ...accumulation, ...clipping];
}
