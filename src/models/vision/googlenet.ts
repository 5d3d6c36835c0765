/** GoogLeNet: Inception modules and auxiliary heads (Szegedy et al. 2015), with batch normalization. */
import { count, flag, fraction } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import type { Value } from "../../graph/ir.ts";
import {
  activation,
  adaptiveAveragePool2d,
  type Context,
  dense,
  dropout,
  flatten,
  globalAveragePool,
  Module,
  maxPool2d,
} from "../../nn/index.ts";
import { concat } from "../../ops/index.ts";
import { type Chain, chain, inceptionConv } from "../shared/blocks.ts";
import { imageInputs, type Preset } from "../shared/preset.ts";
import { type AuxiliaryOutputs, withAuxiliary } from "./auxiliary.ts";

/** Filters of a module: 1x1; 3x3 and its reduction; "5x5" and its reduction; after pooling (table 1). */
type InceptionFilters = readonly [number, number, number, number, number, number];

/**
 * Four branches side by side (fig. 2b). As in torchvision, and in the TensorFlow model that its weights are from, the
 * third branch is 3x3 where the paper has 5x5.
 */
class Inception extends Module {
  readonly branch1: Chain;
  readonly branch2: Chain;
  readonly branch3: Chain;
  readonly branch4: Chain;
  constructor([one, reduce3, three, reduce5, five, pooled]: InceptionFilters) {
    super();
    this.branch1 = inceptionConv(one, 1);
    this.branch2 = chain([inceptionConv(reduce3, 1), inceptionConv(three, 3, { padding: 1 })]);
    this.branch3 = chain([inceptionConv(reduce5, 1), inceptionConv(five, 3, { padding: 1 })]);
    this.branch4 = chain([maxPool2d(3, { stride: 1, padding: 1, ceilMode: true }), inceptionConv(pooled, 1)]);
  }
  protected call(x: Value, context: Context): Value {
    const { branch1, branch2, branch3, branch4 } = this;
    return concat(
      [branch1, branch2, branch3, branch4].map((branch) => branch.apply(x, context)),
      1,
    );
  }
}

/** A classifier on maps from inside the network (sec. 5). */
const auxiliaryHead = (classes: number): Chain =>
  chain({
    avgpool: adaptiveAveragePool2d(4),
    conv: inceptionConv(128, 1),
    flatten: flatten(),
    fc1: dense(1024, { initializer: "heNormal" }),
    relu: activation("relu"),
    dropout: dropout(0.7),
    fc2: dense(classes),
  });

/** Options of `GoogLeNet`. */
export interface GoogLeNetOptions {
  /** Outputs; default 1000. */
  readonly classes?: number;
  /** Build the two auxiliary heads; default true. */
  readonly auxiliary?: boolean;
  /** Rate of dropout before the classifier; default 0.2. */
  readonly dropout?: number;
}

const checkGoogLeNet = optionsOf<GoogLeNetOptions>("GoogLeNet", {
  classes: count(),
  auxiliary: flag,
  dropout: fraction,
});

const halved = (kernel: number) => maxPool2d(kernel, { stride: 2, ceilMode: true });

/**
 * [N, 3, 224, 224] → [N, classes]; names as in torchvision. While training it also gives the logits of aux1 and
 * aux2, of which `auxiliaryLoss` makes a loss.
 */
export class GoogLeNet extends Module<Value, Value | AuxiliaryOutputs> {
  readonly conv1 = inceptionConv(64, 7, { stride: 2, padding: 3 });
  readonly maxpool1 = halved(3);
  readonly conv2 = inceptionConv(64, 1);
  readonly conv3 = inceptionConv(192, 3, { padding: 1 });
  readonly maxpool2 = halved(3);
  readonly inception3a = new Inception([64, 96, 128, 16, 32, 32]);
  readonly inception3b = new Inception([128, 128, 192, 32, 96, 64]);
  readonly maxpool3 = halved(3);
  readonly inception4a = new Inception([192, 96, 208, 16, 48, 64]);
  readonly inception4b = new Inception([160, 112, 224, 24, 64, 64]);
  readonly inception4c = new Inception([128, 128, 256, 24, 64, 64]);
  readonly inception4d = new Inception([112, 144, 288, 32, 64, 64]);
  readonly inception4e = new Inception([256, 160, 320, 32, 128, 128]);
  readonly maxpool4 = halved(2);
  readonly inception5a = new Inception([256, 160, 320, 32, 128, 128]);
  readonly inception5b = new Inception([384, 192, 384, 48, 128, 128]);
  readonly aux1: Module | undefined;
  readonly aux2: Module | undefined;
  readonly avgpool = globalAveragePool();
  readonly dropout: Module;
  readonly fc: Module;
  constructor(options: GoogLeNetOptions = {}) {
    super();
    const { classes = 1000, auxiliary = true, dropout: rate = 0.2 } = checkGoogLeNet(options);
    this.aux1 = auxiliary ? auxiliaryHead(classes) : undefined;
    this.aux2 = auxiliary ? auxiliaryHead(classes) : undefined;
    this.dropout = dropout(rate);
    this.fc = dense(classes);
  }
  protected call(x: Value, context: Context): Value | AuxiliaryOutputs {
    const { conv1, maxpool1, conv2, conv3, maxpool2, inception3a, inception3b, maxpool3, inception4a } = this;
    const { inception4b, inception4c, inception4d, inception4e, maxpool4, inception5a, inception5b } = this;
    const run = (maps: Value, parts: readonly Module[]) =>
      parts.reduce((value, part) => part.apply(value, context), maps);
    const stem = run(x, [conv1, maxpool1, conv2, conv3, maxpool2]); // [N, 192, 28, 28]
    const first = run(stem, [inception3a, inception3b, maxpool3, inception4a]); // [N, 512, 14, 14]
    const second = run(first, [inception4b, inception4c, inception4d]); // [N, 528, 14, 14]
    const last = run(second, [inception4e, maxpool4, inception5a, inception5b]); // [N, 1024, 7, 7]
    const logits = [this.aux1?.apply(first, context), this.aux2?.apply(second, context)];
    return withAuxiliary(
      run(last, [this.avgpool, this.dropout, this.fc]),
      logits.filter((value) => value !== undefined),
      context,
    );
  }
}

export const googlenetPresets: readonly Preset[] = [
  {
    name: "googlenet",
    summary: "22 weighted layers in Inception modules, with two auxiliary heads",
    source: "Szegedy et al. 2015, Going Deeper with Convolutions",
    inputs: imageInputs(3, 224),
    build: (options) => new GoogLeNet(options),
  },
];
