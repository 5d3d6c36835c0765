/** Published architectures as trainable modules, and their presets by name. */
import { unknownName } from "../core/errors.ts";
import { alexnetPresets } from "./alexnet.ts";
import { densenetPresets } from "./densenet.ts";
import { efficientnetPresets } from "./efficientnet.ts";
import { googlenetPresets } from "./googlenet.ts";
import { inceptionV3Presets } from "./inception-v3.ts";
import { lenetPresets } from "./lenet.ts";
import { lstmPresets } from "./lstm.ts";
import { mobilenetV1Presets } from "./mobilenet-v1.ts";
import { mobilenetV2Presets } from "./mobilenet-v2.ts";
import type { Preset } from "./preset.ts";
import { resnetPresets } from "./resnet.ts";
import { squeezenetPresets } from "./squeezenet.ts";
import { vggPresets } from "./vgg.ts";

export { AlexNet, type AlexNetOptions } from "./alexnet.ts";
export { AuxiliaryClassifier, auxiliaryLoss } from "./auxiliary.ts";
export { DenseNet, type DenseNetOptions } from "./densenet.ts";
export { EfficientNet, type EfficientNetOptions } from "./efficientnet.ts";
export { GoogLeNet, type GoogLeNetOptions } from "./googlenet.ts";
export { InceptionV3, type InceptionV3Options } from "./inception-v3.ts";
export { LeNet5 } from "./lenet.ts";
export { LstmClassifier, type LstmClassifierOptions } from "./lstm.ts";
export { type MobileNetOptions, MobileNetV1 } from "./mobilenet-v1.ts";
export { MobileNetV2, type MobileNetV2Options } from "./mobilenet-v2.ts";
export type { Preset, PresetOptions } from "./preset.ts";
export { BasicBlock, Bottleneck, ResNet, type ResNetOptions } from "./resnet.ts";
export { SqueezeNet, type SqueezeNetOptions } from "./squeezenet.ts";
export { Vgg, type VggOptions } from "./vgg.ts";

/** Every preset by its name, the oldest architectures first. */
export const presets: Readonly<Record<string, Preset>> = Object.fromEntries(
  [
    lstmPresets,
    lenetPresets,
    alexnetPresets,
    vggPresets,
    googlenetPresets,
    inceptionV3Presets,
    resnetPresets,
    squeezenetPresets,
    densenetPresets,
    mobilenetV1Presets,
    mobilenetV2Presets,
    efficientnetPresets,
  ]
    .flat()
    .map((preset) => [preset.name, preset]),
);

/**
 * The preset of a name. Throws OptionError with the nearest name.
 * @example
 * const { build, input } = presetOf("resnet50");
 * console.log(summarize(build(), input).parameters); // 25557032
 */
export function presetOf(name: string): Preset {
  const preset = Object.hasOwn(presets, name) ? presets[name] : undefined;
  if (!preset) throw unknownName("architecture", name, Object.keys(presets));
  return preset;
}
