/** Several networks of the same data side by side, of which one or all are chosen. */
import { objectOf, oneOf } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import type { Value } from "../../graph/ir.ts";
import { type AnyModule, type Context, type Given, type InputForm, Module } from "../../nn/index.ts";
import { add, clip, log, mul, sigmoid, softmax, sub } from "../../ops/index.ts";
import type { NumberTarget } from "./candidate-network.ts";
import { mixture } from "./mixture.ts";

/** What a sample is said to be: one of several classes, each of several labels or not, a number. */
export type CandidateOutput = "classes" | "labels" | "number";

/** Options of `SideBySide`. */
export interface SideBySideOptions {
  /** What the networks' scores are of; default one of several classes. */
  readonly gives?: CandidateOutput;
  /** Of a number: its mean and standard deviation in training data; default 0 and 1. */
  readonly target?: NumberTarget | undefined;
}

const checkOptions = optionsOf<SideBySideOptions>("SideBySide", {
  gives: oneOf<CandidateOutput>("classes", "labels", "number"),
  target: objectOf("{ mean, deviation }"),
});

/** A network that takes `I` and gives scores [N, outputs]. */
type Scoring<I> = AnyModule & { apply(inputs: Given<I>, context: Context): Value };

/** The least probability whose logarithm is taken. */
const least = 1e-7;

/**
 * Networks side by side that take the same inputs, one tensor or several by name, each of which gives scores [N, outputs]; each may learn from views of its own, so that samples which were not
 * trained on tell which of them, or whether all together, are best. It gives log probabilities of classes, logits of labels, or a number in
 * the units of the target, [N, outputs]: the mean of the networks by their shares, the buffer `mix`.
 * @example
 * const model = new SideBySide({ small: dense(3), large: sequential([dense(64, { activation: "relu" }), dense(3)]) });
 */
export class SideBySide<I = Value> extends Module<I, Value> {
  override readonly inputs: InputForm;
  readonly candidates: Readonly<Record<string, Scoring<I>>>;
  readonly #gives: CandidateOutput;
  readonly #target: NumberTarget;

  constructor(candidates: Readonly<Record<string, Scoring<I>>>, options: SideBySideOptions = {}) {
    super();
    const { gives = "classes", target = { mean: 0, deviation: 1 } } = checkOptions(options);
    this.#gives = gives;
    this.#target = target;
    this.candidates = candidates;
    this.inputs = Object.values(candidates)[0]?.inputs ?? "tensor";
  }

  protected call(inputs: I, context: Context): Value {
    const views = Object.keys(this.candidates).map(() => inputs);
    const predictions = this.scores(views, context).map((own) => this.prediction(own));
    return this.inUnits(this.mixed(predictions, context));
  }

  /** Scores of each network, [N, outputs], of a view of its own. */
  scores(views: readonly I[], context: Context): readonly Value[] {
    return Object.values(this.candidates).map((candidate, i) => candidate.apply(views[i] as Given<I>, context));
  }

  /** What scores predict: probabilities, or a number in deviations from the mean. */
  prediction(scores: Value): Value {
    if (this.#gives === "number") return scores;
    return this.#gives === "classes" ? softmax(scores) : sigmoid(scores);
  }

  /** The prediction of all networks by their shares. */
  mixed(predictions: readonly Value[], context: Context): Value {
    return mixture(this, predictions, context);
  }

  /** A prediction in the units of the model's output. */
  inUnits(prediction: Value): Value {
    if (this.#gives === "number") return add(mul(prediction, this.#target.deviation), this.#target.mean);
    const probability = clip(prediction, least, 1 - least);
    const logarithm = log(probability);
    return this.#gives === "classes" ? logarithm : sub(logarithm, log(sub(1, probability)));
  }
}
