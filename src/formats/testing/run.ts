/** Models that are run once, with the values that their parameters have. */
import type { Tensor } from "../../core/tensor.ts";
import { leavesOf } from "../../core/tree.ts";
import type { Value } from "../../graph/ir.ts";
import type { AnyModule, Module } from "../../nn/index.ts";
import { predictor } from "../../train/predict.ts";

/** The outputs of a model for one tensor or tensors by name, depth first. */
export async function run(
  model: AnyModule,
  inputs: Tensor | Readonly<Record<string, Tensor>>,
): Promise<readonly Tensor[]> {
  const ask = predictor(model as Module<Value | Readonly<Record<string, Value>>, unknown>);
  try {
    return leavesOf(await ask(inputs)).map(({ leaf }) => leaf as Tensor);
  } finally {
    await ask.release();
  }
}
