/** Inception v3: factorized convolutions (Szegedy et al. 2016). */
import { count, flag, fraction } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import type { Value } from "../../graph/ir.ts";
import { averagePool2d, type Context, dense, dropout, globalAveragePool, Module, maxPool2d } from "../../nn/index.ts";
import { concat } from "../../ops/index.ts";
import { chain, half, inceptionConv } from "../shared/blocks.ts";
import { imageInputs, type Preset } from "../shared/preset.ts";
import { type AuxiliaryOutputs, withAuxiliary } from "./auxiliary.ts";

const conv1x1 = (filters: number) => inceptionConv(filters, 1);
/** Keeps the extents. */
const conv = (filters: number, kernel: readonly [number, number]) =>
  inceptionConv(filters, kernel, { padding: half(kernel) });
const conv3x3 = (filters: number) => conv(filters, [3, 3]);
/** Halves the extents. */
const strided3x3 = (filters: number) => inceptionConv(filters, 3, { stride: 2 });
const smooth = () => averagePool2d(3, { stride: 1, padding: 1 });

/** Branches side by side, whose outputs are concatenated; each is a chain of the module's layers. */
abstract class Mixed extends Module {
  protected abstract branches(): readonly (readonly (Module | readonly Module[])[])[];
  /** A branch's element that is a list of modules forks: each takes the same maps. */
  protected call(x: Value, context: Context): Value {
    const run = (maps: Value, part: Module | readonly Module[]): Value =>
      part instanceof Module
        ? part.apply(maps, context)
        : concat(
            part.map((fork) => fork.apply(maps, context)),
            1,
          );
    return concat(
      this.branches().map((branch) => branch.reduce(run, x)),
      1,
    );
  }
}

/** 35x35 maps: 1x1, 5x5, twice 3x3, pooled (after fig. 5). */
class InceptionA extends Mixed {
  readonly branch1x1 = conv1x1(64);
  readonly branch5x5_1 = conv1x1(48);
  readonly branch5x5_2 = conv(64, [5, 5]);
  readonly branch3x3dbl_1 = conv1x1(64);
  readonly branch3x3dbl_2 = conv3x3(96);
  readonly branch3x3dbl_3 = conv3x3(96);
  readonly smooth = smooth();
  readonly branch_pool: Module;
  constructor(pooled: number) {
    super();
    this.branch_pool = conv1x1(pooled);
  }
  protected branches() {
    return [
      [this.branch1x1],
      [this.branch5x5_1, this.branch5x5_2],
      [this.branch3x3dbl_1, this.branch3x3dbl_2, this.branch3x3dbl_3],
      [this.smooth, this.branch_pool],
    ];
  }
}

/** 35x35 to 17x17 (fig. 10). */
class InceptionB extends Mixed {
  readonly branch3x3 = strided3x3(384);
  readonly branch3x3dbl_1 = conv1x1(64);
  readonly branch3x3dbl_2 = conv3x3(96);
  readonly branch3x3dbl_3 = strided3x3(96);
  readonly maxpool = maxPool2d(3, { stride: 2 });
  protected branches() {
    return [[this.branch3x3], [this.branch3x3dbl_1, this.branch3x3dbl_2, this.branch3x3dbl_3], [this.maxpool]];
  }
}

/** 17x17 maps: 7x7 convolutions as 1x7 and 7x1 (fig. 6). */
class InceptionC extends Mixed {
  readonly branch1x1 = conv1x1(192);
  readonly branch7x7_1: Module;
  readonly branch7x7_2: Module;
  readonly branch7x7_3 = conv(192, [7, 1]);
  readonly branch7x7dbl_1: Module;
  readonly branch7x7dbl_2: Module;
  readonly branch7x7dbl_3: Module;
  readonly branch7x7dbl_4: Module;
  readonly branch7x7dbl_5 = conv(192, [1, 7]);
  readonly smooth = smooth();
  readonly branch_pool = conv1x1(192);
  constructor(filters: number) {
    super();
    this.branch7x7_1 = conv1x1(filters);
    this.branch7x7_2 = conv(filters, [1, 7]);
    this.branch7x7dbl_1 = conv1x1(filters);
    this.branch7x7dbl_2 = conv(filters, [7, 1]);
    this.branch7x7dbl_3 = conv(filters, [1, 7]);
    this.branch7x7dbl_4 = conv(filters, [7, 1]);
  }
  protected branches() {
    return [
      [this.branch1x1],
      [this.branch7x7_1, this.branch7x7_2, this.branch7x7_3],
      [this.branch7x7dbl_1, this.branch7x7dbl_2, this.branch7x7dbl_3, this.branch7x7dbl_4, this.branch7x7dbl_5],
      [this.smooth, this.branch_pool],
    ];
  }
}

/** 17x17 to 8x8. */
class InceptionD extends Mixed {
  readonly branch3x3_1 = conv1x1(192);
  readonly branch3x3_2 = strided3x3(320);
  readonly branch7x7x3_1 = conv1x1(192);
  readonly branch7x7x3_2 = conv(192, [1, 7]);
  readonly branch7x7x3_3 = conv(192, [7, 1]);
  readonly branch7x7x3_4 = strided3x3(192);
  readonly maxpool = maxPool2d(3, { stride: 2 });
  protected branches() {
    return [
      [this.branch3x3_1, this.branch3x3_2],
      [this.branch7x7x3_1, this.branch7x7x3_2, this.branch7x7x3_3, this.branch7x7x3_4],
      [this.maxpool],
    ];
  }
}

