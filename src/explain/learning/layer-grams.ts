/** The features of a model's layers over the samples of a batch, as matrices of inner products, which a graph gives in place of activations. */
import type { PathPatterns } from "../../core/path-pattern.ts";
import { size } from "../../core/shape.ts";
import type { Tensor } from "../../core/tensor.ts";
import type { Batch } from "../../data/pipeline/dataset.ts";
import type { Value } from "../../graph/ir.ts";
import type { AnyModule, Context, Module } from "../../nn/index.ts";
import { takenOf, valuesOf } from "../../nn/inputs.ts";
import { cast, matmul, reduceMean, reshape, stack, sub } from "../../ops/index.ts";
import { requireSamples, samplesOf, weightName } from "../../train/engine/objective.ts";
import { observedLayers } from "./observed-layers.ts";

/** A layer whose features are looked at. */
export interface FeatureLayer {
  /** Its path in the model, or its name in the file, as `layerStatistics` has it. */
  readonly path: string;
  /** Its class, or the operator of a file. */
  readonly type: string;
  /** Numbers of a sample. */
  readonly features: number;
}

/** The layers of a model with their Gram matrices. */
export interface LayerGrams {
  readonly layers: readonly FeatureLayer[];
  /** X Xᵀ of each layer's features X [N, features], float64 [layers, N, N]. */
  readonly grams: Value;
}

/** The part of a batch that models take, as a tree: of one that takes any, all but the target `y` and weights. */
export function inputsOfBatch(models: readonly AnyModule[], batch: Batch): Readonly<Record<string, Tensor>> {
  requireSamples(batch);
  const names = new Set(
    models.flatMap(({ inputs }) => {
      if (inputs === "tree") return Object.keys(batch).filter((name) => name !== "y" && name !== weightName);
      return inputs === "tensor" ? ["x"] : Object.keys(takenOf(inputs, batch));
    }),
  );
  // A model of one tensor says what it lacks.
  for (const { inputs } of models) takenOf(inputs, batch);
  return Object.fromEntries(Object.entries(batch).filter(([name]) => names.has(name)));
}

/**
 * Applies a model within a call and gives the Gram matrices of its layers, those whose outputs have a row for each sample.
 * @param centered whether each feature's mean over the samples is subtracted
 */
export function layerGrams(
  model: AnyModule,
  batch: Readonly<Record<string, Value>>,
  context: Context,
  { layers: wanted, centered }: { readonly layers: PathPatterns | undefined; readonly centered: boolean },
): LayerGrams {
  const samples = samplesOf(batch);
  const before = context.records.length;
  (model as unknown as Module<unknown, unknown>).apply(takenOf(model.inputs, batch), context);
  const found = observedLayers(context, {
    data: valuesOf(batch),
    layers: wanted,
    records: context.records.slice(before),
    root: context.pathOf(model),
    samples,
  });
  const grams = found.map(({ output }) => {
    const x = cast(reshape(output, [samples, size(output.shape) / samples]), "float64"); // [N, features]
    const rows = centered ? sub(x, reduceMean(x, [0], { keepDims: true })) : x;
    return matmul(rows, rows, { transB: true });
  });
  return {
    layers: found.map(({ path, type, output }) => ({ path, type, features: size(output.shape) / samples })),
    grams: stack(grams),
  };
}
