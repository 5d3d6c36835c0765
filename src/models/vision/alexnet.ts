/** AlexNet in one tower (Krizhevsky 2014, after Krizhevsky et al. 2012). */
import { count, fraction } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import type { Value } from "../../graph/ir.ts";
import {
  activation,
  adaptiveAveragePool2d,
  type Context,
  conv2d,
  dense,
  dropout,
  flatten,
  Module,
  maxPool2d,
} from "../../nn/index.ts";
import { type Chain, chain } from "../shared/blocks.ts";
import { imageInputs, type Preset, plainPreset } from "../shared/preset.ts";

/** Options of `AlexNet`. */
export interface AlexNetOptions {
  /** Outputs; default 1000. */
  readonly classes?: number;
  /** Rate of dropout before the two hidden dense layers; default 0.5. */
  readonly dropout?: number;
}

const checkAlexNet = optionsOf<AlexNetOptions>("AlexNet", { classes: count(), dropout: fraction });

const relu = () => activation("relu");
const conv = (filters: number, kernel: number, padding: number, stride = 1) =>
  conv2d(filters, kernel, { padding, stride, initializer: "heNormal" });

/** AlexNet as revised for one GPU (Krizhevsky 2014): [N, 3, 224, 224] → [N, classes]; names as in torchvision. */
export class AlexNet extends Module {
  readonly features = chain([
    conv(64, 11, 2, 4),
    relu(),
    maxPool2d(3, { stride: 2 }),
    conv(192, 5, 2),
    relu(),
    maxPool2d(3, { stride: 2 }),
    conv(384, 3, 1),
    relu(),
    conv(256, 3, 1),
    relu(),
    conv(256, 3, 1),
    relu(),
    maxPool2d(3, { stride: 2 }),
  ]);
  readonly avgpool = adaptiveAveragePool2d(6);
  readonly flatten = flatten();
  readonly classifier: Chain;
  constructor(options: AlexNetOptions = {}) {
    super();
    const { classes = 1000, dropout: rate = 0.5 } = checkAlexNet(options);
    const hidden = () => dense(4096, { initializer: "heNormal" });
    this.classifier = chain([dropout(rate), hidden(), relu(), dropout(rate), hidden(), relu(), dense(classes)]);
  }
  protected call(x: Value, context: Context): Value {
    const maps = this.avgpool.apply(this.features.apply(x, context), context); // [N, 256, 6, 6]
    return this.classifier.apply(this.flatten.apply(maps, context), context);
  }
}

export const alexnetPresets: readonly Preset[] = [
  plainPreset(
    {
      name: "alexnet",
      summary: "eight weighted layers with ReLU and dropout, in one tower; the start of deep learning on ImageNet",
      source: "Krizhevsky 2014, One Weird Trick for Parallelizing Convolutional Neural Networks",
      inputs: imageInputs(3, 224),
    },
    (options) => new AlexNet(options),
  ),
];
