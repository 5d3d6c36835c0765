/** What the process that tries a device runs: the rates of products there and on the processor, as JSON. */
import { writeSync } from "node:fs";
import type { Device } from "../runtime/session.ts";
import type { Trial } from "./auto-device.node.ts";
import { productRate } from "./measure-device.ts";

/** Small enough to take a fraction of a second on any processor. */
const brief = { side: 512, seconds: 0.1 };

/** Measures a device and the processor. */
export async function trialOf(device: Device): Promise<Trial> {
  try {
    const there = await productRate(device, brief);
    return { there, here: await productRate("cpu", brief) };
  } catch (error) {
    return { obstacle: error instanceof Error ? error.message : String(error) };
  }
}

/** Writes the trial of a device and ends the process, whatever a driver still does. */
export async function report(device: Device): Promise<void> {
  writeSync(1, JSON.stringify(await trialOf(device)));
  process.exit(0);
}
