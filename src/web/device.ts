/** What a page computes on. */
import type { Device } from "../runtime/session.ts";

/**
 * The device that this browser has: "webgpu" where it gives pages a graphics card, else "wasm". Try both with a small network: a step waits for
 * the card, and may be faster without.
 * @example const training = { compile: { device: await pageDevice() } };
 */
export async function pageDevice(): Promise<Device> {
  const { gpu } = globalThis.navigator as { readonly gpu?: { requestAdapter(): Promise<unknown> } };
  // A browser may have WebGPU and refuse it, for the driver or the settings.
  const card = await gpu?.requestAdapter().catch(() => undefined);
  return card ? "webgpu" : "wasm";
}
