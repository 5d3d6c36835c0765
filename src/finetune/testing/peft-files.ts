/** Files of PEFT that the tests of its layout share, and changes of them. */
import { keyOf } from "../../core/random.ts";
import { Tensor } from "../../core/tensor.ts";
import { conv2d, dense, flatten, type Module, sequential } from "../../nn/index.ts";
import { decodeSafetensors, encodeSafetensors } from "../../storage/safetensors.ts";
import { addLora, encodePeft } from "../index.ts";
import { ids, numbersOf, smallLlama, stir } from "./models.ts";

/** A convolution and two dense layers. */
export const network = () => {
  const model = sequential([
    conv2d(6, 3, { activation: "relu" }),
    flatten(),
    dense(8, { activation: "tanh" }),
    dense(3),
  ]);
  model.initialize(keyOf(1), { dtype: "float32", shape: [2, 1, 6, 6] });
  return model as unknown as Module;
};
export const image = new Tensor(
  "float32",
  [2, 1, 6, 6],
  Float32Array.from({ length: 72 }, (_, i) => Math.sin(i)),
); /** A file with its tensors and fields changed. */
export function changed(
  { config, weights }: ReturnType<typeof encodePeft>,
  fields: object,
  tensors: (own: Record<string, Tensor>) => Record<string, Tensor> = (own) => own,
) {
  return [{ ...config, ...fields }, encodeSafetensors(tensors(decodeSafetensors(weights).tensors))] as const;
}

export const rename = (from: RegExp, to: string) => (own: Record<string, Tensor>) =>
  Object.fromEntries(Object.entries(own).map(([name, tensor]) => [name.replace(from, to), tensor]));

/** A file of PEFT for the small Llama, its tensors stirred, and the outputs with it. */
export async function given(options: Partial<Parameters<typeof addLora>[1]> = {}) {
  const model = smallLlama();
  const set = await addLora(model, { rank: 2, alpha: 4, targets: ["q_proj", "v_proj"], ...options });
  stir(model);
  return { file: encodePeft(set, "default", { base: "meta-llama/base" }), outputs: await numbersOf(model, ids) };
}
