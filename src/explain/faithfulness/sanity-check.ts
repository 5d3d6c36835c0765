/** The sanity check of explanations: whether a map depends on what the model learned. */
import { OptionError } from "../../core/errors.ts";
import { count, fraction } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { foldIn, type Key, keyOf, keyType, Random } from "../../core/random.ts";
import { size } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import type { Module } from "../../nn/index.ts";
import { type Attribution, requireSample } from "../attribution.ts";
import { layersFromTop } from "../parameter-layers.ts";
import { rankCorrelation } from "./rank-correlation.ts";

/** Options of `sanityCheck`. */
export interface SanityCheckOptions {
  /** Of the numbers that layers are given; default keyOf(0). */
  readonly key?: Key;
  /** The rank correlation from which on a map counts as unchanged once all layers are random; default 0.5. */
  readonly threshold?: number;
  /** How often all layers are made random; correlations are means. Default 1; of a few values more, which are alike by chance. */
  readonly repeats?: number;
}

/** How alike two maps are, as rank correlations. */
export interface MapLikeness {
  /** The layer that was made random last, by its path. */
  readonly path: string;
  /** Of the values with their signs. */
  readonly signed: number;
  /** Of the absolute values, as a heat map shows them. */
  readonly absolute: number;
}

/** How alike the map of a model is to those of the model with random layers. */
export interface SanityCheck {
  /** Layers from the output on; each entry compares the maps once that layer and those before it in this list are random. */
  readonly layers: readonly MapLikeness[];
  /** Whether the map changes: with all layers random both correlations are below the threshold. */
  readonly passes: boolean;
  /** Buffers that stay although they hold what was learned of the data, such as counts of words: what comes from them does not change. */
  readonly kept: readonly string[];
  /** Of a map that hardly changes, or is gone, a sentence. */
  readonly notes: readonly string[];
}

const checkOptions = optionsOf<SanityCheckOptions>("sanityCheck", {
  key: keyType,
  threshold: fraction,
  repeats: count(),
});

/** Numbers of a buffer from which on it may hold what was learned. */
const leastOfBuffer = 16;

/** The buffers of several numbers that are no running statistics: they stay as they are. */
const buffersOf = <O>(model: Module<Value, O>): readonly string[] =>
  [...model.parameters()].flatMap(([path, { isBuffer, shape }]) =>
    isBuffer && !/(^|\.)running_/.test(path) && size(shape) >= leastOfBuffer ? [path] : [],
  );

/** Normal numbers of the mean and the deviation of a parameter's own. */
function redrawn(value: Tensor, random: Random): Tensor {
  const numbers = value.toNumbers();
  const mean = numbers.reduce((sum, own) => sum + own / numbers.length, 0);
  const deviation = Math.sqrt(numbers.reduce((sum, own) => sum + (own - mean) ** 2 / numbers.length, 0));
  return new Tensor(
    "float32",
    value.shape,
    random.normals(numbers.length).map((z) => mean + deviation * z),
  );
}

const magnitudes = ({ values }: Attribution): Float32Array => values.data.map(Math.abs);

/**
 * Whether a method explains this model: layers are made random from the output on, one after the other, and the map must change (Adebayo et al.
 * 2018, section 3, cascading randomization; numbers of each parameter's mean and deviation). A map that stays shows the input, not what the
 * model learned: what multiplies by the input mostly stays in absolute values. The model is changed meanwhile, so that nothing else may use it, and has its parameters back at the end, also after an error.
 * Name the class in what explains. Throws OptionError where the class changes with the model, UnsupportedError for parameters that are
 * packed, and what `explains` throws.
 * @param explains makes the map of the model as it is
 * @example
 * const check = await explain.sanityCheck(model, image, () => explain.saliency(model, image, { target: 3 }));
 * if (!check.passes) console.log(check.notes[0]);
 */
export async function sanityCheck<O>(
  model: Module<Value, O>,
  x: Tensor,
  explains: () => Promise<Attribution>,
  options: SanityCheckOptions = {},
): Promise<SanityCheck> {
  const { key = keyOf(0), threshold = 0.5, repeats = 1 } = checkOptions(options);
  requireSample(x);
  const original = await explains();
  const layers = layersFromTop("sanityCheck", model, x);
  const stay = buffersOf(model);
  const kept = layers.flatMap(({ parameters }) => parameters.map(([, own]) => [own, own.value] as const));
  const sums = layers.map(({ path }) => ({ path, signed: 0, absolute: 0 }));
  const restore = () => {
    for (const [parameter, value] of kept) parameter.value = value;
  };
  let isGone = false;
  const makeRandom = async (own: Key) => {
    for (const [i, { parameters }] of layers.entries()) {
      for (const [name, parameter] of parameters)
        if (parameter.value) parameter.value = redrawn(parameter.value, new Random(foldIn(own, name)));
      const again = await explains();
      if (again.target !== original.target)
        throw new OptionError(
          `sanityCheck: the class that is explained became ${again.target} as layers became random; name it: { target: ${original.target} }`,
        );
      const sum = sums[i] as (typeof sums)[number];
      sum.signed += rankCorrelation(original.values.data, again.values.data) / repeats;
      sum.absolute += rankCorrelation(magnitudes(original), magnitudes(again)) / repeats;
      isGone = again.values.data.every((value) => value === 0);
    }
  };
  try {
    for (let i = 0; i < repeats; i++) {
      restore();
      await makeRandom(i === 0 ? key : foldIn(key, "repeat", i));
    }
  } finally {
    restore();
  }
  const found: readonly MapLikeness[] = sums;
  const last = found.at(-1);
  if (!last) {
    const notes = ["nothing can be made random, since the model has no parameters: the map shows the input alone"];
    return { layers: [], passes: false, kept: stay, notes };
  }
  const kinds = (["signed", "absolute"] as const).filter((kind) => last[kind] >= threshold);
  const stays =
    stay.length > 0 && kinds.length > 0
      ? [
          `the map of ${original.method} hardly changes when all layers are random, which says nothing here: buffers stay that hold what was counted of the data, ${stay.join(", ")}`,
        ]
      : kinds.map(
          (kind) =>
            `${original.method} hardly changes when all layers are random: the rank correlation of its ${kind} values is ${last[kind].toFixed(2)}; they show the input rather than what this model learned`,
        );
  const gone = isGone ? [`the map of ${original.method} is 0 everywhere with random layers, which orders nothing`] : [];
  return { layers: found, passes: kinds.length === 0, kept: stay, notes: [...stays, ...gone] };
}
