/** Fine-tuning of pretrained models: adapters, and what is trained of a model. */
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
export { freezeBelow, type LayerGroup, layerGroups, unfreezeLast } from "./freezing/layer-groups.ts";
export {
  freezeNormalization,
  type NormalizationParameters,
  normalizationParameters,
} from "./freezing/normalization.ts";
export { UpTo, upTo } from "./heads/up-to.ts";
export { type Channels, type HeadPlacement, type Pooling, WithHead, withHead } from "./heads/with-head.ts";
