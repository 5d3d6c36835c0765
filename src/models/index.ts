/** Published architectures as trainable modules, and their presets by name. */
import { unknownName } from "../core/errors.ts";
import { lstmPresets } from "./sequence/lstm.ts";
import type { Preset } from "./shared/preset.ts";
import { gpt2Presets } from "./text/decoders/gpt2.ts";
import { llamaPresets } from "./text/decoders/llama.ts";
import { albertPresets } from "./text/encoders/albert.ts";
import { bertPresets } from "./text/encoders/bert.ts";
import { distilbertPresets } from "./text/encoders/distilbert.ts";
import { t5Presets } from "./text/translators/t5.ts";
import { transformerPresets } from "./text/translators/transformer.ts";
import { alexnetPresets } from "./vision/alexnet.ts";
import { densenetPresets } from "./vision/densenet.ts";
import { efficientnetPresets } from "./vision/efficientnet.ts";
import { googlenetPresets } from "./vision/googlenet.ts";
import { inceptionV3Presets } from "./vision/inception-v3.ts";
import { lenetPresets } from "./vision/lenet.ts";
import { mobilenetV1Presets } from "./vision/mobilenet-v1.ts";
import { mobilenetV2Presets } from "./vision/mobilenet-v2.ts";
import { resnetPresets } from "./vision/resnet.ts";
import { squeezenetPresets } from "./vision/squeezenet.ts";
import { vitPresets } from "./vision/transformers/vit.ts";
import { vggPresets } from "./vision/vgg.ts";

