/**
 * What Sardonyx adds in Node: data sets and files on disk, models and runs in folders, and callbacks that write files.
 * @module sardonyx/node
 */

export * from "./compress/index.node.ts";
export * from "./data/index.node.ts";
export { openRanks } from "./distributed/mpi/mpi.node.ts";
export { type ServeEvent, type ServeOptions, type Serving, serveFederation } from "./federated/serve.node.ts";
export { loadAdapter, type SaveAdapterOptions, saveAdapter } from "./finetune/peft/adapter-folder.node.ts";
export { type Base, type BaseOptions, openBase, templateBeside, tokenizerBeside } from "./finetune/tasks/base.node.ts";
export { type LoadedTask, type LoadTaskOptions, loadTask } from "./finetune/tasks/load-task.node.ts";
export { exportOnnx } from "./formats/files/export-onnx.node.ts";
export { type DownloadModelOptions, downloadModel } from "./formats/files/hub-download.node.ts";
export { type LoadModelOptions, loadModel } from "./formats/files/load-model.node.ts";
export { saveModel } from "./formats/files/save-model.node.ts";
export {
  type KindCounts,
  type RedactedFile,
  type RedactedPath,
  type RedactPathOptions,
  redactPath,
} from "./privacy/redaction/files/redact-path.node.ts";
export { loadNameTagger } from "./privacy/redaction/names/load-name-tagger.node.ts";
export * from "./runs/index.node.ts";
export { writeFileAtomic } from "./storage/atomic.node.ts";
export type { DownloadProgress } from "./storage/download.node.ts";
export { openStudio, type Studio, type StudioOptions } from "./studio/studio.node.ts";
export * from "./tasks/index.node.ts";
export * from "./train/callbacks/checkpoint.node.ts";
export { jsonLog } from "./train/callbacks/json-log.node.ts";
export { tensorBoard } from "./train/callbacks/tensorboard.node.ts";
export { type DiskRowsOptions, diskRows } from "./train/engine/kept-rows.node.ts";
