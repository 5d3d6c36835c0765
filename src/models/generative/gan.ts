/**
 * Generative adversarial networks (Goodfellow et al. 2014): a generator that makes images of noise, and a discriminator
 * that tells them from real ones.
 */
import { count, having } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import { keyOf } from "../../core/random.ts";
import type { Value } from "../../graph/ir.ts";
import {
  activation,
  batchNorm,
  type Context,
  conv2d,
  convTranspose2d,
  dense,
  dropout,
  flatten,
  Module,
  normalInit,
  reshape,
  sequential,
} from "../../nn/index.ts";
import { constant, leakyRelu, mul, stopGradient, sub } from "../../ops/index.ts";
import { keyTensor, randomNormal } from "../../ops/random.ts";

/** Options of `Gan`. */
export interface GanOptions {
  /** From noise [N, noise] to images. */
  readonly generator: Module;
  /** From images to logits [N, 1]. */
  readonly discriminator: Module;
  /** Numbers of a generator's input. */
  readonly noise: number;
}

const checkGan = optionsOf<GanOptions>("Gan", {
  generator: required(having("apply", "a module")),
  discriminator: required(having("apply", "a module")),
  noise: required(count()),
});

/** Logits of a discriminator, [N, 1] each. */
export type GanOutputs = {
  /** Of real images. */
  readonly real: Value;
  /** Of made images, from which nothing goes back to their maker. */
  readonly made: Value;
  /** Of the same made images, from which nothing goes back to the judge. */
  readonly passed: Value;
};

/**
 * Both networks as one model: real images x in [0, 1], [N, …] → what the discriminator says. A loss of `real` and `made` teaches
 * the discriminator alone, one of `passed` the generator alone, so that one step descends for both.
 */
export class Gan extends Module<Value, GanOutputs> {
  readonly generator: Module;
  readonly discriminator: Module;
  readonly #noise: number;
  constructor(options: GanOptions) {
    super();
    const { generator, discriminator, noise } = checkGan(options);
    this.generator = generator;
    this.discriminator = discriminator;
    this.#noise = noise;
  }
  protected call(x: Value, context: Context): GanOutputs {
    // Outside training the same noise each time, so that a test can be repeated.
    const shape = [x.shape[0] ?? 1, this.#noise];
    const key = context.training ? context.randomKey(shape) : constant(keyTensor(keyOf(0)));
    const made = this.generator.apply(randomNormal(key, shape), context);
    const judge = (images: Value) => this.discriminator.apply(images, context);
    return {
      // Real images in the range of a tanh.
      real: judge(sub(mul(x, 2), 1)),
      made: judge(stopGradient(made)),
      passed: context.detached(() => judge(made)),
    };
  }
}

/** Leaky enough that gradients reach the generator through a sure discriminator. */
const leak = (x: Value) => leakyRelu(x, 0.2);
const leaky = () => activation(leak);

/** Dense layers of 128 units around 28x28 images; noise [N, 100] → [N, 1, 28, 28] in [-1, 1]. */
export const denseGenerator = (): Module =>
  sequential([
    ...[128, 128, 128].map((units) => dense(units, { activation: leak, initializer: "heNormal" })),
    dense(784, { activation: "tanh" }),
    reshape([1, 28, 28]),
  ]);

/** Dense layers that tell real images from made ones: [N, 1, 28, 28] → logits [N, 1]. */
export const denseDiscriminator = (): Module =>
  sequential([
    flatten(),
    ...[128, 128, 128].flatMap((units) => [dense(units, { activation: leak, initializer: "heNormal" }), dropout(0.3)]),
    dense(1),
  ]);

const initializer = normalInit(0, 0.02);

/** Transposed convolutions, each normalized (Radford et al. 2016, DCGAN, sec. 3): noise [N, 100] → [N, 1, 28, 28] in [-1, 1]. */
export const convolutionalGenerator = (): Module =>
  sequential([
    dense(64 * 7 * 7, { bias: false, initializer }),
    batchNorm(),
    leaky(),
    reshape([64, 7, 7]),
    convTranspose2d(32, 4, { stride: 2, padding: 1, bias: false, initializer }),
    batchNorm(),
    leaky(),
    convTranspose2d(1, 4, { stride: 2, padding: 1, initializer, activation: "tanh" }),
  ]);

/** Convolutions with strides in place of pooling; [N, 1, 28, 28] → logits [N, 1]. */
export const convolutionalDiscriminator = (): Module =>
  sequential([
    conv2d(32, 4, { stride: 2, padding: 1, initializer }),
    leaky(),
    dropout(0.3),
    conv2d(64, 4, { stride: 2, padding: 1, initializer }),
    leaky(),
    dropout(0.3),
    flatten(),
    dense(1, { initializer }),
  ]);
