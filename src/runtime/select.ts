/** Choosing the backend of a device; loads only the engine that is used. */
import { OptionError } from "../core/errors.ts";
import type { Backend, Device } from "./session.ts";

const inNode = () => typeof process === "object" && process.versions?.node !== undefined;

/** The backend of a device; without one, `cpu` in Node and `wasm` elsewhere. */
export async function selectBackend(device: Device = inNode() ? "cpu" : "wasm"): Promise<Backend> {
  if (device === "webgpu") return (await import("./webgpu.node.ts")).backend;
  if (device === "cpu") {
    if (!inNode()) throw new OptionError('device "cpu" needs Node; use "wasm" in a browser');
    return (await import("./node.ts")).backend;
  }
  try {
    return (await import("./web.ts")).backend;
  } catch (cause) {
    throw new OptionError('device "wasm" needs the package onnxruntime-web; run: npm install onnxruntime-web', {
      cause,
    });
  }
}
