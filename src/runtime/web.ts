/** Execution on WebAssembly by onnxruntime-web, in a browser or in Node. */
import * as ort from "onnxruntime-web";
import { createSession } from "./ort.ts";
import type { Backend } from "./session.ts";

export const backend: Backend = {
  device: "wasm",
  // What 32-bit addresses reach.
  memory: 2 ** 32,
  blocks: false,
  compile: (model, { threads, memoryPattern = true } = {}) => {
    if (threads !== undefined) ort.env.wasm.numThreads = threads;
    return createSession(ort, model, {
      executionProviders: ["wasm"],
      enableMemPattern: memoryPattern,
      graphOptimizationLevel: "all",
      logSeverityLevel: 3,
    });
  },
};
