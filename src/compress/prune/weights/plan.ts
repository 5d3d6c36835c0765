/** Plans which single weights of a model become zero, and makes them zero. */
import { OptionError, unknownName } from "../../../core/errors.ts";
import { oneOf, pathPatternsType, positiveFraction } from "../../../core/option-types.ts";
import { optionsOf } from "../../../core/options.ts";
import { matchesPath, type PathPatterns } from "../../../core/path-pattern.ts";
import { Tensor } from "../../../core/tensor.ts";
import type { Batch, Dataset } from "../../../data/pipeline/dataset.ts";
import type { AnyModule, Parameter } from "../../../nn/index.ts";
import { knownValue } from "../../../nn/parameter-inputs.ts";
import type { LossSpec } from "../../../train/index.ts";
import { dataType, eachGradient, type GradientData, gradientData, lossType } from "../gradients.ts";
import { choosePruned, type PruneBy, pruneByType, requirePattern, type ScoredWeight } from "./choose.ts";

/** How single weights are scored. */
export type WeightScore = "magnitude" | "taylor";

/** Options of `planPruning` and `pruneWeights`. */
export interface PruneWeightsOptions {
  /** Share of the weights that becomes zero, above 0 and below 1; a pattern says it itself. */
  readonly sparsity?: number;
  /**
   * Among which the least are chosen: of all weights together, of each layer by itself, or of every m that lie side by side, as
   * processors with sparse products want it: `{ n: 2, m: 4 }`. Default `"global"`.
   */
  readonly by?: PruneBy;
  /**
   * What a weight is worth: `"magnitude"`, its size; `"taylor"`, the squared change of the loss without it, to first order. Default
   * `"magnitude"`.
   */
  readonly score?: WeightScore;
  /** Batches for `"taylor"`, of the training part. */
  readonly data?: Dataset<Batch>;
  /** The loss for `"taylor"`. */
  readonly loss?: LossSpec;
  /** Parameters that stay whole, by their paths. Default none: of what has two axes or more, all are pruned. */
  readonly exclude?: PathPatterns;
}

const checkOptions = optionsOf<PruneWeightsOptions>("pruneWeights", {
  sparsity: positiveFraction,
  by: pruneByType,
  score: oneOf("magnitude", "taylor"),
  data: dataType,
  loss: lossType,
  exclude: pathPatternsType,
});

/** What a parameter has of zeros. */
export interface WeightSparsity {
  /** Path of the parameter. */
  readonly path: string;
  /** How many it has. */
  readonly elements: number;
  /** How many of these are zero. */
  readonly zeros: number;
}

/** How sparse a model is. */
export interface Sparsity {
  /** Its weights: parameters of two axes or more. */
  readonly weights: readonly WeightSparsity[];
  /** Share of zeros among the elements of its weights. */
  readonly sparsity: number;
  /** Elements of all its parameters, biases too and buffers not. */
  readonly parameters: number;
  /** Those of them that are not zero. */
  readonly effective: number;
}

/** What a model would lose of single weights. */
export interface WeightPlan extends Sparsity {
  /** Which elements become zero: for each parameter that loses some, 1 where one does, in row-major order. */
  readonly pruned: ReadonlyMap<string, Uint8Array>;
}

/** Parameters that may be pruned: of two axes or more, learned, and with a value of their own. */
const isPrunable = ({ shape, isBuffer, packed }: Pick<Parameter, "shape" | "isBuffer" | "packed">): boolean =>
  shape.length > 1 && !isBuffer && packed === undefined;

/** The parameters that are meant. Throws OptionError for a pattern that matches nothing, and where nothing is left. */
function chosenOf(model: AnyModule, exclude: PathPatterns | undefined): readonly (readonly [string, Parameter])[] {
  const all = [...model.parameters()];
  const patterns = exclude === undefined ? [] : [exclude].flat();
  const stray = patterns.find((pattern) => !all.some(([path]) => matchesPath(path, pattern)));
  if (stray !== undefined) throw unknownName("parameter", String(stray), model.parameters().keys());
  const chosen = all.filter(
    ([path, parameter]) => isPrunable(parameter) && !patterns.some((pattern) => matchesPath(path, pattern)),
  );
  if (chosen.length > 0) return chosen;
  throw new OptionError(
    all.length === 0
      ? "planPruning: the model has no parameters yet; initialize it, or load a checkpoint: model.initialize(keyOf(0), types)"
      : "planPruning: no parameter of two axes or more is left to prune, that is not packed in few bits; exclude less",
  );
}

