/** The device that `auto` stands for: chosen once in a process. */
import { inNode } from "../runtime/select.ts";
import type { Device, DeviceChoice } from "../runtime/session.ts";

/** What was chosen, and why. */
export interface ChosenDevice {
  /** The device that computes. */
  readonly device: Device;
  /** Why, in a sentence without its full stop; missing where there is no card. */
  readonly reason?: string;
  /** Whether there is a card, and it cannot be used: `reason` says what stands in its way. Default false. */
  readonly isObstructed?: boolean;
}

/** Of a page: the card that the browser offers, unless that is software. */
async function chosenInPage(): Promise<ChosenDevice> {
  interface Adapter {
    readonly isFallbackAdapter?: boolean;
    readonly info?: { readonly isFallbackAdapter?: boolean };
  }
  const { gpu } = globalThis.navigator as { readonly gpu?: { requestAdapter(): Promise<Adapter | null> } };
  const adapter = await gpu?.requestAdapter().catch(() => null);
  const isSoftware = adapter?.info?.isFallbackAdapter ?? adapter?.isFallbackAdapter ?? false;
  return adapter && !isSoftware
    ? { device: "webgpu", reason: "the browser offers a graphics card" }
    : { device: "wasm" };
}

let chosen: Promise<ChosenDevice> | undefined;

/**
 * The device that `auto` stands for here. In Node it is the processor, unless there is a graphics card that multiplies matrices at least twice
 * as fast, by WebGPU or else by CUDA; a program that acts as a card is none. Without a card nothing is loaded or started. In a browser it is
 * `webgpu` where that offers a card, else `wasm`. Found once in a process.
 * @example const { device } = await chooseDevice(); // "cpu"
 */
export async function chooseDevice(): Promise<ChosenDevice> {
  chosen ??= inNode() ? import("./auto-device.node.ts").then(({ chooseHere }) => chooseHere()) : chosenInPage();
  return chosen;
}

/** A device, of a choice that may be `auto`. */
export const resolveDevice = async <T extends DeviceChoice | undefined>(
  choice: T,
): Promise<Exclude<T, "auto"> | Device> =>
  choice === "auto" ? (await chooseDevice()).device : (choice as Exclude<T, "auto">);
