/** The variational autoencoder (Kingma and Welling 2014): images through a narrow, random code. */
import { count } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import { keyOf } from "../../core/random.ts";
import type { Value } from "../../graph/ir.ts";
import { type Context, dense, flatten, Module, sequential } from "../../nn/index.ts";
import { add, constant, exp, mul, reduceSum, square, sub } from "../../ops/index.ts";
import { keyTensor, randomNormal } from "../../ops/random.ts";

/** Options of `Vae`. */
export interface VaeOptions {
  /** Numbers of an image. */
  readonly inputs: number;
  /** Units of the hidden layers; default 400. */
  readonly hidden?: number;
  /** Numbers of the code; default 20. */
  readonly code?: number;
}

const checkVae = optionsOf<VaeOptions>("Vae", { inputs: required(count()), hidden: count(), code: count() });

/** What an autoencoder makes of images. */
export type VaeOutputs = {
  /** Of the pixels of images like them, [N, inputs]. */
  readonly logits: Value;
  /** Kullback-Leibler divergence of each image's code from a standard normal (eq. 10), [N]. */
  readonly divergence: Value;
};

/**
 * Images x in [0, 1], [N, …] → images like them through a random code. The cross-entropies of the pixels, summed, and the
 * divergence are together minus the evidence lower bound.
 */
export class Vae extends Module<Value, VaeOutputs> {
  readonly encoder: Module;
  readonly mean: Module;
  readonly logVariance: Module;
  /** From codes [N, code] to logits. */
  readonly decoder: Module;
  constructor(options: VaeOptions) {
    super();
    const { inputs, hidden = 400, code = 20 } = checkVae(options);
    this.encoder = sequential([flatten(), dense(hidden, { activation: "relu", initializer: "heNormal" })]);
    this.mean = dense(code);
    this.logVariance = dense(code, { initializer: "zeros" });
    this.decoder = sequential([dense(hidden, { activation: "relu", initializer: "heNormal" }), dense(inputs)]);
  }
  protected call(x: Value, context: Context): VaeOutputs {
    const features = this.encoder.apply(x, context);
    const mean = this.mean.apply(features, context);
    const logVariance = this.logVariance.apply(features, context);
    // Outside training the same draw each time, so that a test can be repeated.
    const key = context.training ? context.randomKey(mean.shape) : constant(keyTensor(keyOf(0)));
    const code = add(mean, mul(exp(mul(logVariance, 0.5)), randomNormal(key, mean.shape)));
    // -½ Σ (1 + log σ² - μ² - σ²)
    const divergence = mul(-0.5, reduceSum(sub(add(1, logVariance), add(square(mean), exp(logVariance))), 1));
    return { logits: this.decoder.apply(code, context), divergence };
  }
}