/**
 * Which weights become zero, before any does: Han et al. 2015 ("Learning both weights and connections") by size. Weights are the
 * parameters of two axes or more; biases and scales stay. Of all layers together, the best weight of each layer stays. Throws OptionError
 * for a sparsity that is none, a pattern that does not divide the rows of a weight, and a pattern of paths that matches nothing;
 * DataError for parameters without values.
 * @example
 * const { weights, sparsity } = await planPruning(model, { sparsity: 0.9 });
 */
export async function planPruning(model: AnyModule, options: PruneWeightsOptions): Promise<WeightPlan> {
  const { sparsity, by = "global", score = "magnitude", data, loss, exclude } = checkOptions(options);
  if (typeof by === "string" && sparsity === undefined)
    throw new OptionError("planPruning: sparsity is missing; pass the share that becomes zero: { sparsity: 0.9 }");
  if (typeof by !== "string" && sparsity !== undefined)
    throw new OptionError(
      `planPruning: the pattern of ${by.n} of ${by.m} says the sparsity itself; leave sparsity out`,
    );
  const given = gradientData("planPruning", { score, data, loss });
  const chosen = chosenOf(model, exclude);
  requirePattern(
    "planPruning",
    by,
    chosen.map(([path, { shape }]) => ({ path, shape })),
  );
  const weights = given ? await taylorScores(model, given, chosen) : chosen.map(bySize);
  const pruned = choosePruned(weights, by, sparsity ?? 0);
  return { ...sparsityOf(model, pruned), pruned };
}

/**
 * Makes weights zero, and returns what became of them. Training moves them again unless it is told to `keepZeros`. Throws what
 * `planPruning` throws; the model is as it was then.
 * @example
 * await pruneWeights(model, { sparsity: 0.9 });
 * await fit(model, train, { loss, optimizer, epochs: 2, training: { transforms: [keepZeros()] } });
 */
export async function pruneWeights(model: AnyModule, options: PruneWeightsOptions): Promise<WeightPlan> {
  const plan = await planPruning(model, options);
  const parameters = model.parameters();
  for (const [path, gone] of plan.pruned) {
    const parameter = parameters.get(path);
    if (!parameter || !gone.includes(1)) continue;
    const { data } = knownValue(parameter);
    parameter.value = new Tensor(
      "float32",
      parameter.shape,
      Float32Array.from(data as Float32Array, (own, i) => (gone[i] === 1 ? 0 : own)),
    );
  }
  return plan;
}

/** How many zeros a model has. @param also elements that are to become zero */
export function sparsityOf(model: AnyModule, also: ReadonlyMap<string, Uint8Array> = new Map()): Sparsity {
  const learned = [...model.parameters()].filter(([, { isBuffer }]) => !isBuffer);
  const counted = learned.map(([path, parameter]) => {
    const { data } = knownValue(parameter);
    const gone = also.get(path);
    let zeros = 0;
    for (let i = 0; i < data.length; i++) if (data[i] === 0 || gone?.[i] === 1) zeros++;
    return { path, elements: data.length, zeros, isWeight: parameter.shape.length > 1 };
  });
  const sum = (of: "elements" | "zeros", all: typeof counted) => all.reduce((total, own) => total + own[of], 0);
  const weights = counted.filter(({ isWeight }) => isWeight);
  return {
    weights: weights.map(({ path, elements, zeros }) => ({ path, elements, zeros })),
    sparsity: weights.length === 0 ? 0 : sum("zeros", weights) / sum("elements", weights),
    parameters: sum("elements", counted),
    effective: sum("elements", counted) - sum("zeros", counted),
  };
}

const bySize = ([path, parameter]: readonly [string, Parameter]): ScoredWeight => ({
  path,
  shape: parameter.shape,
  scores: sizesOf(knownValue(parameter).data as Float32Array),
});

/** The sizes of elements. */
export const sizesOf = (data: Float32Array): Float32Array => data.map(Math.abs);

/** The mean over batches of (gradient · weight)² (Molchanov et al. 2017, "Pruning convolutional neural networks", section 2.2). */
async function taylorScores(
  model: AnyModule,
  given: GradientData,
  chosen: readonly (readonly [string, Parameter])[],
): Promise<readonly ScoredWeight[]> {
  const weights = chosen.map(([path, parameter]) => {
    const values = knownValue(parameter).data as Float32Array;
    return { path, shape: parameter.shape, values, scores: new Float32Array(values.length) };
  });
  await eachGradient(model, given, (gradients) => {
    for (const { path, values, scores } of weights) {
      const gradient = gradients.get(path);
      for (let i = 0; i < scores.length; i++)
        scores[i] = (scores[i] as number) + ((gradient?.[i] ?? 0) * (values[i] as number)) ** 2;
    }
  });
  return weights;
}
