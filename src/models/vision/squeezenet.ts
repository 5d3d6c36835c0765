/** SqueezeNet: few parameters by 1x1 convolutions (Iandola et al. 2016). */
import { count, fraction, oneOf } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import type { Value } from "../../graph/ir.ts";
import { activation, type Context, conv2d, dropout, globalAveragePool, Module, maxPool2d } from "../../nn/index.ts";
import { concat } from "../../ops/index.ts";
import { type Chain, chain } from "../shared/blocks.ts";
import { imageInputs, type Preset, plainPreset } from "../shared/preset.ts";

const relu = () => activation("relu");
const conv = (filters: number, kernel: number, padding = 0) =>
  conv2d(filters, kernel, { padding, initializer: "heUniform" });

/** Squeezes the channels by a 1x1 convolution, then expands them by 1x1 and 3x3 ones side by side (sec. 3.2). */
class Fire extends Module {
  readonly squeeze: Module;
  readonly squeeze_activation = relu();
  readonly expand1x1: Module;
  readonly expand1x1_activation = relu();
  readonly expand3x3: Module;
  readonly expand3x3_activation = relu();
  /** Output channels are 2 · `expand`. */
  constructor(squeeze: number, expand: number) {
    super();
    this.squeeze = conv(squeeze, 1);
    this.expand1x1 = conv(expand, 1);
    this.expand3x3 = conv(expand, 3, 1);
  }
  protected call(x: Value, context: Context): Value {
    const squeezed = this.squeeze_activation.apply(this.squeeze.apply(x, context), context);
    return concat(
      [
        this.expand1x1_activation.apply(this.expand1x1.apply(squeezed, context), context),
        this.expand3x3_activation.apply(this.expand3x3.apply(squeezed, context), context),
      ],
      1,
    );
  }
}

/** Where the first convolution and the poolings stand; numbers are the [squeeze, expand] of Fire modules. */
const versions = {
  "1.0": {
    stem: [96, 7],
    features: [
      "pool",
      [16, 64],
      [16, 64],
      [32, 128],
      "pool",
      [32, 128],
      [48, 192],
      [48, 192],
      [64, 256],
      "pool",
      [64, 256],
    ],
  },
  "1.1": {
    stem: [64, 3],
    features: [
      "pool",
      [16, 64],
      [16, 64],
      "pool",
      [32, 128],
      [32, 128],
      "pool",
      [48, 192],
      [48, 192],
      [64, 256],
      [64, 256],
    ],
  },
} as const;

/** Options of `SqueezeNet`. */
export interface SqueezeNetOptions {
  /** 1.1 costs 2.4 times less for the same accuracy; default "1.1". */
  readonly version?: keyof typeof versions;
  /** Outputs; default 1000. */
  readonly classes?: number;
  /** Rate of dropout before the last convolution; default 0.5. */
  readonly dropout?: number;
}

const checkSqueezeNet = optionsOf<SqueezeNetOptions>("SqueezeNet", {
  version: oneOf("1.0", "1.1"),
  classes: count(),
  dropout: fraction,
});

/** SqueezeNet (Iandola et al. 2016): [N, 3, 224, 224] → [N, classes]; names as in torchvision. */
export class SqueezeNet extends Module {
  readonly features: Chain;
  readonly classifier: Chain;
  constructor(options: SqueezeNetOptions = {}) {
    super();
    const { version = "1.1", classes = 1000, dropout: rate = 0.5 } = checkSqueezeNet(options);
    const { stem, features } = versions[version];
    const [filters, kernel] = stem;
    this.features = chain([
      conv2d(filters, kernel, { stride: 2, initializer: "heUniform" }),
      relu(),
      ...features.map((part) =>
        part === "pool" ? maxPool2d(3, { stride: 2, ceilMode: true }) : new Fire(part[0], part[1]),
      ),
    ]);
    this.classifier = chain([dropout(rate), conv(classes, 1), relu(), globalAveragePool()]);
  }
  protected call(x: Value, context: Context): Value {
    return this.classifier.apply(this.features.apply(x, context), context);
  }
}

const source = "Iandola et al. 2016, SqueezeNet: AlexNet-level Accuracy with 50x Fewer Parameters";

export const squeezenetPresets: readonly Preset[] = [
  plainPreset(
    { name: "squeezenet1_0", summary: "eight Fire modules, AlexNet's accuracy", source, inputs: imageInputs(3, 224) },
    (options) => new SqueezeNet({ version: "1.0", ...options }),
  ),
  plainPreset(
    {
      name: "squeezenet1_1",
      summary: "eight Fire modules, pooled earlier than in 1.0 and cheaper",
      source: `${source} (version 1.1 of the authors' repository)`,
      inputs: imageInputs(3, 224),
    },
    (options) => new SqueezeNet({ version: "1.1", ...options }),
  ),
];
