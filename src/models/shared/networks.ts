/** Feed-forward networks of transformers: plain, gated, and experts of which a router chooses some for each token. */
import type { Value } from "../../graph/ir.ts";
import {
  type ActivationName,
  activation,
  activationOf,
  type Context,
  type Dense,
  dense,
  dropout,
  type Initializer,
  Module,
} from "../../nn/index.ts";
import { concat, div, linear, matmul, mul, oneHot, reduceSum, reshape, softmax, split, topK } from "../../ops/index.ts";
import { type Chain, chain } from "./blocks.ts";
import { Weight } from "./weight.ts";

/** What every network has. */
export interface NetworkForm {
  readonly width: number;
  /** Features inside. */
  readonly feedForward: number;
  readonly activation: ActivationName;
  readonly initializer: Initializer;
  /** Default false. */
  readonly bias?: boolean;
}

/** act(x W_in) W_out under two names, and dropout. */
export function plainNetwork(names: readonly [into: string, out: string], form: NetworkForm, rate = 0): Chain {
  const { width, feedForward, activation: name, bias = false, initializer } = form;
  return chain({
    [names[0]]: dense(feedForward, { bias, initializer }),
    activation: activation(name),
    [names[1]]: dense(width, { bias, initializer }),
    dropout: dropout(rate),
  });
}

/** The published names of a gated network's layers: of gate, inner features and output, or of both together and the output. */
export type GateNames = readonly [gate: string, up: string, down: string] | readonly [joint: string, down: string];

/** act(x W_gate) · (x W_up) W_down (Shazeer 2020): [..., W] → [..., W]. */
export class GatedNetwork extends Module {
  readonly #into: readonly Dense[];
  readonly #out: Dense;
  readonly #form: NetworkForm;
  constructor(names: GateNames, form: NetworkForm) {
    super();
    const { width, feedForward, bias = false, initializer } = form;
    const into = names.length === 2 ? [2 * feedForward] : [feedForward, feedForward];
    this.#into = into.map((units) => dense(units, { bias, initializer }));
    this.#out = dense(width, { bias, initializer });
    Object.assign(this, Object.fromEntries([...this.#into, this.#out].map((layer, i) => [names[i], layer])));
    this.#form = form;
  }
  protected call(x: Value, context: Context): Value {
    const { feedForward, activation: name } = this.#form;
    const made = this.#into.map((layer) => layer.apply(x, context));
    const [gate, up] = made.length === 1 ? split(made[0] as Value, [feedForward, feedForward], -1) : made;
    return this.#out.apply(mul(activationOf(name)(gate as Value), up as Value), context);
  }
}

/** How experts are chosen. */
export interface ExpertsForm extends NetworkForm {
  /** How many there are. */
  readonly count: number;
  /** How many each token is given to. */
  readonly perToken: number;
  /** The shares of those that are chosen sum to 1. */
  readonly normalized: boolean;
  /** Published names of an expert's layers. */
  readonly names: readonly [gate: string, up: string, down: string];
}

/**
 * Gated networks of which a router gives each token to some (Shazeer et al. 2017; Jiang et al. 2024, sec. 2): the sum of what those
 * make of it, each times its share. Every expert is computed for every token, in three products for all, and the shares of those that are
 * not chosen are 0.
 */
export class Experts extends Module {
  readonly gate: Dense;
  readonly experts: readonly Readonly<Record<string, Weight>>[];
  readonly #form: ExpertsForm;
  constructor(form: ExpertsForm) {
    super();
    const { width, feedForward, count, names, initializer } = form;
    this.gate = dense(count, { bias: false, initializer });
    const [gate, up, down] = names;
    this.experts = Array.from({ length: count }, () => ({
      [gate]: new Weight("dense", [feedForward, width], initializer),
      [up]: new Weight("dense", [feedForward, width], initializer),
      [down]: new Weight("dense", [width, feedForward], initializer),
    }));
    this.#form = form;
  }
  /** How many experts there are, and how many a token is given to. */
  get shares(): { readonly count: number; readonly perToken: number } {
    const { count, perToken } = this.#form;
    return { count, perToken };
  }
  protected call(x: Value, context: Context): Value {
    const { activation: name, count, feedForward, names } = this.#form;
    // All experts' weights of one name, as one matrix.
    const joint = (at: number, axis: number) =>
      concat(
        this.experts.map((expert) => (expert[names[at] as string] as Weight).apply(x, context)),
        axis,
      );
    const inner = mul(activationOf(name)(linear(x, joint(0, 0))), linear(x, joint(1, 0))); // [..., E·F]
    const places = x.shape.slice(0, -1);
    const shared = mul(reshape(inner, [...places, count, feedForward]), reshape(this.#shares(x, context), [...places, count, 1])); // biome-ignore format: a shape a line
    return linear(reshape(shared, [...places, count * feedForward]), joint(2, 1));
  }

  /** The share of each expert in each token, [..., E], 0 of those that are not chosen. */
  #shares(x: Value, context: Context): Value {
    const { count, perToken, normalized } = this.#form;
    const { values: best, indices: which } = topK(softmax(this.gate.apply(x, context)), perToken); // [..., k]
    const shares = normalized ? div(best, reduceSum(best, [-1], { keepDims: true })) : best;
    const rows = reshape(shares, [...shares.shape.slice(0, -1), 1, perToken]);
    return reshape(matmul(rows, oneHot(which, count)), [...x.shape.slice(0, -1), count]);
  }
}
