/** Which way the gradients of samples are found of a model, before it is trained. */
import type { Batch } from "../../data/pipeline/dataset.ts";
import { input } from "../../graph/ir.ts";
import type { AnyModule } from "../../nn/module.ts";
import { ParameterInputs } from "../../nn/parameter-inputs.ts";
import type { ClippingWay } from "../../transform/sample-gradients/clipped-gradients.ts";
import { MixedSamplesError } from "../../transform/sample-gradients/sample-axes.ts";
import { clippedStep } from "./clipped-step.ts";
import { keyInput, objectiveBatch, traceBatch } from "./gradient-step.ts";
import type { BoundObjective } from "./objective.ts";

/** How the gradients of samples are found of batches like one: by what each adds, else alone, and why. Throws as `clippedStep` does. */
export function clippingWay(
  model: AnyModule,
  objective: BoundObjective,
  batch: Batch,
): { readonly way: ClippingWay; readonly why?: string } {
  const inputs = new ParameterInputs();
  const seen = objectiveBatch(batch, { objective, way: "lengths" });
  const traced = traceBatch(model, objective, seen, { training: true, key: keyInput(), bind: inputs.bind });
  const wrt = [...model.parameters().values()].flatMap((parameter) =>
    parameter.trainable ? (inputs.valueOf(parameter) ?? []) : [],
  );
  const clipping = { limits: Float32Array.of(1), byLayer: false, samples: 1, parts: 1, way: "lengths" as const };
  try {
    clippedStep([traced.loss], { model, traced, wrt, clipping, limits: input("float32", [1], "limits") });
    return { way: "lengths" };
  } catch (error) {
    if (!(error instanceof MixedSamplesError) || error.isKnown) throw error;
    return { way: "alone", why: error.message };
  }
}
