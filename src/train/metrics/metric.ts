/** What a metric is: a measure of a model's output that adds up over batches; inside the graph only sums are taken. */
import { number, string } from "../../core/option-types.ts";
import { type OptionTypes, optionsOf } from "../../core/options.ts";
import type { Shape } from "../../core/shape.ts";
import { size } from "../../core/shape.ts";
import type { Value } from "../../graph/ir.ts";
import { spread } from "../../nn/losses/terms.ts";
import { cast, concat, full, mul, reduceSum, reshape } from "../../ops/index.ts";

/** What counts, and how much. */
export interface Counting {
  /** Weights of samples, [N]; default 1 each. */
  readonly weight?: Value | undefined;
  /** A label that stands for none, such as padding; default: all count. */
  readonly ignoreIndex?: number | undefined;
}

/** A figure that is known from statistics, which are added over batches. */
export interface Figure {
  /** Name in results and logs. */
  readonly name: string;
  /** Numbers among its statistics. */
  readonly size: number;
  /** The figure from added statistics; NaN when nothing was measured. */
  result(statistics: Float64Array): number;
  /** Whether higher ("up") or lower ("down") is better. */
  readonly direction: "up" | "down";
}

/** A measure of a model's outputs against their targets, which adds up over batches. See `accuracy` and the others. */
export interface Metric extends Figure {
  /** Statistics of a batch, float32 [size]; those of several batches are added (in float64, outside the graph). */
  update(output: Value, target: Value, counting?: Counting): Value;
  /** A label that does not count; default that of the loss. */
  readonly ignoreIndex?: number | undefined;
  /** Which output it reads, by its path in what the model gives, and which tensor of the batch; default the only output, and `y`. */
  readonly reads?: { readonly output?: string | undefined; readonly target?: string | undefined } | undefined;
}

/** Options of `reading`. */
export interface ReadingOptions {
  /** Path of the output in what the model gives; default the only one. */
  readonly output?: string;
  /** Name of the target in the batch; default `y`. */
  readonly target?: string;
  /** Name in results; default that of the metric. */
  readonly name?: string;
}

const checkReading = optionsOf<ReadingOptions>("reading", { output: string, target: string, name: string });

/**
 * A metric that reads one of several outputs, by its path, and a target of another name than `y`; `name` is what
 * results call it.
 * @example metrics: [reading(accuracy(), { output: "parity", target: "even", name: "parity" })]
 */
export function reading(metric: Metric, options: ReadingOptions): Metric {
  const { output, target, name = metric.name } = checkReading(options);
  return { ...metric, name, reads: { output, target } };
}

/** Labels that do not count. */
export interface IgnoreOptions {
  /** A label that stands for none, such as padding; default that of the loss. */
  readonly ignoreIndex?: number;
}

export const ignoreTypes: OptionTypes<IgnoreOptions> = { ignoreIndex: number };

/** Scalars of any dtype as one float32 vector, which a metric's `update` gives. */
export const statistics = (...sums: readonly (Value | number)[]): Value =>
  concat(sums.map((sum) => (typeof sum === "number" ? full([1], sum) : reshape(cast(sum, "float32"), [1]))));

/** The first of two statistics divided by the second: the result of a mean. */
export const ratio = (sums: Float64Array): number => (sums[0] ?? 0) / (sums[1] ?? 0);

/** Statistics of a mean, float32 [2]: Σ values · weights, and Σ weights; without weights each value counts once. */
export const meanStatistics = (values: Value, weights: Value | undefined): Value =>
  weights
    ? statistics(reduceSum(mul(values, weights)), reduceSum(weights))
    : statistics(reduceSum(values), size(values.shape));

/** Weights of samples [N] for rows of a shape [N, …], float32; `undefined` where all count alike. */
export const rowWeights = (where: string, shape: Shape, weight: Value | undefined): Value | undefined =>
  weight && spread(where, weight, full([...shape], 0));
