/** All readers that are fuzzed. */
import type { Target } from "../target.ts";
import { encrypted } from "./encryption.ts";
import { federation } from "./federation.ts";
import { hdf5, kerasArchive, tfjsGraph, tfjsLayers } from "./keras.ts";
import { cifar, gzip, idx, images, metadata, tar, wav, zip } from "./media.ts";
import { onnx } from "./onnx.ts";
import { folders, tables } from "./profiles.ts";
import { redaction } from "./redaction.ts";
import { inferRequest, openAiRequest } from "./requests.ts";
import { adapter, checkpoint, resumed, run } from "./runs.ts";
import { csv, parquet, plainText, records } from "./tables.ts";
import { mergekit, predictInput, template, tokenizer } from "./texts.ts";
import { config, folder, gguf, safetensors } from "./weights.ts";

export const targets: readonly Target[] = [
  onnx,
  safetensors,
  folder,
  config,
  gguf,
  tfjsLayers,
  tfjsGraph,
  kerasArchive,
  hdf5,
  checkpoint,
  run,
  resumed,
  federation,
  adapter,
  tokenizer,
  template,
  mergekit,
  predictInput,
  redaction,
  inferRequest,
  openAiRequest,
  csv,
  records,
  parquet,
  tables,
  folders,
  plainText,
  images,
  metadata,
  wav,
  idx,
  cifar,
  gzip,
  tar,
  zip,
  encrypted,
];
