/** Execution in Node by onnxruntime-node. */
import { totalmem } from "node:os";
import * as ort from "onnxruntime-node";
import { loopMemories } from "./loop-team.node.ts";
import { createSession } from "./ort.ts";
import type { Backend } from "./session.ts";
import { defaultThreads } from "./threads.node.ts";

export const backend: Backend = {
  device: "cpu",
  // A container may have less than the machine; without a limit the number is 0 or beyond all memory.
  memory: Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY),
  blocks: process.arch === "x64",
  // The engine takes casts to float16 and back out of the way, and computes float32.
  halfSums: "rounded",
  copiesOutputs: true,
  loopMemories: (threads = defaultThreads()) => loopMemories(threads),
  compile: (model, { threads = defaultThreads(), spinning = true, memoryPattern = true, profilePrefix } = {}) =>
    createSession(
      ort,
      model,
      {
        executionProviders: ["cpu"],
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        enableMemPattern: memoryPattern,
        graphOptimizationLevel: "all",
        logSeverityLevel: 3,
        ...(!spinning && { extra: { session: { intra_op: { allow_spinning: "0" } } } }),
        ...(profilePrefix !== undefined && { enableProfiling: true, profileFilePrefix: profilePrefix }),
      },
      { writesInPlace: true },
    ),
};
