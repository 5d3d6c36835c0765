/** Execution on a graphics card in Node, by the WebGPU provider of onnxruntime-node: over Vulkan, Metal or Direct3D. */
import * as ort from "onnxruntime-node";
import { OptionError } from "../core/errors.ts";
import { createSession, webGpuProvider } from "./ort.ts";
import { firstRunFor } from "./placement.node.ts";
import type { Backend } from "./session.ts";

/** What the engine says where there is no card or no driver. */
const noCard = /adapter|WebGpuContext::Initialize|Failed to (?:get|request) a WebGPU/i;

export const backend: Backend = {
  device: "webgpu",
  // The engine does not say how much a card has.
  memory: Number.POSITIVE_INFINITY,
  blocks: false,
  halfSums: "float16",
  async compile(model, { threads, memoryPattern = true, profilePrefix } = {}, as = {}) {
    const options = {
      executionProviders: [webGpuProvider(as)],
      ...(threads !== undefined && { intraOpNumThreads: threads }),
      enableMemPattern: memoryPattern,
      graphOptimizationLevel: "all",
      logSeverityLevel: as.quiet ? 4 : 3,
      ...(profilePrefix !== undefined && { enableProfiling: true, profileFilePrefix: profilePrefix }),
    } as const;
    try {
      const observed = profilePrefix === undefined ? firstRunFor(as) : {};
      return await createSession(ort, model, options, { ...as, ...observed, isDevice: true });
    } catch (cause) {
      if (!(cause instanceof Error && noCard.test(cause.message))) throw cause;
      throw new OptionError(
        'device "webgpu" found no graphics card that it can use; install the driver of the card (on Linux with Vulkan: libvulkan1 and the maker\'s part), or leave the device out to compute on the processor',
        { cause },
      );
    }
  },
};
