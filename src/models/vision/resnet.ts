/** ResNet: residual blocks (He et al. 2016). */
import { count, functionOf, matching } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import type { Value } from "../../graph/ir.ts";
import { activation, batchNorm, type Context, dense, globalAveragePool, Module, maxPool2d } from "../../nn/index.ts";
import { add } from "../../ops/index.ts";
import { type Chain, chain, heNormalFanOut, plainConv } from "../shared/blocks.ts";
import { imageInputs, type Preset, plainPreset } from "../shared/preset.ts";

const conv = (filters: number, kernel: number, stride = 1) =>
  plainConv(filters, kernel, { stride, padding: (kernel - 1) / 2, initializer: heNormalFanOut });

interface ResidualOptions {
  /** Filters of the inner convolutions. */
  readonly filters: number;
  readonly stride: number;
  /** The input has another shape than the output and is projected to it by a 1x1 convolution. */
  readonly project: boolean;
}

/** Two 3x3 convolutions around which the input is added (fig. 5, left). */
export class BasicBlock extends Module {
  static readonly expansion = 1;
  readonly conv1: Module;
  readonly bn1 = batchNorm();
  readonly conv2: Module;
  readonly bn2 = batchNorm();
  readonly relu = activation("relu");
  readonly downsample: Chain | undefined;
  constructor({ filters, stride, project }: ResidualOptions) {
    super();
    this.conv1 = conv(filters, 3, stride);
    this.conv2 = conv(filters, 3);
    this.downsample = project ? chain([conv(filters, 1, stride), batchNorm()]) : undefined;
  }
  protected call(x: Value, context: Context): Value {
    const inner = this.relu.apply(this.bn1.apply(this.conv1.apply(x, context), context), context);
    const residual = this.bn2.apply(this.conv2.apply(inner, context), context);
    return this.relu.apply(add(residual, this.downsample?.apply(x, context) ?? x), context);
  }
}

/**
 * A 3x3 convolution between two 1x1 that narrow and widen (fig. 5, right). The stride is that of the 3x3 convolution
 * (Goyal et al. 2017, sec. 5.1, "version 1.5"), as in torchvision.
 */
export class Bottleneck extends Module {
  static readonly expansion = 4;
  readonly conv1: Module;
  readonly bn1 = batchNorm();
  readonly conv2: Module;
  readonly bn2 = batchNorm();
  readonly conv3: Module;
  readonly bn3 = batchNorm();
  readonly relu = activation("relu");
  readonly downsample: Chain | undefined;
  constructor({ filters, stride, project }: ResidualOptions) {
    super();
    const wide = filters * Bottleneck.expansion;
    this.conv1 = conv(filters, 1);
    this.conv2 = conv(filters, 3, stride);
    this.conv3 = conv(wide, 1);
    this.downsample = project ? chain([conv(wide, 1, stride), batchNorm()]) : undefined;
  }
  protected call(x: Value, context: Context): Value {
    const narrow = this.relu.apply(this.bn1.apply(this.conv1.apply(x, context), context), context);
    const inner = this.relu.apply(this.bn2.apply(this.conv2.apply(narrow, context), context), context);
    const residual = this.bn3.apply(this.conv3.apply(inner, context), context);
    return this.relu.apply(add(residual, this.downsample?.apply(x, context) ?? x), context);
  }
}

/** Options of `ResNet`. */
export interface ResNetOptions {
  /** What the stages are made of: two convolutions of 3x3, or a bottleneck. */
  readonly block: typeof BasicBlock | typeof Bottleneck;
  /** Blocks in each of the four stages. */
  readonly stages: readonly [number, number, number, number];
  /** Outputs; default 1000. */
  readonly classes?: number;
  /** Filters of the stem and the first stage, doubled from one to the next; default 64. */
  readonly width?: number;
}

const checkResNet = optionsOf<ResNetOptions>("ResNet", {
  block: required(functionOf("BasicBlock or Bottleneck")),
  stages: required(
    matching("the blocks of each of four stages", (value) => Array.isArray(value) && value.length === 4),
  ),
  classes: count(),
  width: count(),
});

