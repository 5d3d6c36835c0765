/** LoRA: low-rank paths beside frozen weights (Hu et al. 2021), with the magnitudes of DoRA (Liu et al. 2024) if they are asked for. */
import { OptionError } from "../../core/errors.ts";
import { count, flag, fraction, matching, oneOf, positive } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import { size } from "../../core/shape.ts";
import type { Value } from "../../graph/ir.ts";
import { compile } from "../../jit/compile.ts";
import {
  type AdaptedRun,
  type AnyModule,
  type Initializer,
  normalInit,
  uniformInit,
  zerosInit,
} from "../../nn/index.ts";
import { knownValue } from "../../nn/parameter-inputs.ts";
import { dropout } from "../../ops/index.ts";
import { type AdapterTargets, isNamed } from "../../transform/adapter-targets.ts";
import { featureNorms, type LowRankPath, lowRankOutput, mergedWeight } from "../../transform/low-rank.ts";
import type { AdapterSet, AdapterSettings } from "./adapter-set.ts";
import { addTo } from "./add-to.ts";
import type { AdapterMethod, Placed, SlotSpec } from "./method.ts";
import { chosenSites, rewriteUses, targetsType, type WeightSite } from "./sites.ts";

/** Ranks and factors of single layers, and how the factor follows from the rank. */
export interface LoraScaling {
  /** The factor is alpha/√rank in place of alpha/rank (Kalajdzievski 2023); default false. */
  readonly rankStabilized?: boolean;
  /** Ranks of layers in place of `rank`, by targets such as `"q_proj"`; the first that matches holds. */
  readonly ranks?: Readonly<Record<string, number>>;
  /** Alphas of layers in place of `alpha`, likewise. */
  readonly alphas?: Readonly<Record<string, number>>;
}

/** Options of `addLora`. */
export interface LoraOptions {
  /** Inner extent of the paths. */
  readonly rank: number;
  /** The paths count alpha/rank times; default the rank. */
  readonly alpha?: number;
  /** Which layers; default the query and value projections. */
  readonly targets?: AdapterTargets;
  /** Rate at which what the paths read is dropped while training; default 0. */
  readonly dropout?: number;
  /** Train the norms of the weights' features apart from their directions (DoRA); default false. */
  readonly dora?: boolean;
  /** Biases that are trained too: those of the adapted layers, or all; default none. */
  readonly bias?: "none" | "adapted" | "all";
  /** Other ranks and factors for some layers, and rank-stabilized factors. */
  readonly scaling?: LoraScaling;
}

const numbersByTarget = (least: number) =>
  matching<Readonly<Record<string, number>>>(
    'numbers by target, such as { "q_proj": 16 }',
    (given) => typeof given === "object" && given !== null && Object.values(given).every((own) => Number(own) >= least),
  );

const checkScaling = optionsOf<LoraScaling>("scaling", {
  rankStabilized: flag,
  ranks: numbersByTarget(1),
  alphas: numbersByTarget(0),
});

export const checkLora = optionsOf<LoraOptions>("addLora", {
  rank: required(count()),
  alpha: positive,
  targets: targetsType,
  dropout: fraction,
  dora: flag,
  bias: oneOf("none", "adapted", "all"),
  scaling: checkScaling.type,
});

/** The value of the first target that names a layer. */
const valueAt = (
  { names }: Pick<WeightSite, "names">,
  values: Readonly<Record<string, number>> = {},
): number | undefined => Object.entries(values).find(([target]) => isNamed(names, target))?.[1];

/** The rank of the path at a layer, and the factor with which it counts. */
export function lowRankAt(
  site: Pick<WeightSite, "names">,
  { rank, alpha = rank, scaling = {} }: LoraOptions,
): { readonly rank: number; readonly alpha: number; readonly scale: number } {
  const ownRank = valueAt(site, scaling.ranks) ?? rank;
  const ownAlpha = valueAt(site, scaling.alphas) ?? alpha;
  return { rank: ownRank, alpha: ownAlpha, scale: ownAlpha / (scaling.rankStabilized ? Math.sqrt(ownRank) : ownRank) };
}

/** Names of the tensors beside a weight, as PEFT's files have them. */
const names = ({ use }: WeightSite) =>
  use.node.op.type === "Gather"
    ? { a: "lora_embedding_A", b: "lora_embedding_B" }
    : { a: "lora_A.weight", b: "lora_B.weight" };
const scaleName = "lora_scale";
const magnitudeName = "lora_magnitude_vector";

/** As PEFT has it: uniform within 1/√inputs, which is Kaiming's with a = √5. */
const narrowInit: Initializer = (shape, random) => {
  const bound = 1 / Math.sqrt(size(shape.slice(1)));
  return uniformInit(-bound, bound)(shape, random);
};

