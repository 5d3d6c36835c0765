/** Fine-tuning of pretrained models: adapters, and what is trained of a model. */

export type { LayerGroup } from "../transform/depth-groups.ts";
export { AdapterSet, type AdapterSettings, adapterSets } from "./adapters/adapter-set.ts";
export { addBottleneck, type BottleneckOptions } from "./adapters/bottleneck.ts";
export { addIa3, type Ia3Options } from "./adapters/ia3.ts";
export { addLora, type LoraOptions, type LoraScaling, loraPlus } from "./adapters/lora.ts";
export { type Merged, type MergeOptions, merge } from "./adapters/merge.ts";
export type { AdapterMethod, MergedParameter, Place, Placed, SlotSpec } from "./adapters/method.ts";
export { addPrefix, type PrefixOptions } from "./adapters/prefix.ts";
export { addPrompt, type PromptOptions, withVirtualTokens } from "./adapters/prompt.ts";
export type { WeightSite } from "./adapters/sites.ts";
export { type DiscriminativeOptions, discriminativeGroups } from "./freezing/discriminative.ts";
export { gradualUnfreezing, type UnfreezingOptions } from "./freezing/gradual-unfreezing.ts";
export { freezeBelow, layerGroups, unfreezeLast } from "./freezing/layer-groups.ts";
export {
  freezeNormalization,
  type NormalizationParameters,
  normalizationParameters,
} from "./freezing/normalization.ts";
export { featureLayer } from "./heads/feature-layer.ts";
export type { Channels, Pooling } from "./heads/pooling.ts";
export { stateLayer } from "./heads/state-layer.ts";
export {
  type TextVectorInputs,
  TextVectors,
  type TextVectorsOptions,
  textVectors,
  type VectorPooling,
} from "./heads/text-vectors.ts";
export { UpTo, upTo } from "./heads/up-to.ts";
export { type HeadPlacement, WithHead, withHead } from "./heads/with-head.ts";
export { type DecodePeftOptions, decodePeft } from "./peft/decode.ts";
export { type EncodedPeft, type EncodePeftOptions, encodePeft } from "./peft/encode.ts";
export type { PeftConfig } from "./peft/fields.ts";
export { type AppliedPolicy, applyPolicy, type TrainingPolicy } from "./policy.ts";
export {
  type PreferenceOptions,
  type PreferenceRows,
  type PreferenceRowsOptions,
  preferenceObjective,
  preferenceRows,
} from "./preferences.ts";
export {
  type AudioClassificationOptions,
  type AudioTask,
  audioClassification,
  soundFormatOf,
} from "./tasks/audio-classification.ts";
export { type ChatTask, type ChatTuningOptions, chatTuning } from "./tasks/chat.ts";
export { type FinetuneChoices, noChoices, policyOf, taskOf } from "./tasks/choices.ts";
export { type TextEmbeddingOptions, textEmbedding } from "./tasks/embedding.ts";
export {
  type ImageClassificationOptions,
  type ImageSize,
  type ImageTask,
  imageClassification,
  imageSizeOf,
  type PixelScaling,
} from "./tasks/image-classification.ts";
export type { SamplesWithLabels } from "./tasks/labelled-samples.ts";
export { questionAnswering } from "./tasks/question-answering.ts";
export { type BatchSettings, type FinetuneTask, type TaskName, taskNames } from "./tasks/task.ts";
export { type TextClassificationOptions, textClassification } from "./tasks/text-classification.ts";
export {
  lengthOf,
  paddingOf,
  type TextReader,
  type TextRows,
  type TextTask,
  type TextTaskOptions,
  textRows,
  tokenInputs,
} from "./tasks/text-rows.ts";
export { tokenClassification } from "./tasks/token-classification.ts";
export { runsOfText, type TextWord, type WordPieces, wordPieces, wordsOfText } from "./tasks/word-pieces.ts";
export { type WordRows, wordLength, wordRows } from "./tasks/word-rows.ts";
