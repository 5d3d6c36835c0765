/** Models that are run once, with the values that their parameters have. */
import { Tensor } from "../../core/tensor.ts";
import { leavesOf } from "../../core/tree.ts";
import type { Value } from "../../graph/ir.ts";
import type { AnyModule, Module } from "../../nn/index.ts";
import { predictor } from "../../train/predict.ts";

/** The outputs of a model for one tensor or tensors by name, depth first. */
export async function run(
  model: AnyModule,
  inputs: Tensor | Readonly<Record<string, Tensor | readonly Tensor[]>>,
): Promise<readonly Tensor[]> {
  const ask = predictor(model as Module<Value | Readonly<Record<string, Value | readonly Value[]>>, unknown>);
  try {
    return leavesOf(await ask(inputs)).flatMap(({ leaf }) => (leaf instanceof Tensor ? [leaf] : []));
  } finally {
    await ask.release();
  }
}
