/** Deletion and insertion curves: what a model says as the elements that an attribution ranks first go, or come. */
import { count } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { foldIn, type Key, keyOf, keyType, Random } from "../../core/random.ts";
import { type Tensor, zerosTensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import type { Module } from "../../nn/index.ts";
import { type Attribution, type ExplainOptions, explainTypes, requireLike } from "../attribution.ts";
import { type Explained, explainedOf } from "../explained.ts";
import { baselineType } from "../gradients/integrated-gradients.ts";
import { importance, targetOf } from "./places.ts";

/** Options of `deletionAndInsertion`. */
export interface CurveOptions<O> extends ExplainOptions<O> {
  /** What elements are replaced by, of the shape of the input; default zeros. */
  readonly baseline?: Tensor | undefined;
  /** Points of a curve beside its start: equal shares of the elements; at most as many as there are. Default 20. */
  readonly steps?: number;
  /** Random orders that the attribution is held against; default 5. */
  readonly orders?: number;
  /** Of the random orders; default keyOf(0). */
  readonly key?: Key;
}

/** The score as more and more elements are changed. */
export interface Curve {
  /** Shares of the elements that are changed, from 0 to 1. */
  readonly shares: readonly number[];
  /** The score at each share. */
  readonly scores: readonly number[];
  /** The area under the scores, by trapezoids: their mean over the shares. */
  readonly area: number;
}

/** How well an attribution orders the elements. */
export interface Faithfulness {
  /** From the sample to the baseline, most important elements first: the lower the area, the better. */
  readonly deletion: Curve;
  /** From the baseline to the sample, most important elements first: the higher the area, the better. */
  readonly insertion: Curve;
  /** The mean areas of random orders, which any attribution has to beat. */
  readonly random: { readonly deletion: number; readonly insertion: number };
  /** Where the attribution is no better than chance, a sentence each. */
  readonly notes: readonly string[];
}

const checkOptions = optionsOf<CurveOptions<never>>("deletionAndInsertion", {
  ...explainTypes,
  baseline: baselineType,
  steps: count(),
  orders: count(),
  key: keyType,
});

/** The mean of scores over shares, by trapezoids. */
function areaOf(shares: readonly number[], scores: readonly number[]): number {
  let area = 0;
  for (let i = 1; i < shares.length; i++)
    area +=
      ((shares[i] as number) - (shares[i - 1] as number)) * (((scores[i] as number) + (scores[i - 1] as number)) / 2);
  return area;
}

/** The scores on the way from one tensor to another, whose places are taken over in an order. */
async function curve(
  explained: Explained,
  order: Uint32Array,
  [from, to]: readonly [Tensor, Tensor],
  steps: number,
): Promise<Curve> {
  const places = order.length;
  const points = Math.min(steps, places);
  const countAt = (i: number) => Math.round((i / points) * places);
  const channels = from.data.length / places;
  /** When each place is taken over. */
  const turn = new Uint32Array(places);
  for (const [at, place] of order.entries()) turn[place] = at;
  const found = await explained.scores(points + 1, (i, into) => {
    const changed = countAt(i);
    for (let channel = 0; channel < channels; channel++)
      for (let place = 0; place < places; place++) {
        const j = channel * places + place;
        into[j] = ((turn[place] as number) < changed ? to : from).data[j] as number;
      }
  });
  const shares = Array.from(found, (_, i) => countAt(i) / places);
  const scores = [...found];
  return { shares, scores, area: areaOf(shares, scores) };
}

/**
 * Whether the elements that an attribution ranks first carry the score: the score as they are replaced by the baseline, and as they are put into it
 * (Petsiuk et al. 2018, section 3.2), beside random orders. Pixels of images [1, C, H, W] go with all of their channels, by the sum of their
 * values. The class is that of the attribution; where its target was a function, pass the same. Scores are those of the model: let a target
 * compute probabilities where these are wanted, as the paper has them. Throws what `scoreOf` throws, ShapeError for the attribution of
 * another input, and OptionError where a function is to be passed.
 * @example const { deletion, random } = await explain.deletionAndInsertion(model, image, map); // deletion.area < random.deletion
 */
export async function deletionAndInsertion<O>(
  model: Module<Value, O>,
  x: Tensor,
  attribution: Attribution,
  options: CurveOptions<O> = {},
): Promise<Faithfulness> {
  const { baseline, steps = 20, orders = 5, key = keyOf(0) } = checkOptions(options as CurveOptions<never>);
  const target = targetOf("deletionAndInsertion", attribution, options.target);
  const explained = await explainedOf(model, x, { ...options, target });
  const absent = requireLike("the baseline", baseline ?? zerosTensor(x.dtype, x.shape), x);
  const values = importance(attribution, x.shape);
  const ranked = Uint32Array.from(values.keys()).sort((a, b) => (values[b] as number) - (values[a] as number));
  const deletion = await curve(explained, ranked, [x, absent], steps);
  const insertion = await curve(explained, ranked, [absent, x], steps);
  const random = { deletion: 0, insertion: 0 };
  for (let i = 0; i < orders; i++) {
    const order = new Random(foldIn(key, "curves", i)).permutation(values.length);
    random.deletion += (await curve(explained, order, [x, absent], steps)).area / orders;
    random.insertion += (await curve(explained, order, [absent, x], steps)).area / orders;
  }
  const notes = [
    ...(deletion.area >= random.deletion
      ? ["the score falls no faster in this order than in random ones: the values do not show what carries it"]
      : []),
    ...(insertion.area <= random.insertion
      ? ["the score rises no faster in this order than in random ones: the values do not show what carries it"]
      : []),
  ];
  return { deletion, insertion, random, notes };
}
