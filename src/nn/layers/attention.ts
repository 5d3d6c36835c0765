/** Scaled dot-product attention (Vaswani et al. 2017, sec. 3.2), and the heads it runs in. */

import { ShapeError } from "../../core/errors.ts";
import { count, flag, fraction, having, number, positive } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import { sameShape, showShape } from "../../core/shape.ts";
import type { Value } from "../../graph/ir.ts";
import { valueType } from "../../graph/ir.ts";
import {
  add,
  and,
  cast,
  concat,
  dropout as drop,
  equal,
  expand,
  greaterOrEqual,
  less,
  matmul,
  mul,
  pad,
  range,
  reshape,
  scalar,
  softmax,
  tanh,
  transpose,
  where,
} from "../../ops/index.ts";
import type { Context } from "../context.ts";
import type { Decoding } from "../decoding.ts";
import type { Module } from "../module.ts";

/** Options of `attend`. */
export interface AttendOptions {
  /** Factor of the products of queries and keys; default 1/√D. */
  readonly scale?: number;
  /** Let a query attend to its own and earlier keys only, the last query standing at the last key; default false. */
  readonly causal?: boolean;
  /** With `causal`: how many keys a query attends to, its own included; default all. */
  readonly window?: number | undefined;
  /** Which keys take part, [N, S]: 1 or true for those that do; default all. */
  readonly mask?: Value | undefined;
  /** Added to the scaled products, [1 or N, H, 1 or T, S]. */
  readonly bias?: Value | undefined;
  /** Scaled products x become cap · tanh(x / cap), within ±cap (Bello et al. 2016); default as they are. */
  readonly cap?: number | undefined;
  /** Rate at which attention weights are dropped while training; default 0. */
  readonly dropout?: number;
}

const checkAttend = optionsOf<AttendOptions>("attend", {
  scale: number,
  causal: flag,
  window: count(),
  mask: valueType,
  bias: valueType,
  cap: positive,
  dropout: fraction,
});

/**
 * What is added to the product of a query with a key that it must not see: its weight becomes 0. Finite, so that a query
 * that may see nothing averages over every key rather than giving NaN.
 */
export const unseen = -1e30;

/**
 * softmax(scale · q kᵀ + bias) v: each query takes the mean of the values, weighted by how well their keys match it.
 * q is [N, H, T, D], k and v are [N, Hkv, S, D], where Hkv divides H: neighbouring queries' heads share keys (Ainslie et
 * al. 2023). Returns [N, H, T, D]. In a context that decodes, causal attention also sees the keys of earlier steps. Throws ShapeError for operands that do not fit.
 * @example
 * const y = attend(q, k, v, { causal: true, dropout: 0.1 }, context);
 */
export function attend(q: Value, ownKeys: Value, ownValues: Value, options: AttendOptions, context: Context): Value {
  checkAttend(options);
  const kept = options.causal ? context.decoding : undefined;
  const [textKeys, textValues] = kept
    ? [kept.remember(ownKeys).before, kept.remember(ownValues).before]
    : [ownKeys, ownValues];
  requireFit(q, textKeys, textValues, options);
  const { causal = false, bias } = options;
  const first = context.attendedFirst(textKeys, textValues, { causal, biased: bias !== undefined });
  const k = first ? concat([first.keys, textKeys], 2) : textKeys;
  const v = first ? concat([first.values, textValues], 2) : textValues;
  const [batch = 1, heads = 1, queries = 1, width = 1] = q.shape;
  const [, keyHeads = 1, keys = 1] = k.shape;
  const { scale = 1 / Math.sqrt(width), dropout = 0 } = options;
  // Heads that share keys join their queries: one product for them, and no key is copied.
  const joined = [batch, keyHeads, (heads / keyHeads) * queries];
  const asking = reshape(mul(q, scale), [...joined, width]);
  const [, , ofText = 1] = textKeys.shape;
  const step = kept && { kept, keys: ownKeys, values: ownValues, first: keys - ofText };
  const products = productsWith(asking, k, step);
  const additions = [bias, visibility(queries, ofText, q, options, context)]
    .filter((value) => value !== undefined)
    .map((value) => padFront(value, keys - ofText));
  const scores = additions.reduce(
    (sum, bias) => add(sum, bias),
    capped(reshape(products, [batch, heads, queries, keys]), options.cap),
  );
  const weights = softmax(scores); // [N, H, T, S]
  const dropped = context.training && dropout > 0 ? drop(weights, dropout, context.randomKey(weights.shape)) : weights;
  const means = meansOf(reshape(dropped, [...joined, keys]), v, step);
  return reshape(means, [batch, heads, queries, v.shape.at(-1) ?? 1]);
}

