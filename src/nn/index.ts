/** Neural networks: modules, layers, initializers, activations, regularizers, losses. */

export { type Adaptation, AdaptedRun, type AttendedFirst, type AttentionSizes } from "./adaptation.ts";
export { Context, type ContextOptions, type LayerRecord } from "./context.ts";
export { Decoding, type Memory } from "./decoding.ts";
export { type Applied, type ApplyOptions, type Functional, functional, type ValuesByPath } from "./functional.ts";
export {
  constantInit,
  fans,
  glorotNormal,
  glorotUniform,
  heNormal,
  heUniform,
  type Initializer,
  type InitializerName,
  initializerOf,
  initializers,
  lecunNormal,
  normalInit,
  onesInit,
  orthogonal,
  truncatedNormalInit,
  uniformInit,
  zerosInit,
} from "./initializers.ts";
export {
  type Given,
  type InputForm,
  inputsFor,
  isTensorType,
  mapTypes,
  type NamedInputs,
  presentOf,
  type TypeTree,
  takenNames,
  takenOf,
  valuesOf,
} from "./inputs.ts";
export {
  Activation,
  type ActivationFunction,
  type ActivationName,
  activation,
  activationFunctions,
  activationOf,
} from "./layers/activations.ts";
export { AdaptiveAveragePool2d, adaptiveAveragePool2d } from "./layers/adaptive-pool.ts";
export {
  type AttendHeadsOptions,
  type AttendOptions,
  attend,
  attendHeads,
  joinHeads,
  splitHeads,
} from "./layers/attention.ts";
export { Conv, Conv1d, Conv2d, conv1d, conv2d } from "./layers/conv.ts";
export {
  ConvTranspose,
  ConvTranspose1d,
  ConvTranspose2d,
  type ConvTransposeOptions,
  convTranspose1d,
  convTranspose2d,
} from "./layers/conv-transpose.ts";
export type { ConvOptions, Padding, PerAxis } from "./layers/convolution.ts";
export { Dense, type DenseOptions, dense } from "./layers/dense.ts";
export { Dropout, dropout } from "./layers/dropout.ts";
export {
  Embedding,
  type EmbeddingOptions,
  embedding,
  PositionEmbedding,
  positionEmbedding,
  TiedDense,
  tiedDense,
} from "./layers/embedding.ts";
export { copyWeights, Ensemble, ensemble, WeightAverage } from "./layers/ensemble.ts";
export { GroupNorm, type GroupNormOptions, groupNorm } from "./layers/group-norm.ts";
export { Lambda, lambda } from "./layers/lambda.ts";
export {
  type AttentionInputs,
  attentionInputs,
  MultiHeadAttention,
  type MultiHeadAttentionOptions,
  multiHeadAttention,
} from "./layers/multi-head-attention.ts";
export {
  BatchNorm,
  type BatchNormOptions,
  batchNorm,
  LayerNorm,
  type LayerNormOptions,
  layerNorm,
} from "./layers/normalization.ts";
export {
  AveragePool1d,
  AveragePool2d,
  averagePool1d,
  averagePool2d,
  GlobalAveragePool,
  GlobalMaxPool,
  GlobalPool,
  globalAveragePool,
  globalMaxPool,
  MaxPool1d,
  MaxPool2d,
  maxPool1d,
  maxPool2d,
  Pool,
  type PoolOptions,
} from "./layers/pool.ts";
export {
  type RotaryOptions,
  type RotaryScaling,
  rotary,
  rotaryFrequencies,
  sinusoidal,
} from "./layers/positions.ts";
export {
  Gru,
  gru,
  Lstm,
  lstm,
  type RecurrentInputs,
  type RecurrentOptions,
  type RecurrentOutputs,
  type RecurrentState,
  Rnn,
  rnn,
} from "./layers/recurrent.ts";
export { RepeatVector, repeatVector } from "./layers/repeat-vector.ts";
export { Flatten, flatten, Reshape, reshape } from "./layers/reshape.ts";
export { RmsNorm, type RmsNormOptions, rmsNorm } from "./layers/rms-norm.ts";
export { AdditiveAttention, additiveAttention, DotAttention, dotAttention } from "./layers/sequence-attention.ts";
export { Sequential, sequential } from "./layers/sequential.ts";
export { StochasticDepth, stochasticDepth } from "./layers/stochastic-depth.ts";
export { WithSegments, withSegments } from "./layers/with-segments.ts";
export { type ContrastiveOptions, contrastive, cosineSimilarities, unitLength } from "./losses/contrastive.ts";
export { type CtcOptions, ctc } from "./losses/ctc.ts";
export { type CtcDecodeOptions, ctcDecode } from "./losses/ctc-decode.ts";
export { type DetectionLossOptions, decodeBoxes, detectionLoss, detections } from "./losses/detection.ts";
export { against, defineLoss, type Loss, type LossOfTerms, onOutput } from "./losses/loss.ts";
export {
  type BinaryCrossEntropyOptions,
  binaryCrossEntropy,
  type CrossEntropyOptions,
  categoricalCrossEntropy,
  crossEntropy,
  type HuberOptions,
  huber,
  klDivergence,
  type LossName,
  losses,
  lossOf,
  meanAbsoluteError,
  meanSquaredError,
  type SparseCrossEntropyOptions,
} from "./losses/losses.ts";
export { type LossTerms, meanOf, sampleMeans, type WeightedMean, weightedMeanOf } from "./losses/terms.ts";
export { type AnyModule, type LayerKind, Module, type TensorModule, type Trace } from "./module.ts";
export type { Packed, StorageBits } from "./packed.ts";
export { Parameter, type ParameterSpec, type Regularizer } from "./parameter.ts";
export { type Quantized, type QuantizeOptions, quantizeFrozen } from "./quantize-frozen.ts";
export { l1, l1l2, l2, regularized } from "./regularizers.ts";
export { type LayerSummary, type ModelSummary, summarize, type TracedLayer, tracedLayers } from "./summary.ts";
