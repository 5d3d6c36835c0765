/** Attention of heads (Vaswani et al. 2017, sec. 3.2) as the operators of files compute it, in plain operators. */
import type { DType } from "../../core/dtype.ts";
import { ShapeError } from "../../core/errors.ts";
import { showShape } from "../../core/shape.ts";
import type { Value } from "../../graph/ir.ts";
import { cast } from "../cast.ts";
import { scalar } from "../constant.ts";
import { add, div, mul, where } from "../elementwise.ts";
import { tanh } from "../functions.ts";
import { and, greaterOrEqual } from "../logic.ts";
import { matmul } from "../matmul.ts";
import { concat, expand, reshape, transpose } from "../movement.ts";
import { softmax } from "../normalization/normalization.ts";
import { slice } from "../slicing.ts";
import { range } from "../static-values.ts";

/** [N, T, heads · width] as [N, heads, T, width]. Throws ShapeError unless the heads divide the width. */
export function splitHeads(op: string, x: Value, heads: number): Value {
  const [batch = 1, time = 1, width = 1] = x.shape;
  if (x.rank !== 3 || heads < 1 || width % heads !== 0)
    throw new ShapeError(
      `${op}: ${showShape(x.shape)} is not [batch, time, width] with a width of ${heads} equal heads`,
    );
  return transpose(reshape(x, [batch, time, heads, width / heads]), [0, 2, 1, 3]);
}

/** [N, heads, T, width] as [N, T, heads · width]. */
export function joinHeads(x: Value): Value {
  const [batch = 1, heads = 1, time = 1, width = 1] = x.shape;
  return reshape(transpose(x, [0, 2, 1, 3]), [batch, time, heads * width]);
}

/** Keys or values after those of the past, along the axis of time. */
export const after = (past: Value | undefined, own: Value): Value => (past ? concat([past, own], 2) : own);

/** The least number of a float dtype: a score that gets no weight, unless every other is as low. */
export const lowest = (dtype: DType): number =>
  dtype === "float16" ? -65504 : dtype === "float64" ? -Number.MAX_VALUE : -3.4028234663852886e38;

/** 0 where all conditions hold, else `low`; `undefined` without conditions. */
export function biasOf(conditions: readonly Value[], dtype: DType, low = lowest(dtype)): Value | undefined {
  const [first, ...others] = conditions;
  return first && where(others.reduce(and, first), scalar(0, dtype), scalar(low, dtype));
}

/** Whether key j stands no later than query i, which comes after `past` keys: [queries, keys]. */
export const isCausal = (queries: number, keys: number, past: number): Value =>
  greaterOrEqual(reshape(add(range(queries), past), [queries, 1]), range(keys));

/** How scores become weights. */
export interface Scoring {
  /** Factor of the products; default 1 / √width. */
  readonly scale?: number | undefined;
  /** Scores are bent into (-softcap, softcap); 0 for none. */
  readonly softcap?: number;
  /** What is added to the scores after that, broadcast over [N, heads, queries, keys]. */
  readonly biases?: readonly (Value | undefined)[];
  /** Truths, broadcast as the biases: a query that sees no key takes nothing. Default: such a query takes of hidden keys. */
  readonly seen?: Value | undefined;
  /** The score of a key beside the others that has no value, which broadcasts over [N, heads, queries, 1]; default none. */
  readonly sink?: Value | undefined;
  /** The dtype in which the softmax is computed; default that of the scores. */
  readonly precision?: DType;
}

/** Scores [N, heads, queries, keys] at each stage, and what the weights take of the values [N, heads, queries, width]. */
export interface Attended {
  readonly products: Value;
  readonly capped: Value;
  readonly biased: Value;
  readonly weights: Value;
  readonly y: Value;
}

/** Attention of q [N, heads, queries, width] to k [N, keyHeads, keys, width] and v; heads that share keys stand together. */
export function attendTo(op: string, q: Value, k: Value, v: Value, scoring: Scoring): Attended {
  const [batch = 1, heads = 1, queries = 1, width = 1] = q.shape;
  const [, keyHeads = 1, keys = 1] = k.shape;
  const shapes = [q, k, v].map(({ shape }) => showShape(shape)).join(", ");
  if ([q, k, v].some(({ rank }) => rank !== 4) || heads % keyHeads !== 0 || k.shape[3] !== width || v.shape[2] !== keys)
    throw new ShapeError(
      `${op}: queries, keys and values are ${shapes}; they must be [batch, heads, time, width] that fit`,
    );
  const { scale = 1 / Math.sqrt(width), softcap = 0, biases = [], seen, sink, precision = q.dtype } = scoring;
  const shape = [batch, heads, queries, keys];
  // Heads that share keys join their queries: one product for them, and no key is copied.
  const joined = [batch, keyHeads, (heads / keyHeads) * queries];
  const products = reshape(matmul(reshape(mul(q, scale), [...joined, width]), k, { transB: true }), shape);
  const capped = softcap > 0 ? mul(tanh(div(products, softcap)), softcap) : products;
  const biased = biases.reduce<Value>((sum, bias) => (bias ? add(sum, bias) : sum), capped);
  const shares = cast(weightsOf(cast(biased, precision), sink && cast(sink, precision)), q.dtype);
  const weights = seen ? mul(shares, cast(seen, q.dtype)) : shares;
  const y = reshape(matmul(reshape(weights, [...joined, keys]), v), [batch, heads, queries, v.shape[3] ?? 1]);
  return { products, capped, biased, weights, y };
}

function weightsOf(scores: Value, sink: Value | undefined): Value {
  if (!sink) return softmax(scores);
  const beside = expand(sink, scores.shape.with(-1, 1));
  return slice(softmax(concat([scores, beside], -1)), { axis: -1, end: scores.shape.at(-1) ?? 0 });
}
