/** Whether a device has float16, found out by computing with it once. */
import { OptionError } from "../core/errors.ts";
import { Tensor } from "../core/tensor.ts";
import { graphOf, input } from "../graph/ir.ts";
import { encodeModel } from "../onnx/model.ts";
import { cast } from "../ops/cast.ts";
import type { Backend } from "../runtime/session.ts";

/** What ONNX Runtime says of a card without WebGPU's feature "shader-f16". */
const noHalf = /requires f16|shader-f16/i;

const asked = new WeakMap<Backend, Promise<boolean>>();

/** Rounds a number to float16 there. */
async function computes(backend: Backend): Promise<boolean> {
  const x = input("float32", [1], "x");
  const model = encodeModel(graphOf([x], [cast(cast(x, "float16"), "float32")]), { outputNames: ["y"] });
  const session = await backend.compile(model, {}, { quiet: true });
  try {
    await session.run([new Tensor("float32", [1], Float32Array.of(1))]);
    return true;
  } catch (error) {
    if (error instanceof Error && noHalf.test(error.message)) return false;
    throw error;
  } finally {
    await session.release();
  }
}

/** Throws OptionError where a device computes products of float16 itself, and its card has none. Asked once of each device. */
export async function requireHalf(backend: Backend): Promise<void> {
  if (backend.halfSums === "rounded") return;
  const known = asked.get(backend) ?? computes(backend);
  asked.set(backend, known);
  if (!(await known))
    throw new OptionError(
      `precision "float16" needs a graphics card whose driver has half floats (WebGPU's feature "shader-f16"), and the one of device "${backend.device}" has none; compute in float32 (--precision float32), or update the driver`,
    );
}
