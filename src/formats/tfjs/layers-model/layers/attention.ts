/** Keras's attention: of sequences to one another without weights, and in heads with projections. */
import * as z from "zod";
import { ShapeError } from "../../../../core/errors.ts";
import { type Shape, showShape } from "../../../../core/shape.ts";
import { Value } from "../../../../graph/ir.ts";
import { type Context, glorotUniform, onesInit, valuesOf, zerosInit } from "../../../../nn/index.ts";
import {
  add,
  and,
  cast,
  dropout as drop,
  greaterOrEqual,
  less,
  linear,
  matmul,
  mul,
  range,
  reduceSum,
  reshape,
  sigmoid,
  softmax,
  sub,
  tanh,
  transpose,
  unsqueeze,
  where,
} from "../../../../ops/index.ts";
import { count, rate } from "../../../config-fields.ts";
import { keepsMask, type LayerCall } from "../calls.ts";
import { integer, toggle } from "../config.ts";
import { CallLayer, defineLayer, type LayerClasses, type OneOrMore, oneOrMore, type StoredAs } from "../layer.ts";

/** What is taken off a score that must not count: as much as Keras takes. */
const unseen = 1e9;

interface Visibility {
  readonly queries: number;
  readonly keys: number;
  /** Of keys, [N, S], and of queries with keys, [N, T, S] or with heads before. */
  readonly masks: readonly Value[];
  readonly causal: boolean;
  /** How far apart queries and keys may be, exclusively. */
  readonly window?: number | undefined;
}

/** Which keys each query sees, booleans that broadcast over scores [..., T, S]; `undefined` for all. */
function visibleKeys({ queries, keys, masks, causal, window }: Visibility): Value | undefined {
  const conditions = [...masks];
  // Where the graph runs: of long sequences these are many.
  const query = reshape(range(queries), [queries, 1]);
  if (causal) conditions.push(greaterOrEqual(query, range(keys)));
  if (window !== undefined) {
    conditions.push(less(query, add(range(keys), window)));
    conditions.push(less(range(keys), add(query, window)));
  }
  return conditions.length === 0 ? undefined : conditions.reduce((all, one) => and(all, one));
}

/** softmax(scores) over the keys that are seen; while training some weights are dropped. */
function weightsOf(scores: Value, visible: Value | undefined, rate: number, context: Context): Value {
  const weights = softmax(visible ? where(visible, scores, sub(scores, unseen)) : scores);
  return context.training && rate > 0 ? drop(weights, rate, context.randomKey(weights.shape)) : weights;
}

interface AttentionOptions {
  readonly scale: boolean;
  readonly causal: boolean;
  readonly dropout: number;
}

/** [N, T, D] attends to values [N, S, D] by keys, which are the values unless they are given. */
abstract class SequenceAttention extends CallLayer {
  override readonly kind = "attention";
  readonly options: AttentionOptions;
  constructor(options: AttentionOptions) {
    super();
    this.options = options;
  }
  /** How well keys match queries, [N, T, S]. */
  protected abstract scores(query: Value, key: Value, context: Context): Value;

  protected call({ inputs, named, masks }: LayerCall, context: Context): OneOrMore {
    const [query, value, key = value] = inputs;
    if (!query || !value || !key || inputs.length > 3 || query.rank !== 3)
      throw new ShapeError(`attention takes queries and values [batch, time, width], got ${inputs.length} tensors`);
    const [queryMask, valueMask] = masks;
    const scores = this.scores(query, key, context);
    const visible = visibleKeys({
      queries: query.shape[1] ?? 1,
      keys: key.shape[1] ?? 1,
      masks: valueMask ? [unsqueeze(cast(valueMask, "bool"), [1])] : [],
      causal: this.options.causal || named["use_causal_mask"] === true,
    });
    const weights = weightsOf(scores, visible, this.options.dropout, context);
    const y = matmul(weights, value);
    const kept = queryMask ? mul(y, unsqueeze(cast(queryMask, y.dtype), [2])) : y;
    return oneOrMore([kept, ...(named["return_attention_scores"] === true ? [weights] : [])]);
  }
}

