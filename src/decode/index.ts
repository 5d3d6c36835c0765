/** Decoding: text from language models token by token, the likeliest sequences, translations. */
export {
  type BeamSearchOptions,
  beamSearch,
  type Candidate,
  type Hypothesis,
  type NextTokens,
  type Prefix,
} from "./beam-search.ts";
export {
  type Decoder,
  type DecoderOptions,
  decoder,
  generate,
  type SamplingOptions,
  sampleToken,
} from "./generate.ts";
export {
  attentionWeights,
  type TranslationModel,
  type Translator,
  type TranslatorOptions,
  translator,
} from "./translator.ts";
