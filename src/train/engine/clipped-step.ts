/** A step in which the gradient of each sample is bounded before they are added up, as differential privacy asks for. */
import { reachableGradients } from "../../autodiff/gradients.ts";
import { OptionError } from "../../core/errors.ts";
import { groupBy } from "../../core/group-by.ts";
import { nodesOf, type Value } from "../../graph/ir.ts";
import type { AnyModule } from "../../nn/module.ts";
import type { Parameter } from "../../nn/parameter.ts";
import { add, mul, ones, reshape } from "../../ops/index.ts";
import type { DerivedStep } from "../../transform/derive-step.ts";
import { type ClippingWay, clippedGradients } from "../../transform/sample-gradients/clipped-gradients.ts";
import { sampleTerms } from "../../transform/sample-gradients/unsum.ts";
import type { GradientStepOptions, TracedBatch } from "./gradient-step.ts";
import { weightName } from "./objective.ts";

/** How each sample's gradient is bounded before they are added up. */
export interface SampleClipping {
  /**
   * The Euclidean norms that no sample's gradient exceeds: one of all parameters together, or one of each layer's, in the order of the layers. Read at each
   * step: what changes them changes later steps.
   */
  readonly limits: Float32Array;
  /** Whether limits are of layers: parameters of one module. Default: there is one of all. */
  readonly byLayer: boolean;
  /** By what the sums are divided: how many samples an update is expected to have. */
  readonly samples: number;
  /** In how many batches an update comes, each of which has its share of penalties on parameters. */
  readonly parts: number;
  /** How a sample's gradient is found; `"alone"` for batches of one sample, for losses and operators that have no other way. */
  readonly way: ClippingWay;
}

interface ClippedOptions {
  readonly model: AnyModule;
  readonly traced: TracedBatch;
  /** Values of the trained parameters, by whose names layers are told. */
  readonly wrt: readonly Value[];
  readonly clipping: SampleClipping;
  /** The graph input of the limits. */
  readonly limits: Value;
}

/** Throws OptionError for what steps cannot do beside clipping samples. */
export function requireClippable({
  ranks,
  compile = {},
  memory = {},
}: Pick<GradientStepOptions, "ranks" | "compile" | "memory">): void {
  const stray = (
    [
      [ranks !== undefined, "several processes"],
      [compile.precision === "float16", "products in float16"],
      [memory.memory !== undefined || memory.checkpoint !== undefined, "a budget of memory"],
    ] as const
  ).find(([isAsked]) => isAsked);
  if (stray)
    throw new OptionError(
      `steps that clip the gradient of each sample do not go with ${stray[1]}; leave that out, or cut batches into more parts`,
    );
}

/** The layer of a parameter: its path without its own name. */
export const layerOfParameter = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf(".")));

/**
 * The gradients of a batch, Σ min(1, limit / ‖gᵢ‖) gᵢ / samples, and those of penalties on weights, which depend on no sample; behind what is measured how many
 * samples were within their limits. Of a loss that is known as one number it finds what each sample adds. Throws OptionError for statistics of the data that the
 * model keeps, MixedSamplesError where a sample's loss depends on others.
 */
export function clippedStep(
  forward: readonly Value[],
  { model, traced, wrt, clipping, limits }: ClippedOptions,
): DerivedStep {
  const { context, penalty } = traced;
  const [updated] = context.updates.keys();
  if (updated) throw new OptionError(whyNoStatistics(model, updated));
  const data = Object.values(traced.batch);
  const { [weightName]: weight } = traced.batch;
  const ofActivations = penalty && dependsOn(penalty, data) ? penalty : undefined;
  const ofWeights = ofActivations ? undefined : penalty;
  const losses = sampleLossesOf(traced, { clipping, ofActivations });
  const groups = clipping.byLayer
    ? [...groupBy(wrt.keys(), (i) => layerOfParameter(wrt[i]?.name ?? "")).values()]
    : [[...wrt.keys()]];
  const found = clippedGradients([losses, ...forward], { wrt, groups, limits, data, weight, way: clipping.way });
  const ofPenalty = ofWeights ? reachableGradients([ofWeights], [ones([], ofWeights.dtype)], wrt) : [];
  const gradients = wrt.map((_, i) => {
    const [own, beside] = [found.gradients[i], ofPenalty[i]];
    const mean = own && mul(own, 1 / clipping.samples);
    const share = beside && mul(beside, 1 / clipping.parts);
    return mean && share ? add(mean, share) : (mean ?? share);
  });
  return { forward: [...found.forward.slice(1), found.within], gradients, memory: undefined };
}

interface LossesOptions {
  readonly clipping: SampleClipping;
  /** Penalties that depend on the data, of which each sample has its own. */
  readonly ofActivations: Value | undefined;
}

/** The losses of samples [N], with their penalties, times their weights. */
function sampleLossesOf(traced: TracedBatch, { clipping, ofActivations }: LossesOptions): Value {
  const { sampleLosses, mean, batch } = traced;
  const { [weightName]: weight, ...others } = batch;
  const data = Object.values(others);
  const [samples = 0] = data[0]?.shape ?? [];
  if (clipping.way === "alone" && samples !== 1)
    throw new OptionError(
      `samples are clipped alone, in batches of one, and the batch has ${samples}; cut batches into parts of one sample`,
    );
  // Of a mean each sample has as much as there are of them.
  const termsOf = (total: Value): Value =>
    clipping.way === "alone" ? reshape(total, [1]) : mul(sampleTerms(total, { data, count: samples }), samples);
  const own = sampleLosses ?? termsOf(mean);
  const whole = ofActivations ? add(own, termsOf(ofActivations)) : own;
  // An objective that reads no weights has not multiplied by them; those of a sample alone are multiplied by later.
  return !sampleLosses && weight && clipping.way !== "alone" ? mul(whole, reshape(weight, [samples])) : whole;
}

function whyNoStatistics(model: AnyModule, updated: Parameter): string {
  const [path = "the model"] = [...model.parameters()].find(([, parameter]) => parameter === updated) ?? [];
  return `${layerOfParameter(path)} keeps statistics of the data (${path}), which clipping does not bound and noise does not cover; normalize each sample by itself, by groupNorm or layerNorm, or freeze the layer`;
}

function dependsOn(value: Value, data: readonly Value[]): boolean {
  const read = new Set(nodesOf([value]).flatMap(({ inputs }) => inputs));
  return data.some((own) => read.has(own));
}
