/** Published architectures as trainable modules, and their presets by name. */
import { unknownName } from "../core/errors.ts";
import { albertPresets } from "./albert.ts";
import { alexnetPresets } from "./alexnet.ts";
import { bertPresets } from "./bert.ts";
import { densenetPresets } from "./densenet.ts";
import { distilbertPresets } from "./distilbert.ts";
import { efficientnetPresets } from "./efficientnet.ts";
import { googlenetPresets } from "./googlenet.ts";
import { gpt2Presets } from "./gpt2.ts";
import { inceptionV3Presets } from "./inception-v3.ts";
import { lenetPresets } from "./lenet.ts";
import { llamaPresets } from "./llama.ts";
import { lstmPresets } from "./lstm.ts";
import { mobilenetV1Presets } from "./mobilenet-v1.ts";
import { mobilenetV2Presets } from "./mobilenet-v2.ts";
import type { Preset } from "./preset.ts";
import { resnetPresets } from "./resnet.ts";
import { squeezenetPresets } from "./squeezenet.ts";
import { t5Presets } from "./t5.ts";
import { transformerPresets } from "./transformer.ts";
import { vggPresets } from "./vgg.ts";
import { vitPresets } from "./vit.ts";

export { AlbertModel, type AlbertOptions, albertArchitectures } from "./albert.ts";
export { AlexNet, type AlexNetOptions } from "./alexnet.ts";
export { AuxiliaryClassifier, auxiliaryLoss } from "./auxiliary.ts";
export { BertForPreTraining, BertModel, type BertOptions, bertArchitectures } from "./bert.ts";
export { DeepMlp, type DeepMlpOptions, widthFor } from "./deep-mlp.ts";
export { DenseNet, type DenseNetOptions } from "./densenet.ts";
export {
  type DetectorOptions,
  ObjectFinder,
  type ObjectFinderOptions,
  SingleShotDetector,
} from "./detector.ts";
export { DistilBertModel, type DistilBertOptions, distilbertArchitectures } from "./distilbert.ts";
export { EfficientNet, type EfficientNetOptions } from "./efficientnet.ts";
export { EncoderClassifier, type EncoderClassifierOptions } from "./encoder-classifier.ts";
export { EncoderDecoder, type Memory } from "./encoder-decoder.ts";
export {
  convolutionalDiscriminator,
  convolutionalGenerator,
  denseDiscriminator,
  denseGenerator,
  Gan,
  type GanOptions,
} from "./gan.ts";
export { GoogLeNet, type GoogLeNetOptions } from "./googlenet.ts";
export { Gpt2Model, type Gpt2Options, gpt2Architectures } from "./gpt2.ts";
export { type Architectures, type HeadOptions, PooledEncoder } from "./heads.ts";
export { InceptionV3, type InceptionV3Options } from "./inception-v3.ts";
export { type KeywordOptions, keywordConvolution, keywordRecurrent, keywordTranscriber } from "./keywords.ts";
export { LeNet5 } from "./lenet.ts";
export {
  type LlamaAttention,
  LlamaModel,
  type LlamaOptions,
  llamaArchitectures,
  mistralArchitectures,
  qwen2Architectures,
} from "./llama.ts";
export { LstmClassifier, type LstmClassifierOptions } from "./lstm.ts";
export { type MobileNetOptions, MobileNetV1 } from "./mobilenet-v1.ts";
export { MobileNetV2, type MobileNetV2Options } from "./mobilenet-v2.ts";
export type { Preset, PresetOptions } from "./preset.ts";
export { QNetwork, type QNetworkOptions } from "./q-network.ts";
export {
  Biases,
  Factors,
  type FactorsOptions,
  FeatureBiases,
  NeuralFactors,
  type RatedOptions,
  RatingModel,
  Tastes,
} from "./recommender.ts";
export {
  type RecurrentCell,
  RecurrentClassifier,
  type RecurrentClassifierOptions,
  recurrentCells,
} from "./recurrent-classifier.ts";
export { RecurrentTranslator, type RecurrentTranslatorOptions } from "./recurrent-translator.ts";
export { BasicBlock, Bottleneck, CifarResNet, type CifarResNetOptions, ResNet, type ResNetOptions } from "./resnet.ts";
export { type RobertaOptions, robertaArchitectures } from "./roberta.ts";
export { SqueezeNet, type SqueezeNetOptions } from "./squeezenet.ts";
export {
  T5EncoderModel,
  T5ForConditionalGeneration,
  T5Model,
  type T5Options,
  t5Architectures,
} from "./t5.ts";
export type { DecoderInputs, TokenInputs, TransformerDetails, TransformerSizes } from "./tokens.ts";
export { Transformer, type TransformerOptions } from "./transformer.ts";
export { Vae, type VaeOptions } from "./vae.ts";
export { Vgg, type VggOptions } from "./vgg.ts";
export { VisionTransformer, VitModel, type VitOptions, vitArchitectures } from "./vit.ts";

/** Every preset by its name: convolutional networks, a recurrent one, transformers, the oldest architectures of each first. */
export const presets: Readonly<Record<string, Preset>> = Object.fromEntries(
  [
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
    lstmPresets,
    transformerPresets,
    bertPresets,
    distilbertPresets,
    albertPresets,
    gpt2Presets,
    t5Presets,
    llamaPresets,
    vitPresets,
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
