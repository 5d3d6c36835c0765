/** Whether this machine's products of 8 bits lose what is too large for 16 bits on the way. */
import { Tensor } from "../../core/tensor.ts";
import { graphOf, input } from "../../graph/ir.ts";
import { apply } from "../../graph/op.ts";
import { encodeModel } from "../../onnx/model.ts";
import { MatMulInteger } from "../../ops/index.ts";
import { selectBackend } from "../../runtime/select.ts";

/** For results of quantization. */
export const saturationNote =
  "this machine's products of 8 bits saturate, as those of x86 do before VNNI: the figures here are worse than elsewhere; quantize with reduceRange (--reduce-range)";

let known: Promise<boolean> | undefined;

/** Multiplies the largest numbers there are: 255 · 127 twice is more than 16 bits hold. Measured once. */
export function saturatesHere(): Promise<boolean> {
  known ??= measured();
  return known;
}

const length = 64;

async function measured(): Promise<boolean> {
  const [a, b] = [input("uint8", [length, length], "a"), input("int8", [length, length], "b")];
  const model = encodeModel(graphOf([a, b], [apply(MatMulInteger, [a, b])]));
  const session = await (await selectBackend()).compile(model);
  try {
    const [product] = await session.run([
      new Tensor("uint8", [length, length], new Uint8Array(length * length).fill(255)),
      new Tensor("int8", [length, length], new Int8Array(length * length).fill(127)),
    ]);
    return Number(product?.data[0]) !== length * 255 * 127;
  } finally {
    await session.release();
  }
}
