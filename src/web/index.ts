/**
 * Sardonyx in a page: layers, losses, optimizers, training in a worker, checkpoints that outlive the page, the user's files and camera.
 * It has no part of Node, and brings the engine along. What is not here is in `sardonyx`, which shares its parts.
 * @module web
 */

export { gradients } from "../autodiff/gradients.ts";
export { grad, valueAndGrad, valueAndGradWithAux } from "../autodiff/transform.ts";
export type { ArrayOf, DType } from "../core/dtype.ts";
export * from "../core/errors.ts";
export { foldIn, type Key, keyOf, Random } from "../core/random.ts";
export type { Shape } from "../core/shape.ts";
export { type Nested, Tensor, tensor } from "../core/tensor.ts";
export type { MapTree, Tree } from "../core/tree.ts";
export * from "../data/images/augment.ts";
export { scaleBytes } from "../data/images/bytes.ts";
export { lightOnDark } from "../data/images/light-on-dark.ts";
export * from "../data/images/padding.ts";
export type { BatchOptions } from "../data/pipeline/batching.ts";
export { type BucketOptions, bucketed, paddingMask, padRows } from "../data/pipeline/buckets.ts";
export { checkFinite, checkLabels } from "../data/pipeline/checks.ts";
export {
  type Batch,
  collect,
  Dataset,
  type EpochOptions,
  fromIndexed,
  fromIterable,
  fromTensors,
  type IterableOptions,
  type Labelled,
  type ShuffleOptions,
  TensorDataset,
} from "../data/pipeline/dataset.ts";
export { gatherRows, type TensorRecord } from "../data/pipeline/rows.ts";
export { rowwise } from "../data/pipeline/rowwise.ts";
export type { Source } from "../data/pipeline/source.ts";
export { readIdx } from "../data/sets/idx.ts";
export { logMel, type MelOptions, melOf } from "../data/sound/mel.ts";
export { fitLength, mixDown, resampler } from "../data/sound/sound.ts";
export { encodeWav, readWav, type Sound } from "../data/sound/wav.ts";
export {
  type ColumnKind,
  type ColumnType as InferredColumn,
  type ColumnTypeOptions,
  inferColumnTypes,
  parseNumber,
} from "../data/tables/column-kinds.ts";
export * from "../data/tables/preprocess.ts";
export {
  encodedWidth,
  encodeRows,
  type FieldEncoding,
  type FittedEncoding,
  fitRowEncoding,
  type NamedRow,
  type RowEncoding,
} from "../data/tables/rows/row-encoding.ts";
export { type TextWindow, textWindows } from "../data/text/text-windows.ts";
export * from "../decode/index.ts";
export { type EncodedOnnx, encodeOnnx, type OnnxOptions } from "../formats/files/export-onnx.ts";
export { encodeSavedModel, type SaveOptions } from "../formats/files/saved-model.ts";
export { modelFromOnnx, type OnnxModelOptions } from "../formats/onnx-model.ts";
export { type Graph, graphOf, input, type Scope, type TensorType, Value } from "../graph/ir.ts";
export { type CompileOptions, compile, type Executable, optimize } from "../jit/compile.ts";
export { type JitOptions, jit } from "../jit/jit.ts";
export * from "../nn/index.ts";
/** Operators on graph values, from `ops.add` to `ops.topK`: what layers, losses and functions for `jit` are written in. */
export * as ops from "../ops/index.ts";
export { type Device, devices } from "../runtime/session.ts";
export { decodeSafetensors, encodeSafetensors, type SafetensorsFile } from "../storage/safetensors.ts";
export type { CheckpointOptions } from "../train/callbacks/checkpoint.ts";
export * from "../train/index.ts";
export { browserValue, type StoredRow } from "./browser-storage.ts";
export { type Camera, type CameraOptions, openCamera } from "./camera.ts";
export { browserStore, type CheckpointStore, storedCheckpoint } from "./checkpoint-store.ts";
export { type PageDeviceOptions, pageDevice } from "./device.ts";
export { fileBytes, readTableFile, type TextTable } from "./files.ts";
export { imageTensor, type PageImageOptions } from "./images.ts";
export { type TrainingListener, type TrainingWorker, trainInWorker, type WorkerTraining } from "./train-in-worker.ts";
export type { BatchProgress, EpochProgress } from "./training-messages.ts";
export { type TrainingPage, type TrainingPort, trainingWorker } from "./training-worker.ts";
