/** What a page computes on. */
import { flag } from "../core/option-types.ts";
import { optionsOf } from "../core/options.ts";
import type { Device } from "../runtime/session.ts";

/** What counts as a graphics card. */
export interface PageDeviceOptions {
  /** Take one that is made of software too: it computes on the processor, far slower than WebAssembly does there. Default false. */
  readonly software?: boolean;
}

const checkOptions = optionsOf<PageDeviceOptions>("pageDevice", { software: flag });

/** What is read of an adapter of WebGPU; older browsers tell of software in the adapter itself. */
interface Adapter {
  readonly info?: { readonly isFallbackAdapter?: boolean };
  readonly isFallbackAdapter?: boolean;
}

/**
 * The device that this browser has: "webgpu" where it gives pages a graphics card, else "wasm". Try both with a small network: a step waits for
 * the card, and may be faster without.
 * @example const training = { compile: { device: await pageDevice() } };
 */
export async function pageDevice(options: PageDeviceOptions = {}): Promise<Device> {
  const { software = false } = checkOptions(options);
  const { gpu } = globalThis.navigator as { readonly gpu?: { requestAdapter(): Promise<Adapter | null> } };
  // A browser may have WebGPU and refuse it, for the driver or the settings.
  const card = await gpu?.requestAdapter().catch(() => undefined);
  const isSoftware = card?.info?.isFallbackAdapter ?? card?.isFallbackAdapter ?? false;
  return card && (software || !isSoftware) ? "webgpu" : "wasm";
}
