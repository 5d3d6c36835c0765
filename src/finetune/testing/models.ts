/** Small models that the tests of adapters share. */
import { keyOf, Random } from "../../core/random.ts";
import { Tensor } from "../../core/tensor.ts";
import { gpt2Architectures, llamaArchitectures } from "../../models/index.ts";
import type { AnyModule, Module } from "../../nn/index.ts";
import { predict } from "../../train/index.ts";

const sizes = { layers: 2, width: 16, heads: 4, feedForward: 24, vocabulary: 20, positions: 24 };

/** A Llama of 2 blocks whose heads share keys in pairs. */
export function smallLlama() {
  const model = llamaArchitectures.LlamaForCausalLM({ sizes, details: { deviation: 0.3 }, attention: { keyHeads: 2 } });
  model.initialize(keyOf(3), { dtype: "int32", shape: [2, 6] });
  return model as unknown as Module;
}

/** A GPT-2 of 2 blocks without dropout, whose scores come from the embedding's weight. */
export function smallGpt2() {
  const model = gpt2Architectures.GPT2LMHeadModel({
    sizes,
    details: { dropout: 0, attentionDropout: 0, deviation: 0.3 },
    embeddingDropout: 0,
  });
  model.initialize(keyOf(4), { dtype: "int32", shape: [2, 6] });
  return model as unknown as Module;
}

const random = new Random(keyOf(5));
/** Token ids [2, 6]. */
export const ids = new Tensor(
  "int32",
  [2, 6],
  Int32Array.from({ length: 12 }, () => random.integer(20)),
);

export const numbersOf = async (model: Module, x: Tensor): Promise<number[]> => (await predict(model, x)).toNumbers();

const largest = (values: readonly number[]) => Math.max(...values.map(Math.abs));
/** The largest difference, relative to the largest number. */
export const apart = (a: readonly number[], b: readonly number[]): number =>
  largest(a.map((value, i) => value - (b[i] ?? 0))) / largest(a);

/** Gives every trainable parameter numbers that act. */
export function stir(model: AnyModule, seed = 1): void {
  const own = new Random(keyOf(seed));
  for (const parameter of model.parameters().values())
    if (parameter.trainable)
      parameter.value = new Tensor(
        "float32",
        parameter.shape,
        Float32Array.from(parameter.value?.data as Float32Array, (value) => value + 0.3 * own.normal()),
      );
}
