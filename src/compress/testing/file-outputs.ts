/** What ONNX files give in plain ONNX Runtime, and how far two outputs lie apart, for tests of compressed models. */
import type { Tensor } from "../../core/tensor.ts";
import { selectBackend } from "../../runtime/select.ts";

/** The first output of a file for an input. */
export async function outputsOf(bytes: Uint8Array, x: Tensor, device: "cpu" | "wasm" = "cpu"): Promise<Float32Array> {
  const session = await (await selectBackend(device)).compile(bytes);
  try {
    return (await session.run([x]))[0]?.data as Float32Array;
  } finally {
    await session.release();
  }
}

/** ‖a - b‖ / ‖a‖. */
export function relative(a: Float32Array, b: Float32Array): number {
  let [difference, norm] = [0, 0];
  for (const [i, x] of a.entries()) {
    difference += (x - (b[i] as number)) ** 2;
    norm += x * x;
  }
  return Math.sqrt(difference / norm);
}
