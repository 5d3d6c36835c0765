/** `auto` in Node: what files speak for is tried in a process of its own, in a time limit, and has to be faster than the processor. */
import { spawn } from "node:child_process";
import { likelyDevices, type Surroundings, surroundings, withoutSoftware } from "../runtime/cards.node.ts";
import type { Device } from "../runtime/session.ts";
import type { ChosenDevice } from "./auto-device.ts";

/** What trying a device came to: floating-point operations a second there and on the processor, or what stands in its way. */
export type Trial = { readonly there: number; readonly here: number } | { readonly obstacle: string };

/** A card is taken when it multiplies this many times as fast as the processor: steps are more than products. */
const atLeast = 2;
/** Drivers that take longer than this to start and to multiply, in milliseconds, are given up. */
const patience = 20_000;

/** Names of the interfaces of cards. */
const names: Readonly<Partial<Record<Device, string>>> = { webgpu: "WebGPU", cuda: "CUDA" };

/** The device for a machine, and why. */
export async function chooseHere(
  here: Surroundings = surroundings,
  tries: (device: Device) => Promise<Trial> = tryDevice,
): Promise<ChosenDevice> {
  const [slow, obstacles]: [string[], string[]] = [[], []];
  for (const device of likelyDevices(here)) {
    const trial = await tries(device);
    if ("obstacle" in trial) {
      obstacles.push(`there is a graphics card, but ${names[device]} cannot compute on it: ${trial.obstacle}`);
      continue;
    }
    const times = trial.there / trial.here;
    const found = `the graphics card multiplies ${Number(times.toPrecision(2))} times as fast as the processor`;
    if (times >= atLeast) {
      // The run's own engine must pass over the same drivers.
      if (device === "webgpu" && here.platform === "linux") Object.assign(process.env, withoutSoftware(process.env));
      return { device, reason: found };
    }
    slow.push(`${found}, and is taken from ${atLeast} times on`);
  }
  // What is said of the better device stands for all.
  const [reason = obstacles[0]] = slow;
  return {
    device: "cpu",
    ...(reason !== undefined && { reason }),
    ...(slow.length === 0 && reason !== undefined && { isObstructed: true }),
  };
}

/** The first lines of the process that tries; from sources it needs a loader of TypeScript. */
function firstLines(device: Device): string {
  const isSource = import.meta.url.endsWith(".ts");
  const entry = new URL(isSource ? "./auto-trial.node.ts" : "./auto-trial.node.js", import.meta.url);
  const begin = `import(${JSON.stringify(entry.href)}).then(({ report }) => report(${JSON.stringify(device)}))`;
  if (!isSource) return begin;
  return `import(${JSON.stringify(import.meta.resolve("tsx/esm/api"))}).then(({ register }) => (register(), ${begin}))`;
}

/** Tries a device in another process, which a driver may end or hold up without harm to this one. */
export function tryDevice(device: Device, milliseconds = patience): Promise<Trial> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["--input-type=module", "-e", firstLines(device)], {
      env: { ...process.env, ...withoutSoftware(process.env) },
      stdio: ["ignore", "pipe", "ignore"],
      timeout: milliseconds,
      killSignal: "SIGKILL",
    });
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (piece: string) => (text += piece));
    child.on("error", (error) => resolve({ obstacle: error.message }));
    child.on("close", (code, signal) => {
      try {
        resolve(JSON.parse(text) as Trial);
      } catch {
        const end = signal === null ? `exit code ${code}` : signal;
        resolve({
          obstacle: `trying it ended with ${end}${signal === "SIGKILL" ? ` after ${milliseconds / 1000} s` : ""}`,
        });
      }
    });
  });
}
