/** DenseNet: every layer of a block sees all before it (Huang et al. 2017). */
import { count, listOf } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import type { Value } from "../../graph/ir.ts";
import {
  activation,
  averagePool2d,
  batchNorm,
  type Context,
  dense,
  globalAveragePool,
  Module,
  maxPool2d,
} from "../../nn/index.ts";
import { concat } from "../../ops/index.ts";
import { type Chain, chain, plainConv } from "../shared/blocks.ts";
import { imageInputs, type Preset, plainPreset } from "../shared/preset.ts";

/** Layers whose outputs are all concatenated to the input: [N, C, H, W] → [N, C + layers · growth, H, W] (eq. 2). */
class DenseBlock extends Module {
  readonly #layers: readonly Chain[];
  /** Named denselayer1, denselayer2, …; each narrows by a 1x1 convolution first (sec. 3, "DenseNet-B"). */
  constructor(layers: number, growth: number) {
    super();
    this.#layers = Array.from({ length: layers }, () =>
      chain({
        norm1: batchNorm(),
        relu1: activation("relu"),
        conv1: plainConv(4 * growth, 1),
        norm2: batchNorm(),
        relu2: activation("relu"),
        conv2: plainConv(growth, 3, { padding: 1 }),
      }),
    );
    for (const [i, layer] of this.#layers.entries()) Object.assign(this, { [`denselayer${i + 1}`]: layer });
  }
  protected call(x: Value, context: Context): Value {
    return this.#layers.reduce((maps, layer) => concat([maps, layer.apply(maps, context)], 1), x);
  }
}

/** Between blocks: half the channels, half the extents (sec. 3, "DenseNet-C"). */
const transition = (channels: number): Chain =>
  chain({ norm: batchNorm(), relu: activation("relu"), conv: plainConv(channels, 1), pool: averagePool2d(2) });

/** Options of `DenseNet`. */
export interface DenseNetOptions {
  /** Layers in each block. */
  readonly blocks: readonly number[];
  /** Outputs; default 1000. */
  readonly classes?: number;
  /** Channels that a layer adds, "k"; default 32. */
  readonly growth?: number;
}

const checkDenseNet = optionsOf<DenseNetOptions>("DenseNet", {
  blocks: required(listOf(count(), "layers of each block")),
  classes: count(),
  growth: count(),
});

/**
 * DenseNet, whose layers each read all before them in their block (Huang et al. 2017): [N, 3, 224, 224] → [N, classes];
 * names as in torchvision.
 */
export class DenseNet extends Module {
  readonly features: Chain;
  readonly relu = activation("relu");
  readonly avgpool = globalAveragePool();
  readonly classifier: Module;
  constructor(options: DenseNetOptions) {
    super();
    const { blocks, classes = 1000, growth = 32 } = checkDenseNet(options);
    const stages: Record<string, Module> = {};
    let channels = 2 * growth;
    for (const [i, layers] of blocks.entries()) {
      stages[`denseblock${i + 1}`] = new DenseBlock(layers, growth);
      channels += layers * growth;
      if (i === blocks.length - 1) continue;
      channels = Math.floor(channels / 2);
      stages[`transition${i + 1}`] = transition(channels);
    }
    this.features = chain({
      conv0: plainConv(2 * growth, 7, { stride: 2, padding: 3 }),
      norm0: batchNorm(),
      relu0: activation("relu"),
      pool0: maxPool2d(3, { stride: 2, padding: 1 }),
      ...stages,
      [`norm${blocks.length + 1}`]: batchNorm(),
    });
    this.classifier = dense(classes);
  }
  protected call(x: Value, context: Context): Value {
    const { features, relu, avgpool, classifier } = this;
    return [features, relu, avgpool, classifier].reduce((value, part) => part.apply(value, context), x);
  }
}

export const densenetPresets: readonly Preset[] = [
  plainPreset(
    {
      name: "densenet121",
      summary: "121 weighted layers in four densely connected blocks",
      source: "Huang et al. 2017, Densely Connected Convolutional Networks",
      inputs: imageInputs(3, 224),
    },
    (options) => new DenseNet({ blocks: [6, 12, 24, 16], ...options }),
  ),
];
