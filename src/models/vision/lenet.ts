/** LeNet-5 (LeCun et al. 1998). */
import { count } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import type { Value } from "../../graph/ir.ts";
import { activation, averagePool2d, type Context, conv2d, dense, flatten, Module } from "../../nn/index.ts";
import { imageInputs, type Preset, plainPreset } from "../shared/preset.ts";

/** Options of `LeNet5`. */
export interface LeNetOptions {
  /** Outputs; default 10. */
  readonly classes?: number;
}

const checkOptions = optionsOf<LeNetOptions>("LeNet5", { classes: count() });

/**
 * [N, 1, 28, 28] → [N, classes], the layers named as in the paper's section II.B. As usual today C3 sees every map of
 * S2 (the paper's table I leaves some out), S2 and S4 average without parameters, and the output is linear instead of
 * radial basis functions. The paper's 32x32 images are 28x28 ones with the padding that C1 adds here.
 */
export class LeNet5 extends Module {
  readonly c1 = conv2d(6, 5, { padding: 2 });
  readonly s2 = averagePool2d(2);
  readonly c3 = conv2d(16, 5);
  readonly s4 = averagePool2d(2);
  readonly flatten = flatten();
  readonly c5 = dense(120);
  readonly f6 = dense(84);
  readonly output: Module;
  readonly tanh = activation("tanh");
  constructor(options: LeNetOptions = {}) {
    super();
    const { classes = 10 } = checkOptions(options);
    this.output = dense(classes);
  }
  protected call(x: Value, context: Context): Value {
    const { c1, s2, c3, s4, flatten, c5, f6, output, tanh } = this;
    // [N, 6, 14, 14], [N, 16, 5, 5], [N, 400], [N, 120], [N, 84], [N, classes]
    const layers = [c1, tanh, s2, c3, tanh, s4, flatten, c5, tanh, f6, tanh, output];
    return layers.reduce((value, layer) => layer.apply(value, context), x);
  }
}

export const lenetPresets: readonly Preset[] = [
  plainPreset(
    {
      name: "lenet5",
      summary: "five weighted layers for handwritten digits, the first convolutional network in wide use",
      source: "LeCun et al. 1998, Gradient-Based Learning Applied to Document Recognition",
      inputs: imageInputs(1, 28),
    },
    (options) => new LeNet5(options),
  ),
];
