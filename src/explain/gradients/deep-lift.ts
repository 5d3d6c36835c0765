/** DeepLIFT: the difference of a score from that of a baseline, divided by the differences that units show. */
import { propagateBack } from "../../autodiff/gradients.ts";
import { optionsOf } from "../../core/options.ts";
import { type Tensor, zerosTensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import { type Context, Module } from "../../nn/index.ts";
import * as ops from "../../ops/index.ts";
import { type Attribution, completenessOf, type RunOptions, requireLike, runTypes } from "../attribution.ts";
import { explainedOf, noGradient, orOtherWays, requireGradients } from "../explained.ts";
import { beforeSoftmax, numberIn, runOnce } from "../propagation.ts";
import { baselineType } from "./integrated-gradients.ts";
import { RescaleRule } from "./rescale-rule.ts";

/** Options of `deepLift`. */
export interface DeepLiftOptions<O> extends RunOptions<O> {
  /** The sample in which nothing is there, of the shape of the input; default zeros. */
  readonly baseline?: Tensor | undefined;
}

const checkOptions = optionsOf<DeepLiftOptions<never>>("deepLift", {
  ...runTypes,
  baseline: baselineType,
});

type Operands = Readonly<Record<"x" | "baseline" | "seed", Value>>;
type Found = Readonly<Record<"values" | "score" | "usual", Value>>;

/** The values of a sample, [1, …], and the two scores. */
class DeepLift extends Module<Operands, Found> {
  override readonly inputs = { x: "required", baseline: "required", seed: "required" } as const;
  readonly scores: Module<Value, Value>;
  /** What the last trace has to say. */
  notes: readonly string[] = [];

  constructor(scores: Module<Value, Value>) {
    super();
    this.scores = scores;
  }

  protected call({ x, baseline, seed }: Operands, context: Context): Found {
    const { scores, notes } = beforeSoftmax(this.scores.apply(x, context));
    const usual = beforeSoftmax(this.scores.apply(baseline, context)).scores;
    const rule = new RescaleRule({ sources: [x], output: scores, usual });
    const [multipliers] = orOtherWays(() =>
      propagateBack([scores], [ops.expand(seed, scores.shape)], [x], { rule: rule.of }),
    );
    if (!multipliers) throw noGradient();
    this.notes = [...notes, ...rule.notes];
    const weighed = (own: Value) => ops.reshape(ops.reduceSum(ops.mul(own, seed)), [1]);
    return { values: ops.mul(multipliers, ops.sub(x, baseline)), score: weighed(scores), usual: weighed(usual) };
  }
}

/**
 * What each element of a sample [1, …] adds to the score on top of a baseline's: differences from the baseline's run are sent back through the
 * network, at a nonlinearity by the ratio of the difference behind it and that before it (Shrikumar et al. 2017, rescale rule). One run of both
 * where integrated gradients take many, and no kinks between points. The values sum to f(x) - f(b), which `completeness` says; of a model that
 * ends with a softmax, f is the score before it. Values are those of Captum's `DeepLift` for ReLU, LeakyReLU, sigmoid, tanh and other functions of
 * single elements, for maxima, and for all that is linear: convolutions, dense layers, normalization by running statistics, sums, concatenation.
 * Products of two values divide evenly; softmax within a network and normalizations of samples go by the rules of what they are made of. Any other
 * operator has its gradient averaged on the way, which `notes` names. Throws as `saliency`, and
 * ShapeError for a baseline of another shape.
 * @example const { values, completeness } = await explain.deepLift(model, image, { target: 3 });
 */
export async function deepLift<O>(
  model: Module<Value, O>,
  x: Tensor,
  options: DeepLiftOptions<O> = {},
): Promise<Attribution> {
  const { baseline } = checkOptions(options as DeepLiftOptions<never>);
  const explained = await explainedOf(model, x, options);
  requireGradients(x);
  const start = requireLike("the baseline", baseline ?? zerosTensor(x.dtype, x.shape), x);
  const lift = new DeepLift(explained.module);
  const { values, score, usual } = await runOnce(lift, { x, baseline: start, seed: explained.seed }, explained);
  const { completeness, notes } = completenessOf(
    (values as Tensor<"float32">).data,
    numberIn(score) - numberIn(usual),
    "operators without a rule, or numbers of very unlike sizes, do that",
  );
  return {
    method: "deepLift",
    values: values as Tensor<"float32">,
    target: explained.target,
    score: numberIn(score),
    completeness,
    notes: [...lift.notes, ...notes],
  };
}