export {
  convolutionalDiscriminator,
  convolutionalGenerator,
  denseDiscriminator,
  denseGenerator,
  Gan,
  type GanOptions,
  type GanOutputs,
} from "./generative/gan.ts";
export { Vae, type VaeOptions, type VaeOutputs } from "./generative/vae.ts";
export {
  type ForecastCycle,
  Forecaster,
  type ForecasterInputs,
  type ForecasterOptions,
  forecastOutputs,
  forecastQuantiles,
  type SeriesScale,
} from "./sequence/forecaster.ts";
export { type KeywordOptions, keywordConvolution, keywordRecurrent, keywordTranscriber } from "./sequence/keywords.ts";
export { LstmClassifier, type LstmClassifierOptions } from "./sequence/lstm.ts";
export {
  type RecurrentCell,
  RecurrentClassifier,
  type RecurrentClassifierOptions,
  type RecurrentLayersOptions,
  recurrentCells,
} from "./sequence/recurrent-classifier.ts";
export {
  WhisperForConditionalGeneration,
  type WhisperInputs,
  WhisperModel,
  type WhisperOptions,
  whisperArchitectures,
} from "./sequence/whisper.ts";
export { CandidateNetwork, type CandidateTarget, type NumberTarget } from "./shared/candidate-network.ts";
export { type Architectures, type EncoderOutputs, type HeadOptions, pooledOf, statesOf } from "./shared/heads.ts";
export type { Preset, PresetOptions } from "./shared/preset.ts";
export { type CandidateOutput, SideBySide, type SideBySideOptions } from "./shared/side-by-side.ts";
export type {
  DecoderInputs,
  SegmentInputs,
  TokenInputs,
  TransformerDetails,
  TransformerSizes,
} from "./shared/tokens.ts";
export { DeepMlp, type DeepMlpOptions, widthFor } from "./tables/deep-mlp.ts";
export { ItemRanker, type ItemRankerOptions } from "./tables/item-ranker.ts";
export { type QInputs, QNetwork, type QNetworkOptions } from "./tables/q-network.ts";
export {
  Biases,
  type BiasesOptions,
  Factors,
  type FactorsOptions,
  FeatureBiases,
  type FeatureBiasesOptions,
  NeuralFactors,
  type RatedOptions,
  RatingModel,
  type Recommended,
  Recommender,
  Tastes,
  type TastesOptions,
} from "./tables/recommender.ts";
export type { CategoryColumn, ImageColumn, NumberColumn, TableColumn, WordsColumn } from "./tables/table-columns.ts";
export { TableNetwork, type TableNetworkOptions, tableCandidates } from "./tables/table-network.ts";
export { BloomModel, type BloomOptions, bloomArchitectures } from "./text/decoders/bloom.ts";
export type { Decoder, DecoderOptions } from "./text/decoders/decoder.ts";
export { FalconModel, type FalconOptions, falconArchitectures } from "./text/decoders/falcon.ts";
export { GptNeoModel, type GptNeoOptions, gptNeoArchitectures } from "./text/decoders/gpt-neo.ts";
export { GptNeoXModel, type GptNeoXOptions, gptNeoXArchitectures } from "./text/decoders/gpt-neox.ts";
export { Gpt2Model, type Gpt2Options, gpt2Architectures } from "./text/decoders/gpt2.ts";
export { GptJModel, type GptJOptions, gptjArchitectures } from "./text/decoders/gptj.ts";
export {
  gemma2Architectures,
  gemma3Architectures,
  gemmaArchitectures,
  type LlamaAttention,
  type LlamaExperts,
  LlamaModel,
  type LlamaOptions,
  type LlamaVariant,
  llamaArchitectures,
  mistralArchitectures,
  mixtralArchitectures,
  phi3Architectures,
  qwen2Architectures,
  qwen3Architectures,
  qwen3MoeArchitectures,
  smollm3Architectures,
} from "./text/decoders/llama.ts";
export { OptModel, type OptOptions, optArchitectures } from "./text/decoders/opt.ts";
export { PhiModel, type PhiOptions, phiArchitectures } from "./text/decoders/phi.ts";
export { AlbertModel, type AlbertOptions, albertArchitectures } from "./text/encoders/albert.ts";
export {
  BertForPreTraining,
  BertModel,
  type BertOptions,
  bertArchitectures,
  type PreTrainingOutputs,
} from "./text/encoders/bert.ts";
export {
  type DebertaAttention,
  DebertaModel,
  type DebertaOptions,
  debertaArchitectures,
} from "./text/encoders/deberta.ts";
export { DistilBertModel, type DistilBertOptions, distilbertArchitectures } from "./text/encoders/distilbert.ts";
export { type ElectraOptions, electraArchitectures } from "./text/encoders/electra.ts";
export { EncoderClassifier, type EncoderClassifierOptions } from "./text/encoders/encoder-classifier.ts";
export { MpnetModel, type MpnetOptions, mpnetArchitectures } from "./text/encoders/mpnet.ts";
export { type RobertaOptions, robertaArchitectures } from "./text/encoders/roberta.ts";
export {
  evidencePerWord,
  RecurrentTextNetwork,
  type RecurrentTextNetworkOptions,
} from "./text/recurrent-text-network.ts";
export { type TextInputs, TextNetwork, type TextNetworkOptions } from "./text/text-network.ts";
export {
  BartForConditionalGeneration,
  BartModel,
  type BartOptions,
  bartArchitectures,
  marianArchitectures,
  mbartArchitectures,
} from "./text/translators/bart.ts";
export { EncoderDecoder, type Memory } from "./text/translators/encoder-decoder.ts";
export { RecurrentTranslator, type RecurrentTranslatorOptions } from "./text/translators/recurrent-translator.ts";
export {
  T5EncoderModel,
  T5ForConditionalGeneration,
  T5Model,
  type T5Options,
  t5Architectures,
} from "./text/translators/t5.ts";
export { Transformer, type TransformerOptions } from "./text/translators/transformer.ts";
export { AlexNet, type AlexNetOptions } from "./vision/alexnet.ts";
export { type AuxiliaryOutputs, auxiliaryLoss } from "./vision/auxiliary.ts";
export { ConvNextModel, type ConvNextOptions, convnextArchitectures } from "./vision/convnext.ts";
export { DenseNet, type DenseNetOptions } from "./vision/densenet.ts";
export {
  type DetectorOptions,
  ObjectFinder,
  type ObjectFinderOptions,
  SingleShotDetector,
} from "./vision/detector.ts";
export { EfficientNet, type EfficientNetOptions } from "./vision/efficientnet.ts";
export { GoogLeNet, type GoogLeNetOptions } from "./vision/googlenet.ts";
export { InceptionV3, type InceptionV3Options } from "./vision/inception-v3.ts";
export { LeNet5, type LeNetOptions } from "./vision/lenet.ts";
export {
  type MobileNetBackboneOptions,
  MobileNetV1Backbone,
  MobileNetV2Backbone,
  type MobileNetV2BackboneOptions,
  mobilenetV1Architectures,
  mobilenetV2Architectures,
} from "./vision/mobilenet-backbones.ts";
export { type MobileNetOptions, MobileNetV1 } from "./vision/mobilenet-v1.ts";
export { MobileNetV2, type MobileNetV2Options } from "./vision/mobilenet-v2.ts";
export {
  BasicBlock,
  Bottleneck,
  CifarResNet,
  type CifarResNetOptions,
  ResNet,
  type ResNetOptions,
} from "./vision/resnet.ts";
export { ResNetBackbone, type ResNetBackboneOptions, resnetArchitectures } from "./vision/resnet-backbone.ts";
export { type SmallConvolutionOptions, smallConvolution } from "./vision/small-convolution.ts";
export { SqueezeNet, type SqueezeNetOptions } from "./vision/squeezenet.ts";
export { ClipModel, type ClipOptions, clipArchitectures } from "./vision/transformers/clip.ts";
export { deitArchitectures } from "./vision/transformers/deit.ts";
export { type DinoVariant, type Dinov2Options, dinov2Architectures } from "./vision/transformers/dinov2.ts";
export { SiglipModel, type SiglipOptions, siglipArchitectures } from "./vision/transformers/siglip.ts";
export { SwinModel, type SwinOptions, type SwinVariant, swinArchitectures } from "./vision/transformers/swin.ts";
export type { ImageTowerOptions, PairInputs, PairOutputs, TextTowerOptions } from "./vision/transformers/towers.ts";
export {
  type ImageExtents,
  VisionTransformer,
  type VisionTransformerOptions,
  VitModel,
  type VitModelOptions,
  type VitOptions,
  type VitTokens,
  vitArchitectures,
} from "./vision/transformers/vit.ts";
export { Vgg, type VggOptions } from "./vision/vgg.ts";

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
 * const { build, inputs } = presetOf("resnet50");
 * console.log(summarize(build(), inputs).parameters); // 25557032
 */
export function presetOf(name: string): Preset {
  const preset = Object.hasOwn(presets, name) ? presets[name] : undefined;
  if (!preset) throw unknownName("architecture", name, Object.keys(presets));
  return preset;
}
