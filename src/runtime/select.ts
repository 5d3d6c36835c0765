/** Choosing the backend of a device; loads only the engine that is used. */
import { OptionError } from "../core/errors.ts";
import type { Backend, Device } from "./session.ts";

/** Whether this is Node, or something that acts as it. */
export const inNode = (): boolean => typeof process === "object" && process.versions?.node !== undefined;

/** A backend on onnxruntime-web. Throws OptionError where that is not installed. */
async function onWeb(device: Device, load: () => Promise<{ readonly backend: Backend }>): Promise<Backend> {
  try {
    return (await load()).backend;
  } catch (cause) {
    throw new OptionError(`device "${device}" needs the package onnxruntime-web; run: npm install onnxruntime-web`, {
      cause,
    });
  }
}

/** The backend of a device; without one, `cpu` in Node and `wasm` elsewhere. Throws OptionError for one that cannot be here. */
export async function selectBackend(device: Device = inNode() ? "cpu" : "wasm"): Promise<Backend> {
  if (device === "webgpu")
    return inNode() ? (await import("./webgpu.node.ts")).backend : await onWeb(device, () => import("./webgpu.web.ts"));
  if (device === "cuda") {
    if (!inNode()) throw new OptionError('device "cuda" needs Node; use "webgpu" in a browser');
    return (await import("./cuda.node.ts")).cudaBackend();
  }
  if (device === "wasm") return onWeb(device, () => import("./web.ts"));
  if (!inNode()) throw new OptionError('device "cpu" needs Node; use "wasm" in a browser');
  return (await import("./node.ts")).backend;
}