/** Scores are products, times a learned factor where there is one (Luong et al. 2015). */
class DotAttention extends SequenceAttention {
  protected scores(query: Value, key: Value, context: Context): Value {
    const products = matmul(query, key, { transB: true });
    if (!this.options.scale) return products;
    return mul(products, context.parameter(this, "scale", { shape: [], initializer: onesInit }));
  }
}

/** Each query beside each key, [N, T, S, D]. */
const sums = (query: Value, key: Value): Value => add(unsqueeze(query, [2]), unsqueeze(key, [1]));

/** Scores are learned factors of tanh(query + key), one for all features. */
class ConcatAttention extends SequenceAttention {
  protected scores(query: Value, key: Value, context: Context): Value {
    const factor = (name: string) => context.parameter(this, name, { shape: [], initializer: onesInit });
    const both = sums(query, key);
    const scaled = this.options.scale ? mul(both, factor("scale")) : both;
    return mul(reduceSum(tanh(scaled), [3]), factor("concat_score_weight"));
  }
}

/** Scores are sums of tanh(query + key), each feature with a learned factor (Bahdanau et al. 2015). */
class AdditiveAttention extends SequenceAttention {
  protected scores(query: Value, key: Value, context: Context): Value {
    const terms = tanh(sums(query, key));
    if (!this.options.scale) return reduceSum(terms, [3]);
    const shape = [query.shape[2] ?? 1];
    return reduceSum(mul(terms, context.parameter(this, "scale", { shape, initializer: glorotUniform })), [3]);
  }
}

interface HeadOptions {
  readonly heads: number;
  /** Heads of keys and values, each of which serves as many neighbouring heads of queries. */
  readonly keyHeads: number;
  readonly keyWidth: number;
  readonly valueWidth: number;
  readonly bias: boolean;
  readonly gate: boolean;
  readonly dropout: number;
  readonly window: number | undefined;
  /** Extents of the output's features; default those of the query. */
  readonly output: Shape | undefined;
  /** Axes that attend, all between batch and features. */
  readonly axes: readonly number[] | undefined;
}

/**
 * Attention in heads (Vaswani et al. 2017): queries [N, T, D], values [N, S, D] and keys → [N, T, D]. Weights as Keras has them: kernels
 * [D, heads, width] and biases [heads, width] of query, key and value, [heads, width, D] and [D] of the output.
 */
class HeadAttention extends CallLayer {
  override readonly kind = "attention";
  readonly #options: HeadOptions;
  constructor(options: HeadOptions) {
    super();
    this.#options = options;
  }