/** The keys and values of a step's own tokens, which stand behind `first` others in the memory of `kept`. */
interface OwnTokens {
  readonly kept: Decoding;
  readonly keys: Value;
  readonly values: Value;
  readonly first: number;
}

/**
 * Queries [N, H, T, D] times keys [N, H, S, D] → [N, H, T, S]. While decoding, products with a step's own keys are put among the others:
 * with the keys themselves, every step would copy the memory of all.
 */
function productsWith(asking: Value, keys: Value, step: OwnTokens | undefined): Value {
  const products = matmul(asking, keys, { transB: true });
  return step ? step.kept.place(products, matmul(asking, step.keys, { transB: true }), step.first) : products;
}

/** Weights [N, H, T, S] times values [N, H, S, D], those of a step's own tokens by themselves. */
function meansOf(weights: Value, values: Value, step: OwnTokens | undefined): Value {
  if (!step) return matmul(weights, values);
  const own = step.kept.own(weights, step.values.shape[2] ?? 1, step.first);
  // What the memory has in their place may be of a text before.
  return add(
    matmul(step.kept.place(weights, expand(scalar(0, own.dtype), own.shape), step.first), values),
    matmul(own, step.values),
  );
}

/** So many zeros before the elements of the last axis. */
const padFront = (x: Value, count: number): Value =>
  pad(
    x,
    x.shape.map((_, axis) => [axis === x.rank - 1 ? count : 0, 0]),
  );

/** cap · tanh(x / cap), which is within ±cap; without a cap x. */
export const capped = (x: Value, cap: number | undefined): Value =>
  cap === undefined ? x : mul(tanh(mul(x, 1 / cap)), cap);

/** 0 where a query may see a key and `unseen` elsewhere, to broadcast over [N, H, T, S]; computed where the graph runs. */
function visibility(
  queries: number,
  keys: number,
  { dtype }: Value,
  { causal = false, window, mask }: AttendOptions,
  { decoding, segments }: Context,
): Value | undefined {
  const conditions: Value[] = [];
  if (segments && queries === keys) {
    const [batch = 1] = segments.shape;
    conditions.push(equal(reshape(segments, [batch, 1, keys, 1]), reshape(segments, [batch, 1, 1, keys])));
  }
  if (causal) {
    // While decoding, keys that are not yet there stand after every query.
    const position = decoding?.positions(queries) ?? add(range(queries), keys - queries);
    const rows = position.rank === 2 ? [position.shape[0] ?? 1, 1] : [];
    const query = reshape(position, [...rows, queries, 1]);
    conditions.push(greaterOrEqual(query, range(keys)));
    if (window !== undefined && window < keys) conditions.push(less(query, add(range(keys), window)));
  }
  if (mask) conditions.push(reshape(cast(mask, "bool"), [mask.shape[0] ?? 1, 1, 1, keys]));
  if (conditions.length === 0) return undefined;
  return where(
    conditions.reduce((all, condition) => and(all, condition)),
    scalar(0, dtype),
    scalar(unseen, dtype),
  );
}

