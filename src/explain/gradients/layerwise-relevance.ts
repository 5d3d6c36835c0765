/** Layer-wise relevance propagation: the score handed back layer by layer, each unit dividing what it has among those that fed it. */
import { type BackwardRule, operandGradients, propagateBack } from "../../autodiff/gradients.ts";
import { UnsupportedError } from "../../core/errors.ts";
import { nonNegative, positive } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { sameShape } from "../../core/shape.ts";
import type { Tensor } from "../../core/tensor.ts";
import type { Node, Value } from "../../graph/ir.ts";
import { makeNode } from "../../graph/op.ts";
import { type Context, Module } from "../../nn/index.ts";
import * as ops from "../../ops/index.ts";
import { elementwiseOps, kindOf } from "../../ops/registry.ts";
import { type Attribution, completenessOf, type RunOptions, runTypes } from "../attribution.ts";
import { explainedOf, noGradient, orOtherWays, requireGradients, type Seeded } from "../explained.ts";
import { dependentsOf } from "../layers.ts";
import {
  activeOperands,
  type BackwardStep,
  beforeSoftmax,
  gradientsIfLinear,
  numberIn,
  placeOf,
  runOnce,
} from "../propagation.ts";

/** Options of `layerwiseRelevance`. */
export interface RelevanceOptions<O> extends RunOptions<O> {
  /** What is added to the size of a sum by which is divided, so that small sums do not blow up; default 1e-6. */
  readonly epsilon?: number;
  /** How much more positive weights count in dense layers and convolutions; default 0, the ε rule; large numbers approach the z+ rule. */
  readonly gamma?: number;
}

const checkOptions = optionsOf<RelevanceOptions<never>>("layerwiseRelevance", {
  ...runTypes,
  epsilon: positive,
  gamma: nonNegative,
});

type Settings = Readonly<Record<"epsilon" | "gamma", number>>;
type Found = Readonly<Record<"values" | "score", Value>>;

/** The relevance of a sample's elements. */
class Relevance extends Module<Seeded, Found> {
  override readonly inputs = { x: "required", seed: "required" } as const;
  readonly scores: Module<Value, Value>;
  readonly #settings: Settings;
  /** What the last trace has to say. */
  notes: readonly string[] = [];

  constructor(scores: Module<Value, Value>, settings: Settings) {
    super();
    this.scores = scores;
    this.#settings = settings;
  }

  protected call({ x, seed }: Seeded, context: Context): Found {
    const { scores, notes } = beforeSoftmax(this.scores.apply(x, context));
    const relevance = ops.mul(scores, seed);
    const rule = relevanceRule(dependentsOf(x, scores), this.#settings);
    const [values] = orOtherWays(() => propagateBack([scores], [relevance], [x], { rule }));
    if (!values) throw noGradient();
    this.notes = notes;
    return { values, score: ops.reshape(ops.reduceSum(relevance), [1]) };
  }
}

/** Division that a small sum does not blow up: r / (z + ε sign z), where 0 counts as positive. */
const divided = (r: Value, z: Value, epsilon: number): Value =>
  ops.div(r, ops.add(z, ops.where(ops.less(z, 0), -epsilon, epsilon)));

/** How relevance goes back through a node. */
function relevanceRule(dependents: ReadonlySet<Value>, { epsilon, gamma }: Settings): BackwardRule {
  return (node, gs, needs) => {
    const step: BackwardStep = { node, gs, needs };
    const active = activeOperands(step);
    const [only] = active;
    const [z] = node.outputs;
    const r = gs[0];
    if (only === undefined || !r || gs.filter(Boolean).length > 1) return undefined;
    // What only moves elements moves their relevance.
    if (gradientsIfLinear(step, dependents)) {
      if (kindOf(node.op) === "reshape") return operandGradients(node, gs, needs);
      // R_i = a_i ∂z/∂a_i R / z, with weights that count more where they are positive
      const own = gamma > 0 && node.op.contracts ? favoured(step, gamma) : node;
      const shares = operandGradients(own, [divided(r, own.outputs[0], epsilon), ...gs.slice(1)], needs);
      return shares.map((share, i) => share && ops.mul(node.inputs[i] as Value, share));
    }
    if (active.length === 1 && elementwiseOps.has(node.op) && node.inputs[only]?.shape.join() === z.shape.join())
      return node.inputs.map((_, i) => (i === only ? r : undefined));
    // A gate weakens a signal, which has all of it (Arras et al. 2017, section 3.2).
    const signal = node.op === ops.Mul ? signalOf(node) : undefined;
    if (signal !== undefined) return node.inputs.map((_, i) => (i === signal ? r : undefined));
    // The largest takes all.
    if (maxima.has(node.op)) return operandGradients(node, gs, needs);
    throw new UnsupportedError(
      `layerwiseRelevance: ${node.op.type} (${placeOf(node)}) has no rule; use deepLift or integratedGradients`,
    );
  };
}

const maxima: ReadonlySet<unknown> = new Set([ops.MaxPool, ops.GlobalMaxPool, ops.ReduceMax]);

const gates: ReadonlySet<unknown> = new Set([ops.Sigmoid, ops.HardSigmoid]);

/** Which operand of a product is a signal of its shape that the other one, from 0 to 1, lets pass. */
function signalOf({ inputs, outputs: [y] }: Node): number | undefined {
  const isGate = (at: number) => gates.has(inputs[at]?.producer?.op);
  const signal = [0, 1].find((at) => isGate(1 - at) && !isGate(at));
  return signal !== undefined && sameShape(inputs[signal]?.shape ?? [], y.shape) ? signal : undefined;
}

/** The node with weights and biases w + γ max(w, 0) (Montavon et al. 2019, table 1). */
function favoured({ node, needs }: BackwardStep, gamma: number) {
  const grown = (w: Value) => ops.add(w, ops.mul(ops.relu(w), gamma));
  const inputs = node.inputs.map((value, i) => (value && !needs[i] ? grown(value) : value));
  return makeNode(node.op, inputs, node.attributes);
}

/**
 * The relevance of each element of a sample [1, …]: the score handed back from layer to layer, each sum dividing what it has by its terms (Bach et
 * al. 2015, eq. 58; with `gamma` Montavon et al. 2019, table 1). Activations hand on what they have, a maximum all of it to the largest, and a product with a sigmoid all of it
 * to what the sigmoid gates. Where
 * there are no biases the values sum to the score; what biases and ε keep is the error in `completeness`. Normalization is a layer by itself,
 * which takes its share: merge it into the convolution before it if that matters. Throws as `saliency`, and UnsupportedError for an operator
 * without a rule, such as a product of two values.
 * @example const { values } = await explain.layerwiseRelevance(model, image, { gamma: 0.25 });
 */
export async function layerwiseRelevance<O>(
  model: Module<Value, O>,
  x: Tensor,
  options: RelevanceOptions<O> = {},
): Promise<Attribution> {
  const { epsilon = 1e-6, gamma = 0 } = checkOptions(options as RelevanceOptions<never>);
  const explained = await explainedOf(model, x, options);
  requireGradients(x);
  const relevance = new Relevance(explained.module, { epsilon, gamma });
  const { values, score } = await runOnce(relevance, { x, seed: explained.seed }, explained);
  const { completeness, notes } = completenessOf(
    (values as Tensor<"float32">).data,
    numberIn(score),
    "biases keep what is missing",
  );
  return {
    method: "layerwiseRelevance",
    values: values as Tensor<"float32">,
    target: explained.target,
    score: numberIn(score),
    completeness,
    notes: [...relevance.notes, ...notes],
  };
}
