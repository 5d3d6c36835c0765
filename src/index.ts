/**
 * Sardonyx in any environment: graphs, gradients, models, training, data in memory.
 * @module sardonyx
 */

export { gradients } from "./autodiff/gradients.ts";
export { grad, valueAndGrad, valueAndGradWithAux } from "./autodiff/transform.ts";
export * from "./compress/index.ts";
export type { ByteSource } from "./core/byte-source.ts";
export type { ArrayOf, DType } from "./core/dtype.ts";
export * from "./core/errors.ts";
export { foldIn, type Key, keyOf, Random } from "./core/random.ts";
export type { Shape } from "./core/shape.ts";
export { type Nested, Tensor, tensor } from "./core/tensor.ts";
export type { MapTree, Tree } from "./core/tree.ts";
export * from "./data/index.ts";
export * from "./decode/index.ts";
// What a server needs is left out of sardonyx/web.
export { type NextToken, type Row, type RowDecoder, type RowDecoderOptions, rowDecoder } from "./decode/row-decoder.ts";
export type { Variants } from "./decode/step.ts";
export type { Communicator, Exchanges } from "./distributed/communicator.ts";
export { ranksInProcess } from "./distributed/in-process.ts";
export * from "./draw/index.ts";
/** Why a model says what it says: saliency, integrated gradients, Shapley values, Grad-CAM, and whether to believe them. */
export * as explain from "./explain/index.ts";
/** Federated learning: strategies, robust aggregation, compressed updates, coordinator and client, simulation. */
export * as federated from "./federated/index.ts";
export * from "./finetune/index.ts";
export type { ConfiguredModel } from "./formats/families/family.ts";
export { type EncodedOnnx, encodeOnnx, type OnnxOptions } from "./formats/files/export-onnx.ts";
export { encodeSavedModel, type SaveOptions } from "./formats/files/saved-model.ts";
export { modelFromConfig } from "./formats/huggingface.ts";
export { type Checkpoint, type HuggingFaceOptions, modelFromHuggingFace } from "./formats/huggingface-weights.ts";
export { ImportedModule } from "./formats/imported-module.ts";
export type { GivenType, GivenTypes } from "./formats/input-types.ts";
export { type KerasModelOptions, modelFromKeras } from "./formats/keras/model.ts";
export type { LoadedModel, NamedValues } from "./formats/loaded-model.ts";
export { modelFromOnnx, type OnnxModelOptions } from "./formats/onnx-model.ts";
export type { OpenShard } from "./formats/tfjs/manifest.ts";
export { modelFromTfjs, type TfjsModelOptions } from "./formats/tfjs/model.ts";
export { type Graph, graphOf, input, type Scope, type TensorType, Value } from "./graph/ir.ts";
export { printGraph } from "./graph/print.ts";
export { type ChosenDevice, chooseDevice } from "./jit/auto-device.ts";
export { type CompileOptions, compile, type Executable, optimize } from "./jit/compile.ts";
export { type Host, type JitOptions, jit } from "./jit/jit.ts";
/** Published architectures as trainable modules, and their presets by name: `models.presetOf("resnet50")`. */
export * as models from "./models/index.ts";
export * from "./nn/index.ts";
export { encodeModel, type ModelOptions } from "./onnx/model.ts";
export type { OpenExternal } from "./onnx/tensor.ts";
/**
 * Operators on graph values, from `ops.add` to `ops.topK`: what layers, losses and functions for `jit` are written in.
 */
export * as ops from "./ops/index.ts";
export { keyTensor } from "./ops/random.ts";
export * from "./privacy/index.ts";
/** Reinforcement learning: environments, replay memory, deep Q-learning, mazes to try it on. */
export * as rl from "./rl/index.ts";
export * from "./runs/index.ts";
export {
  type ComputePrecision,
  type Device,
  type DeviceChoice,
  deviceChoices,
  devices,
  type Placement,
  type Session,
} from "./runtime/session.ts";
export { decodeSafetensors, encodeSafetensors, type SafetensorsFile } from "./storage/safetensors.ts";
export * from "./tasks/index.ts";
export * from "./train/baselines/index.ts";
export * from "./train/index.ts";
export { frechetDistance } from "./train/metrics/frechet.ts";