/** ResNet (He et al. 2016): [N, 3, 224, 224] → [N, classes]; names as in torchvision. */
export class ResNet extends Module {
  readonly conv1: Module;
  readonly bn1 = batchNorm();
  readonly relu = activation("relu");
  readonly maxpool = maxPool2d(3, { stride: 2, padding: 1 });
  readonly layer1: Chain;
  readonly layer2: Chain;
  readonly layer3: Chain;
  readonly layer4: Chain;
  readonly avgpool = globalAveragePool();
  readonly fc: Module;
  constructor(options: ResNetOptions) {
    super();
    const { block: Block, stages, classes = 1000, width = 64 } = checkResNet(options);
    this.conv1 = conv(width, 7, 2);
    const stage = (index: 0 | 1 | 2 | 3) =>
      chain(
        Array.from({ length: stages[index] }, (_, i) => {
          const stride = index > 0 && i === 0 ? 2 : 1;
          return new Block({
            filters: width * 2 ** index,
            stride,
            project: i === 0 && (stride > 1 || Block.expansion > 1),
          });
        }),
      );
    this.layer1 = stage(0);
    this.layer2 = stage(1);
    this.layer3 = stage(2);
    this.layer4 = stage(3);
    this.fc = dense(classes);
  }
  protected call(x: Value, context: Context): Value {
    const { conv1, bn1, relu, maxpool, layer1, layer2, layer3, layer4, avgpool, fc } = this;
    // Extents /2, /4, /4, /8, /16, /32.
    const parts = [conv1, bn1, relu, maxpool, layer1, layer2, layer3, layer4, avgpool, fc];
    return parts.reduce((value, part) => part.apply(value, context), x);
  }
}

/** Options of `CifarResNet`. */
export interface CifarResNetOptions {
  /** Blocks in each of the three stages: 6n + 2 weighted layers. */
  readonly blocks: number;
  /** Default 10. */
  readonly classes?: number;
  /** Filters of the stem and the first stage, doubled from one to the next; default 16. */
  readonly width?: number;
}

const checkCifarResNet = optionsOf<CifarResNetOptions>("CifarResNet", {
  blocks: required(count()),
  classes: count(),
  width: count(),
});
/** The ResNet for small images (sec. 4.2), [N, C, 32, 32] → [N, classes]; shortcuts that change the shape are projections. */
export class CifarResNet extends Module {
  readonly conv1: Module;
  readonly bn1 = batchNorm();
  readonly relu = activation("relu");
  readonly layer1: Chain;
  readonly layer2: Chain;
  readonly layer3: Chain;
  readonly avgpool = globalAveragePool();
  readonly fc: Module;
  constructor(options: CifarResNetOptions) {
    super();
    const { blocks, classes = 10, width = 16 } = checkCifarResNet(options);
    this.conv1 = conv(width, 3);
    const stage = (index: 0 | 1 | 2) =>
      chain(
        Array.from({ length: blocks }, (_, i) => {
          const stride = index > 0 && i === 0 ? 2 : 1;
          return new BasicBlock({ filters: width * 2 ** index, stride, project: stride > 1 });
        }),
      );
    this.layer1 = stage(0);
    this.layer2 = stage(1);
    this.layer3 = stage(2);
    this.fc = dense(classes);
  }
  protected call(x: Value, context: Context): Value {
    const { conv1, bn1, relu, layer1, layer2, layer3, avgpool, fc } = this;
    const parts = [conv1, bn1, relu, layer1, layer2, layer3, avgpool, fc];
    return parts.reduce((value, part) => part.apply(value, context), x);
  }
}

/** Table 1. */
const sizes = {
  resnet18: { block: BasicBlock, stages: [2, 2, 2, 2] },
  resnet34: { block: BasicBlock, stages: [3, 4, 6, 3] },
  resnet50: { block: Bottleneck, stages: [3, 4, 6, 3] },
  resnet101: { block: Bottleneck, stages: [3, 4, 23, 3] },
  resnet152: { block: Bottleneck, stages: [3, 8, 36, 3] },
} as const satisfies Record<string, ResNetOptions>;

export const resnetPresets: readonly Preset[] = Object.entries(sizes).map(([name, size]) =>
  plainPreset(
    {
      name,
      summary: `${name.slice(6)} weighted layers in ${size.block === Bottleneck ? "bottleneck" : "basic"} residual blocks`,
      source: "He et al. 2016, Deep Residual Learning for Image Recognition",
      inputs: imageInputs(3, 224),
    },
    (options) => new ResNet({ ...size, ...options }),
  ),
);
