/** Execution on a graphics card in a browser, by the WebGPU build of onnxruntime-web. */
import * as ort from "onnxruntime-web/webgpu";
import { OptionError } from "../core/errors.ts";
import { createSession, webGpuProvider } from "./ort.ts";
import type { Backend } from "./session.ts";

/** Throws OptionError where the browser gives no graphics card. */
async function requireCard(): Promise<void> {
  const { gpu } = globalThis.navigator as { readonly gpu?: { requestAdapter(): Promise<unknown> } };
  if (!gpu)
    throw new OptionError(
      'device "webgpu" needs a browser with WebGPU, on a page that is served by https or from this machine; compute on "wasm" here',
    );
  if (!(await gpu.requestAdapter()))
    throw new OptionError(
      'device "webgpu" found no graphics card that this browser lets pages use; update its driver, or compute on "wasm"',
    );
}

export const backend: Backend = {
  device: "webgpu",
  // Browsers do not say how much a card has.
  memory: Number.POSITIVE_INFINITY,
  blocks: false,
  halfSums: "float16",
  async compile(model, _, as = {}) {
    await requireCard();
    const options = {
      executionProviders: [webGpuProvider(as)],
      graphOptimizationLevel: "all",
      logSeverityLevel: as.quiet ? 4 : 3,
    } as const;
    return createSession(ort, model, options, { ...as, isDevice: true });
  },
};
