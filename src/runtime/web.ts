/** Execution on WebAssembly by onnxruntime-web, in a browser or in Node. */
import * as ort from "onnxruntime-web";
import { createSession } from "./ort.ts";
import type { Backend } from "./session.ts";

/** Whether the page was told of its one thread: once is enough. */
let isTold = false;

/**
 * The threads that compute: what was asked for, where a page lets threads share memory, and one where it does not, which is said once.
 * `undefined` leaves them to the engine.
 */
function threadsOf(asked: number | undefined): number | undefined {
  if (globalThis.crossOriginIsolated !== false) return asked;
  if (asked !== 1 && !isTold)
    console.warn(
      "Sardonyx: one thread computes, since this page is not cross-origin isolated. For several, serve it with the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp.",
    );
  isTold ||= asked !== 1;
  return 1;
}

export const backend: Backend = {
  device: "wasm",
  // What 32-bit addresses reach.
  memory: 2 ** 32,
  blocks: false,
  halfSums: "rounded",
  compile: (model, { threads: asked, memoryPattern = true } = {}) => {
    const threads = threadsOf(asked);
    if (threads !== undefined) ort.env.wasm.numThreads = threads;
    return createSession(ort, model, {
      executionProviders: ["wasm"],
      enableMemPattern: memoryPattern,
      graphOptimizationLevel: "all",
      logSeverityLevel: 3,
    });
  },
};
