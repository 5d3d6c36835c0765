/** Infidelity: how far an attribution is from saying what the score does when the input is disturbed. */
import type { ArrayOf } from "../../core/dtype.ts";
import { ShapeError } from "../../core/errors.ts";
import { greatest, least } from "../../core/lists.ts";
import { count, positive } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { foldIn, type Key, keyOf, keyType, Random } from "../../core/random.ts";
import { sameShape, showShape } from "../../core/shape.ts";
import { type Tensor, zerosTensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import type { Module } from "../../nn/index.ts";
import { type Attribution, type ExplainOptions, explainTypes, requireLike } from "../attribution.ts";
import { explainedOf, requireGradients } from "../explained.ts";
import { baselineType } from "../gradients/integrated-gradients.ts";
import { importance, targetOf } from "./places.ts";

/** Options of `infidelity`. */
export interface InfidelityOptions<O> extends ExplainOptions<O> {
  /**
   * Standard deviation of noise on all elements, as a share of the range of the sample's: what disturbs where values are by input, such as
   * gradients. Default 0.05 of those, and no noise where values are in units of the score: there half of the places, drawn, are removed.
   */
  readonly noise?: number;
  /** What is there instead of what is removed, of the shape of the input; default zeros. */
  readonly baseline?: Tensor | undefined;
  /** Disturbances to draw; default 200. */
  readonly samples?: number;
  /** Of the draws: the same key gives the same value; default keyOf(0). */
  readonly key?: Key;
}

/** How far an attribution is from what the score does. */
export interface Infidelity {
  /** The mean squared error of the fall of the score that the attribution says: 0 is best. */
  readonly infidelity: number;
  /** The same of the attribution times the number for which it is least, so that its scale does not count. */
  readonly scaled: number;
  /** The same of an attribution of zeros, which any has to beat. */
  readonly zeros: number;
  /** Where the attribution is no better than zeros, a sentence. */
  readonly notes: readonly string[];
}

const checkOptions = optionsOf<InfidelityOptions<never>>("infidelity", {
  ...explainTypes,
  noise: positive,
  baseline: baselineType,
  samples: count(),
  key: keyType,
});

/** Methods whose values are by input: the score changes by them times a change. */
const byInput: ReadonlySet<string> = new Set(["saliency", "smoothGrad", "guidedBackpropagation"]);

/** The share of zeros' error that an attribution, at its best scale, has to be below to be worth anything. */
const worthless = 0.95;

/** A drawn disturbance: the disturbed sample, and the fall of the score that the attribution says. */
type Disturb = (random: Random) => { readonly said: number; write(into: ArrayOf): void };

/** Places with all of their channels, taken away with even odds. */
function removal(x: Tensor, absent: Tensor, attribution: Attribution): Disturb {
  const values = importance(attribution, x.shape);
  const places = values.length;
  return (random) => {
    const removed = Uint8Array.from(values, () => random.integer(2));
    return {
      said: values.reduce((sum, value, place) => sum + (removed[place] ? value : 0), 0),
      write(into) {
        for (let i = 0; i < into.length; i++) into[i] = (removed[i % places] ? absent : x).data[i] as number;
      },
    };
  };
}

/** Normal noise on every element. */
function noisy(x: Tensor, { values, method }: Attribution, noise: number): Disturb {
  if (!sameShape(values.shape, x.shape))
    throw new ShapeError(
      `infidelity: the values of ${method} are ${showShape(values.shape)}, the input ${showShape(x.shape)}, and noise is on every element; leave noise out`,
    );
  requireGradients(x);
  const elements = x.data as Float32Array;
  const deviation = noise * (greatest(elements) - least(elements) || 1);
  return (random) => {
    const change = random.normals(elements.length).map((z) => deviation * z);
    return {
      said: change.reduce((sum, own, i) => sum + own * (values.data[i] as number), 0),
      write(into) {
        for (const [i, own] of change.entries()) into[i] = (elements[i] as number) - own;
      },
    };
  };
}

/**
 * The infidelity of an attribution: the mean of (I·φ - (f(x) - f(x - I)))² over drawn disturbances I of a sample [1, …] (Yeh et al. 2019, definition
 * 2.1), beside that of the best multiple of it and that of zeros. Low values say that the attribution predicts the score, not that it is
 * simple to read. The class is that of the attribution; where its target was a function, pass the same. Throws what `scoreOf` throws, ShapeError
 * for the attribution of another input, and OptionError where a function is to be passed.
 * @example const { scaled, zeros } = await explain.infidelity(model, image, map); // scaled < zeros
 */
export async function infidelity<O>(
  model: Module<Value, O>,
  x: Tensor,
  attribution: Attribution,
  options: InfidelityOptions<O> = {},
): Promise<Infidelity> {
  const { samples = 200, key = keyOf(0), ...own } = checkOptions(options as InfidelityOptions<never>);
  const target = targetOf("infidelity", attribution, options.target);
  const explained = await explainedOf(model, x, { ...options, target });
  const absent = requireLike("the baseline", own.baseline ?? zerosTensor(x.dtype, x.shape), x);
  const noise = own.noise ?? (byInput.has(attribution.method) ? 0.05 : undefined);
  const disturb = noise === undefined ? removal(x, absent, attribution) : noisy(x, attribution, noise);
  const drawn = (i: number) => disturb(new Random(foldIn(key, "infidelity", i)));
  const said = new Float64Array(samples);
  const scores = await explained.scores(samples, (i, into) => {
    const disturbed = drawn(i);
    said[i] = disturbed.said;
    disturbed.write(into);
  });
  const falls = scores.map((score) => explained.score - score);
  const mean = (of: (said: number, fall: number) => number) =>
    falls.reduce((sum, fall, i) => sum + of(said[i] as number, fall) / samples, 0);
  const squares = mean((own) => own * own);
  const scale = squares > 0 ? mean((own, fall) => own * fall) / squares : 0;
  const zeros = mean((_, fall) => fall * fall);
  const scaled = mean((own, fall) => (scale * own - fall) ** 2);
  const isWorthless = scale <= 0 || scaled >= worthless * zeros;
  return {
    infidelity: mean((own, fall) => (own - fall) ** 2),
    scaled,
    zeros,
    notes: isWorthless
      ? [
          `${attribution.method} predicts the score under ${noise === undefined ? "removal" : "noise"} no better than zeros do, whatever its scale: its values do not say what the score does`,
        ]
      : [],
  };
}