function requireFit(q: Value, k: Value, v: Value, { mask, bias }: AttendOptions): void {
  const shapes = `queries ${showShape(q.shape)}, keys ${showShape(k.shape)}, values ${showShape(v.shape)}`;
  if ([q, k, v].some(({ rank }) => rank !== 4))
    throw new ShapeError(`attention takes heads, got ${shapes}; pass [batch, heads, time, width], see splitHeads`);
  const [batch, heads = 1, queries, width] = q.shape;
  const [, keyHeads = 1, keys] = k.shape;
  if (k.shape[0] !== batch || k.shape[3] !== width || !sameShape(k.shape.slice(0, 3), v.shape.slice(0, 3)))
    throw new ShapeError(
      `attention: ${shapes} do not fit; make the batches equal, the widths of queries and keys, and keys and values alike`,
    );
  if (heads % keyHeads !== 0)
    throw new ShapeError(`attention: ${keyHeads} heads of keys do not divide ${heads} of queries; pass a divisor`);
  if (mask && !sameShape(mask.shape, [batch ?? 1, keys ?? 1]))
    throw new ShapeError(
      `attention: its mask is ${showShape(mask.shape)}; pass [batch, keys], here [${batch}, ${keys}]`,
    );
  const full = [batch, heads, queries, keys];
  const fits = (extent: number, i: number) => extent === full[i] || (i % 2 === 0 && extent === 1);
  if (bias && !(bias.rank === 4 && bias.shape.every(fits)))
    throw new ShapeError(
      `attention: its bias is ${showShape(bias.shape)}; pass [1 or batch, heads, 1 or queries, keys], here [${full.join(", ")}]`,
    );
}

/**
 * Parts features into heads: [N, T, H·D] → [N, H, T, D]. Throws ShapeError when the heads do not divide the features.
 */
export function splitHeads(x: Value, heads: number): Value {
  const [batch = 1, time = 1, features = 1] = x.shape;
  if (x.rank !== 3 || features % heads !== 0)
    throw new ShapeError(
      `${showShape(x.shape)} does not split into ${heads} heads; pass [batch, time, features], features a multiple of ${heads}`,
    );
  return transpose(reshape(x, [batch, time, heads, features / heads]), [0, 2, 1, 3]);
}

/** Joins heads again, which `splitHeads` parted: [N, H, T, D] → [N, T, H·D]. */
export function joinHeads(x: Value): Value {
  const [batch = 1, heads = 1, time = 1, width = 1] = x.shape;
  return reshape(transpose(x, [0, 2, 1, 3]), [batch, time, heads * width]);
}

/** Options of `attendHeads`: the layers that make its operands, and how they attend. */
export interface AttendHeadsOptions {
  /** Makes queries of the tokens x: [N, T, …] → [N, T, heads · D]. */
  readonly query: Module;
  /** Makes keys of the memory: [N, S, …] → [N, S, heads · D]. */
  readonly key: Module;
  /** Makes values of the memory: [N, S, …] → [N, S, heads · D]. */
  readonly value: Module;
  /** Number of heads, which divides the features that the three layers give. */
  readonly heads: number;
  /** Tokens that are attended to, [N, S, …]; default those that ask. */
  readonly memory?: Value | undefined;
  /** How the heads attend. */
  readonly attention?: AttendOptions;
}

const layerType = having<Module>("apply", "a module");
const checkAttendHeads = optionsOf<AttendHeadsOptions>("attendHeads", {
  query: required(layerType),
  key: required(layerType),
  value: required(layerType),
  heads: required(count()),
  memory: valueType,
  attention: checkAttend.type,
});

/** Attention of the tokens x [N, T, …] to `memory`, in heads that are joined again: [N, T, features]. */
export function attendHeads(x: Value, context: Context, options: AttendHeadsOptions): Value {
  const { query, key, value, heads, memory = x, attention = {} } = checkAttendHeads(options);
  const [q, k, v] = [query.apply(x, context), key.apply(memory, context), value.apply(memory, context)];
  return joinHeads(attend(splitHeads(q, heads), splitHeads(k, heads), splitHeads(v, heads), attention, context));
}