  protected call({ inputs, named, otherMasks }: LayerCall, context: Context): OneOrMore {
    const { heads, keyHeads, keyWidth, valueWidth, gate, dropout, window, axes } = this.#options;
    const [query] = inputs;
    const [value] = valuesOf(named["value"]);
    if (!query || !value || query.rank < 3)
      throw new ShapeError("it takes a query and a value, [batch, time, features]; connect both");
    const [key = value] = valuesOf(named["key"]);
    if (axes && axes.length !== query.rank - 2)
      throw new ShapeError(
        `it attends over axes ${showShape(axes)} of ${showShape(query.shape)}, expected all between`,
      );
    // Several axes that attend together are one.
    const [q, k, v] = [query, key, value].map(flatSteps) as [Value, Value, Value];
    const [queries = 1, keys = 1] = [q.shape[1], k.shape[1]];
    const perHead = [this.#projected(q, "query", heads, keyWidth, context)]
      .concat(this.#projected(k, "key", keyHeads, keyWidth, context))
      .concat(this.#projected(v, "value", keyHeads, valueWidth, context));
    const [qs, ks, vs] = perHead.map((own) => transpose(own, [0, 2, 1, 3])) as [Value, Value, Value];
    // Neighbouring heads share keys: [N, Hk, H/Hk · T, K].
    const shared = (x: Value, width: number) => reshape(x, [-1, keyHeads, (heads / keyHeads) * queries, width]);
    const scaled = mul(qs, 1 / Math.sqrt(keyWidth));
    const scores = reshape(matmul(shared(scaled, keyWidth), ks, { transB: true }), [-1, heads, queries, keys]);
    const visible = visibleKeys({
      queries,
      keys,
      masks: this.#masks(named, otherMasks),
      causal: named["use_causal_mask"] === true,
      window,
    });
    const weights = weightsOf(scores, visible, dropout, context);
    const mixed = matmul(shared(weights, keys), vs);
    const y = transpose(reshape(mixed, [-1, heads, queries, valueWidth]), [0, 2, 1, 3]); // [N, T, H, V]
    const gated = gate ? mul(y, sigmoid(this.#projected(q, "gate", heads, valueWidth, context))) : y;
    const output = this.#joined(gated, query, context);
    return oneOrMore([output, ...(named["return_attention_scores"] === true ? [weights] : [])]);
  }

  /** [N, T, D] in heads, [N, T, heads, width]. */
  #projected(x: Value, name: string, heads: number, width: number, context: Context): Value {
    const [, steps = 1, features = 1] = x.shape;
    const kernel = context.parameter(this, `${name}.kernel`, {
      shape: [features, heads, width],
      initializer: glorotUniform,
    });
    const bias = this.#options.bias
      ? context.parameter(this, `${name}.bias`, { shape: [heads, width], initializer: zerosInit })
      : undefined;
    const y = linear(x, reshape(kernel, [features, heads * width]), bias && reshape(bias, [heads * width]), {
      inFirst: true,
    });
    return reshape(y, [-1, steps, heads, width]);
  }

  /** Heads [N, T, H, V] as the features of the output, steps as those of the query. */
  #joined(y: Value, query: Value, context: Context): Value {
    const [, steps = 1, heads = 1, width = 1] = y.shape;
    const output = this.#options.output ?? [query.shape.at(-1) ?? 1];
    const features = output.reduce((product, extent) => product * extent, 1);
    const kernel = context.parameter(this, "output.kernel", {
      shape: [heads, width, ...output],
      initializer: glorotUniform,
    });
    const bias = this.#options.bias
      ? context.parameter(this, "output.bias", { shape: output, initializer: zerosInit })
      : undefined;
    const joined = linear(
      reshape(y, [-1, steps, heads * width]),
      reshape(kernel, [heads * width, features]),
      bias && reshape(bias, [features]),
      { inFirst: true },
    );
    return reshape(joined, [-1, ...query.shape.slice(1, -1), ...output]);
  }

  /** Masks of keys and of queries with keys, each to broadcast over [N, H, T, S]. */
  #masks(named: LayerCall["named"], implicit: LayerCall["otherMasks"] = {}): readonly Value[] {
    const ofKeys = [named["value_mask"] ?? implicit["value"], named["key_mask"] ?? implicit["key"]];
    const own = ofKeys.flatMap((mask) => (mask instanceof Value ? [unsqueeze(cast(mask, "bool"), [1, 2])] : []));
    const { attention_mask: given } = named;
    if (!(given instanceof Value)) return own;
    const missing = Math.max(0, 4 - given.rank);
    // Of [N, T, S] the heads are missing, of [T, S] the batch too.
    const at = given.rank === 3 ? [1] : Array.from({ length: missing }, (_, i) => i);
    return [...own, unsqueeze(cast(given, "bool"), at)];
  }
}

class MultiHeadAttention extends HeadAttention {}
class GroupedQueryAttention extends HeadAttention {}

/** [N, …, D] as [N, T, D]. */
const flatSteps = (x: Value): Value =>
  x.rank === 3
    ? x
    : reshape(x, [-1, x.shape.slice(1, -1).reduce((product, extent) => product * extent, 1), x.shape.at(-1) ?? 1]);

/** Weights of the projections, in Keras's order. */
function projectionWeights(): Readonly<Record<string, StoredAs>> {
  const names = { query: "query", key: "key", gate: "gate", value: "value", output: "attention_output" };
  const entries = Object.entries(names).flatMap(([own, name]) =>
    ["kernel", "bias"].map(
      (weight) => [`${own}.${weight}`, { name: `${name}/${weight}`, part: `${own}_dense` }] as const,
    ),
  );
  return Object.fromEntries(entries);
}

const sequenceFields = { dropout: rate().default(0), causal: toggle(false) };
const sequenceParameters = ["inputs", "mask", "training", "return_attention_scores", "use_causal_mask"];
const headParameters = [
  "query",
  "value",
  "key",
  "query_mask",
  "value_mask",
  "key_mask",
  "attention_mask",
  "return_attention_scores",
  "training",
  "use_causal_mask",
];
const headFields = {
  dropout: rate().default(0),
  use_bias: toggle(true),
  use_gate: toggle(false),
  sliding_window: count().nullish(),
};

export const attentionClasses: LayerClasses = {
  Attention: defineLayer(
    z.object({
      ...sequenceFields,
      use_scale: toggle(false),
      score_mode: z.enum(["dot", "concat"], { error: "dot or concat" }).default("dot"),
    }),
    ({ use_scale: scale, score_mode, ...rest }) => ({
      module: new (score_mode === "dot" ? DotAttention : ConcatAttention)({ scale, ...rest }),
      weights: { scale: { name: "scale" }, concat_score_weight: { name: "concat_score_weight" } },
      masks: keepsMask,
    }),
    sequenceParameters,
  ),
  AdditiveAttention: defineLayer(
    z.object({ ...sequenceFields, use_scale: toggle(true) }),
    ({ use_scale: scale, ...rest }) => ({
      module: new AdditiveAttention({ scale, ...rest }),
      weights: { scale: { name: "scale" } },
      masks: keepsMask,
    }),
    sequenceParameters,
  ),
  MultiHeadAttention: defineLayer(
    z.object({
      ...headFields,
      num_heads: count(),
      key_dim: count(),
      value_dim: count().nullish(),
      output_shape: z.union([count().transform((own) => [own]), z.array(count())]).nullish(),
      attention_axes: z.union([integer().transform((own) => [own]), z.array(integer())]).nullish(),
    }),
    (fields) => ({
      module: new MultiHeadAttention({
        ...headOptions(fields),
        heads: fields.num_heads,
        keyHeads: fields.num_heads,
        keyWidth: fields.key_dim,
        valueWidth: fields.value_dim ?? fields.key_dim,
        output: fields.output_shape ?? undefined,
        axes: fields.attention_axes ?? undefined,
      }),
      weights: projectionWeights(),
      masks: keepsMask,
    }),
    headParameters,
  ),
  GroupQueryAttention: defineLayer(
    z.object({ ...headFields, head_dim: count(), num_query_heads: count(), num_key_value_heads: count() }),
    (fields) => ({
      module: new GroupedQueryAttention({
        ...headOptions(fields),
        heads: fields.num_query_heads,
        keyHeads: fields.num_key_value_heads,
        keyWidth: fields.head_dim,
        valueWidth: fields.head_dim,
        output: undefined,
        axes: undefined,
      }),
      weights: projectionWeights(),
      masks: keepsMask,
    }),
    headParameters,
  ),
};

const headOptions = (fields: {
  readonly dropout: number;
  readonly use_bias: boolean;
  readonly use_gate: boolean;
  readonly sliding_window?: number | null | undefined;
}) => ({
  bias: fields.use_bias,
  gate: fields.use_gate,
  dropout: fields.dropout,
  window: fields.sliding_window ?? undefined,
});
