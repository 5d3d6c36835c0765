/** Several kinds of networks side by side, each of members that can be trained on other samples: what they add up to. */
import type { Value } from "../../graph/ir.ts";
import { type Context, Module } from "../../nn/index.ts";
import { add, clip, log, mul, reduceMean, reduceSum, sigmoid, softmax, sub } from "../../ops/index.ts";
import { mixture } from "./mixture.ts";

/** The mean and the standard deviation of a number that is predicted, in training data. */
export interface NumberTarget {
  readonly mean: number;
  readonly deviation: number;
}

/** What is predicted of a sample: one of several classes, any of several labels, or a number. */
export type CandidateTarget = "classes" | "labels" | NumberTarget;

/** The least probability whose logarithm is taken. */
const least = 1e-12;

/**
 * Candidates that each give scores [members, N, outputs] of the same input. The network gives log probabilities of classes, log odds of
 * labels, or a number in the units of the target, [N, outputs]: the mean over the members, and over the candidates by their shares, the
 * buffer `mix`.
 */
export abstract class CandidateNetwork extends Module {
  /** By name, in the order of `mix`. */
  abstract readonly candidates: Readonly<Record<string, Module>>;
  /** What may be chosen, by name: of several candidates the mean. */
  abstract readonly choices: Readonly<Record<string, readonly string[]>>;
  readonly members: number;
  readonly target: CandidateTarget;

  constructor(members: number, target: CandidateTarget) {
    super();
    this.members = members;
    this.target = target;
  }

  protected call(x: Value, context: Context): Value {
    return this.inUnits(this.mixed(this.predictions(this.scores(x, context)), context));
  }

  /** Scores of every member of each candidate, [members, N, outputs] each. */
  scores(x: Value, context: Context): readonly Value[] {
    return Object.values(this.candidates).map((candidate) => candidate.apply(x, context) as Value);
  }

  /**
   * What each candidate predicts, [N, outputs]: probabilities, or a number in deviations from the mean.
   * @param shares how much each member counts for each sample, [members, N, 1]; default all alike
   */
  predictions(scores: readonly Value[], shares?: Value): readonly Value[] {
    const { target } = this;
    return scores.map((own) => {
      const each = target === "classes" ? softmax(own) : target === "labels" ? sigmoid(own) : own;
      return shares ? reduceSum(mul(each, shares), 0) : reduceMean(each, 0);
    });
  }

  /** The prediction of all candidates by their shares, [N, outputs]. */
  mixed(predictions: readonly Value[], context: Context): Value {
    return mixture(this, predictions, context);
  }

  /** A prediction in the units of the network's output: log probabilities, log odds, or the target's. */
  inUnits(prediction: Value): Value {
    const { target } = this;
    const logOf = (probability: Value) => log(clip(probability, least, 1));
    if (target === "classes") return logOf(prediction);
    if (target === "labels") return sub(logOf(prediction), logOf(sub(1, prediction)));
    return add(mul(prediction, target.deviation), target.mean);
  }
}
