/** Decoding: text from language models token by token, the likeliest sequences, translations. */
export {
  type BeamSearchOptions,
  beamSearch,
  type Candidate,
  type Hypothesis,
  type NextTokens,
  type Prefix,
} from "./beam-search.ts";
export { type Decoder, type DecoderOptions, decoder } from "./decoder.ts";
export { type GenerateOptions, generate } from "./generate.ts";
export { type SamplingOptions, sampleToken } from "./sampling.ts";
export {
  attentionWeights,
  type TranslationModel,
  type Translator,
  type TranslatorOptions,
  translator,
} from "./translator.ts";
