/** Fusion of modalities: networks that each take an input of their own, joined by their features or by what they give. */
import { OptionError, ShapeError } from "../../core/errors.ts";
import { flag, listOf, nonNegative, oneOf } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { sameShape, showShape, size } from "../../core/shape.ts";
import type { Value } from "../../graph/ir.ts";
import { type Context, Module, type NamedInputs, zerosInit } from "../../nn/index.ts";
import { add, concat, log, mul, reshape, scalar, slice, softmax } from "../../ops/index.ts";

/** Networks by the names of the inputs that they take. */
type Branches<O = Value> = Readonly<Record<string, Module<Value, O>>>;

/** Throws OptionError without a network. */
function requireBranches(who: string, branches: Branches): NamedInputs {
  const names = Object.keys(branches);
  if (names.length === 0)
    throw new OptionError(
      `${who} joins networks by the names of their inputs, and got none: { image: cnn, text: encoder }`,
    );
  return Object.fromEntries(names.map((name) => [name, "required" as const]));
}

/** What each network gives for its input. */
const outputsOf = (branches: Branches, inputs: Readonly<Record<string, Value>>, context: Context): readonly Value[] =>
  Object.entries(branches).map(([name, branch]) => branch.apply(inputs[name] as Value, context));

/** Features side by side, and one head on them. Make one with `earlyFusion`. */
export class EarlyFusion extends Module<Readonly<Record<string, Value>>, unknown> {
  override readonly inputs: NamedInputs;
  readonly encoders: Branches;
  readonly head: Module<Value, unknown>;

  constructor(encoders: Branches, head: Module<Value, unknown>) {
    super();
    this.inputs = requireBranches("earlyFusion", encoders);
    [this.encoders, this.head] = [encoders, head];
  }

  protected call(inputs: Readonly<Record<string, Value>>, context: Context): unknown {
    const features = outputsOf(this.encoders, inputs, context).map((own) => {
      const [samples = 1] = own.shape;
      return reshape(own, [samples, size(own.shape) / samples]);
    });
    return this.head.apply(concat(features, 1), context);
  }
}

/** Options of `lateFusion`. */
export interface LateFusionOptions {
  /** What is averaged: the scores as they are (the default), their softmax, or its logarithm, which multiplies probabilities. */
  readonly of?: "scores" | "probabilities" | "logProbabilities" | undefined;
  /** How much each network counts, in the order of their names; divided by their sum. Default all alike. */
  readonly weights?: readonly number[] | undefined;
  /** Learn the weights, from all alike on; default false. */
  readonly learned?: boolean | undefined;
}

const checkLate = optionsOf<LateFusionOptions>("lateFusion", {
  of: oneOf("scores", "probabilities", "logProbabilities"),
  weights: listOf(nonNegative, "numbers from 0"),
  learned: flag,
});

/** A weighted mean of what networks give for inputs of their own. Make one with `lateFusion`. */
export class LateFusion extends Module<Readonly<Record<string, Value>>, Value> {
  override readonly inputs: NamedInputs;
  readonly members: Branches;
  readonly #of: NonNullable<LateFusionOptions["of"]>;
  readonly #weights: readonly number[] | undefined;

  constructor(members: Branches, options: LateFusionOptions = {}) {
    super();
    this.inputs = requireBranches("lateFusion", members);
    const { of = "scores", weights, learned = false } = checkLate(options);
    const count = Object.keys(members).length;
    if (weights && (weights.length !== count || weights.every((weight) => weight === 0)))
      throw new OptionError(`lateFusion: weights are ${weights.join(", ")}; pass ${count} numbers that are not all 0`);
    if (weights && learned) throw new OptionError("lateFusion: weights are given or learned; pass one of the two");
    [this.members, this.#of] = [members, of];
    const given = weights ?? Array<number>(count).fill(1);
    const sum = given.reduce((total, weight) => total + weight, 0);
    this.#weights = learned ? undefined : given.map((weight) => weight / sum);
  }

  protected call(inputs: Readonly<Record<string, Value>>, context: Context): Value {
    const outputs = outputsOf(this.members, inputs, context).map((scores) => this.#averaged(scores));
    const [first, ...others] = outputs as [Value, ...Value[]];
    const odd = others.find(({ shape }) => !sameShape(shape, first.shape));
    if (odd)
      throw new ShapeError(
        `the networks give ${showShape(first.shape)} and ${showShape(odd.shape)}; give all of them the same classes`,
      );
    const weights = this.#weightsOf(outputs.length, context);
    return outputs.map((own, i) => mul(own, weights[i] as Value)).reduce((sum, own) => add(sum, own));
  }

  #averaged(scores: Value): Value {
    if (this.#of === "scores") return scores;
    const probabilities = softmax(scores);
    return this.#of === "probabilities" ? probabilities : log(probabilities);
  }

  /** Scalars that sum to 1. */
  #weightsOf(count: number, context: Context): readonly Value[] {
    if (this.#weights) return this.#weights.map((weight) => scalar(weight));
    const raw = context.parameter(this, "weights", { shape: [count], initializer: zerosInit });
    const shares = softmax(raw);
    return Array.from({ length: count }, (_, i) => reshape(slice(shares, { axis: 0, start: i, end: i + 1 }), []));
  }
}

/**
 * Networks that each read an input of their own, [N, …] → features, laid side by side [N, ΣF], and a head on them: what one modality says
 * can change what another means (early fusion; Baltrušaitis et al. 2019, sec. 6). One graph, which exports as one file.
 * @example
 * const model = earlyFusion({ image: cnn, row: dense(16, { activation: "relu" }) }, dense(10));
 * await fit(model, data, { loss: crossEntropy(), optimizer: adam(), epochs: 5 }); // batches of image, row and y
 */
export const earlyFusion = (encoders: Branches, head: Module<Value, unknown>): EarlyFusion =>
  new EarlyFusion(encoders, head);

/**
 * Networks that each read an input of their own and give the same classes, averaged (late fusion; Baltrušaitis et al. 2019, sec. 6): trained apart, or together. One
 * graph, which exports as one file. Throws OptionError for weights that do not fit, ShapeError for outputs of other shapes.
 * @example const model = lateFusion({ image: cnn, text: encoder }, { of: "logProbabilities", weights: [2, 1] });
 */
export const lateFusion = (members: Branches, options: LateFusionOptions = {}): LateFusion =>
  new LateFusion(members, options);