/** 8x8 maps: 1x3 and 3x1 side by side (fig. 7). */
class InceptionE extends Mixed {
  readonly branch1x1 = conv1x1(320);
  readonly branch3x3_1 = conv1x1(384);
  readonly branch3x3_2a = conv(384, [1, 3]);
  readonly branch3x3_2b = conv(384, [3, 1]);
  readonly branch3x3dbl_1 = conv1x1(448);
  readonly branch3x3dbl_2 = conv3x3(384);
  readonly branch3x3dbl_3a = conv(384, [1, 3]);
  readonly branch3x3dbl_3b = conv(384, [3, 1]);
  readonly smooth = smooth();
  readonly branch_pool = conv1x1(192);
  protected branches() {
    return [
      [this.branch1x1],
      [this.branch3x3_1, [this.branch3x3_2a, this.branch3x3_2b]],
      [this.branch3x3dbl_1, this.branch3x3dbl_2, [this.branch3x3dbl_3a, this.branch3x3dbl_3b]],
      [this.smooth, this.branch_pool],
    ];
  }
}

/** Options of `InceptionV3`. */
export interface InceptionV3Options {
  /** Outputs; default 1000. */
  readonly classes?: number;
  /** Build the auxiliary head; default true. */
  readonly auxiliary?: boolean;
  /** Rate of dropout before the classifier; default 0.5. */
  readonly dropout?: number;
}

const checkInceptionV3 = optionsOf<InceptionV3Options>("InceptionV3", {
  classes: count(),
  auxiliary: flag,
  dropout: fraction,
});

/**
 * [N, 3, 299, 299] → [N, classes]; names as in torchvision. While training it also gives the logits of AuxLogits, of
 * which `auxiliaryLoss` makes a loss. Training with the head needs two images or more: it normalizes maps of one
 * element a channel.
 */
export class InceptionV3 extends Module<Value, Value | AuxiliaryOutputs> {
  readonly Conv2d_1a_3x3 = strided3x3(32);
  readonly Conv2d_2a_3x3 = inceptionConv(32, 3);
  readonly Conv2d_2b_3x3 = conv3x3(64);
  readonly maxpool1 = maxPool2d(3, { stride: 2 });
  readonly Conv2d_3b_1x1 = conv1x1(80);
  readonly Conv2d_4a_3x3 = inceptionConv(192, 3);
  readonly maxpool2 = maxPool2d(3, { stride: 2 });
  readonly Mixed_5b = new InceptionA(32);
  readonly Mixed_5c = new InceptionA(64);
  readonly Mixed_5d = new InceptionA(64);
  readonly Mixed_6a = new InceptionB();
  readonly Mixed_6b = new InceptionC(128);
  readonly Mixed_6c = new InceptionC(160);
  readonly Mixed_6d = new InceptionC(160);
  readonly Mixed_6e = new InceptionC(192);
  readonly AuxLogits: Module | undefined;
  readonly Mixed_7a = new InceptionD();
  readonly Mixed_7b = new InceptionE();
  readonly Mixed_7c = new InceptionE();
  readonly avgpool = globalAveragePool();
  readonly dropout: Module;
  readonly fc: Module;
  constructor(options: InceptionV3Options = {}) {
    super();
    const { classes = 1000, auxiliary = true, dropout: rate = 0.5 } = checkInceptionV3(options);
    this.AuxLogits = auxiliary
      ? chain({
          avgpool: averagePool2d(5, { stride: 3 }),
          conv0: inceptionConv(128, 1),
          conv1: inceptionConv(768, 5),
          globalpool: globalAveragePool(),
          fc: dense(classes),
        })
      : undefined;
    this.dropout = dropout(rate);
    this.fc = dense(classes);
  }
  protected call(x: Value, context: Context): Value | AuxiliaryOutputs {
    const { Conv2d_1a_3x3, Conv2d_2a_3x3, Conv2d_2b_3x3, maxpool1, Conv2d_3b_1x1, Conv2d_4a_3x3, maxpool2 } = this;
    const { Mixed_5b, Mixed_5c, Mixed_5d, Mixed_6a, Mixed_6b, Mixed_6c, Mixed_6d, Mixed_6e } = this;
    const { Mixed_7a, Mixed_7b, Mixed_7c, avgpool, dropout, fc } = this;
    const run = (maps: Value, parts: readonly Module[]) =>
      parts.reduce((value, part) => part.apply(value, context), maps);
    const stem = run(x, [
      Conv2d_1a_3x3,
      Conv2d_2a_3x3,
      Conv2d_2b_3x3,
      maxpool1,
      Conv2d_3b_1x1,
      Conv2d_4a_3x3,
      maxpool2,
    ]); // [N, 192, 35, 35]
    const wide = run(stem, [Mixed_5b, Mixed_5c, Mixed_5d]); // [N, 288, 35, 35]
    const middle = run(wide, [Mixed_6a, Mixed_6b, Mixed_6c, Mixed_6d, Mixed_6e]); // [N, 768, 17, 17]
    const logits = this.AuxLogits?.apply(middle, context);
    const last = run(middle, [Mixed_7a, Mixed_7b, Mixed_7c]); // [N, 2048, 8, 8]
    return withAuxiliary(run(last, [avgpool, dropout, fc]), logits ? [logits] : [], context);
  }
}

export const inceptionV3Presets: readonly Preset[] = [
  {
    name: "inception_v3",
    summary: "Inception modules of factorized convolutions, with an auxiliary head",
    source: "Szegedy et al. 2016, Rethinking the Inception Architecture for Computer Vision",
    inputs: imageInputs(3, 299),
    build: (options) => new InceptionV3(options),
  },
];