function pathOf(site: WeightSite, slots: Readonly<Record<string, Value>>): LowRankPath {
  const { a, b } = names(site);
  return {
    a: slots[a] as Value,
    b: slots[b] as Value,
    scale: slots[scaleName] as Value,
    magnitude: slots[magnitudeName],
  };
}

export const loraMethod: AdapterMethod<LoraOptions, WeightSite> = {
  kind: "lora",
  places: (model, { targets }) => chosenSites(model, targets),
  slots(site, options) {
    const { rank, scale } = lowRankAt(site, options);
    const [ofA, ofB] = site.use.form.shapes(rank);
    const { a, b } = names(site);
    const isTable = a === "lora_embedding_A";
    const slot = (shape: SlotSpec["shape"], initial: Initializer): SlotSpec => ({
      shape,
      initial: (random) => initial(shape, random),
    });
    return {
      [a]: slot(ofA, isTable ? zerosInit : narrowInit),
      [b]: slot(ofB, isTable ? normalInit(0, 1) : zerosInit),
      [scaleName]: { shape: [], initial: () => Float32Array.of(scale), fixed: scale },
      ...(options.dora && {
        [magnitudeName]: {
          shape: [site.use.weight.shape[site.use.form.outputAxes.weight] ?? 1],
          initial: () => magnitudes(site),
          neutral: "initial",
        } satisfies SlotSpec,
      }),
    };
  },
  merged: (site, slots) => {
    const { parameter, source, use } = site;
    return [{ parameter, source, read: use.weight, merged: mergedWeight(use, pathOf(site, slots)) }];
  },
  alsoTrains: (model, sites, { bias = "none" }) => biasesOf(model, sites, bias),
  apply: (outputs, run, placed, { dropout: rate = 0 }) => besideWeights(outputs, run, placed, rate),
  shared: ({ dora = false, dropout: rate = 0 }) => ({ dora, dropout: rate }),
};

/** The norms of a weight's features as they are. */
async function magnitudes({ use, source, parameter }: WeightSite): Promise<Float32Array> {
  const executable = await compile([source], [featureNorms(use.weight, use.form.outputAxes.weight)]);
  try {
    const [norms] = await executable.run([knownValue(parameter)]);
    return norms?.data as Float32Array;
  } finally {
    await executable.session.release();
  }
}

function biasesOf(model: AnyModule, sites: readonly WeightSite[], bias: "none" | "adapted" | "all"): readonly string[] {
  if (bias === "none") return [];
  const all = [...model.parameters()].flatMap(([path, { isBuffer }]) =>
    /(^|\.)bias$/.test(path) && !isBuffer ? [path] : [],
  );
  if (bias === "all") return all;
  const adapted = new Set(sites.map(({ name }) => `${name}.bias`));
  return all.filter((path) => adapted.has(path));
}

/** The outputs with a path beside each use of the adapted weights. */
function besideWeights(
  outputs: readonly Value[],
  run: AdaptedRun,
  placed: readonly Placed<WeightSite>[],
  rate: number,
): readonly Value[] {
  const { context } = run;
  return rewriteUses(outputs, run, placed, (use, { place, slots }) => {
    const drops = context.training && rate > 0 && use.form.inputAxes !== undefined;
    const dropped = drops ? (x: Value) => dropout(x, rate, context.randomKey(x.shape)) : undefined;
    return lowRankOutput(use, { ...pathOf(place, slots), dropped });
  });
}

/**
 * Adds a low-rank path beside each chosen weight, y = f(x, W) + alpha/rank · f(x, B A), freezes everything else, and puts the adapter into
 * use (Hu et al. 2021, sec. 4.1). B is zero at first, so that the outputs are those of the base. The weights may be those of dense layers,
 * convolutions without groups, and embeddings, of our layers and of imported graphs; a layer that runs several times has one path.
 * A further adapter of the same model shares its graph. Throws OptionError for targets that match no such layer.
 * @example
 * const lora = await addLora(model, { rank: 8, alpha: 16, targets: ["q_proj", "v_proj"] });
 * await fit(model, data, { loss: crossEntropy(), optimizer: adamW({ learningRate: 1e-4 }) });
 * await merge(lora, { probe: batch });
 */
export async function addLora(
  model: AnyModule,
  options: LoraOptions,
  settings: AdapterSettings = {},
): Promise<AdapterSet<LoraOptions, WeightSite>> {
  return addTo(model, loraMethod, checkLora(options), settings);
}

/**
 * Groups for the option `training.groups` in which B learns so many times faster than A (LoRA+, Hayou et al. 2024; the paper finds
 * 16 to be a good start).
 */
export const loraPlus = (ratio = 16) => {
  if (!(ratio > 0)) throw new OptionError(`loraPlus: the ratio is ${ratio}; pass a number above 0, such as 16`);
  return [{ parameters: /(^|\.)lora_(embedding_)?B(\.|$)/, learningRateScale: ratio }] as const;
};
