/** Attention as ONNX Runtime's optimizer writes it, with or without the projections, read as products, sums and a softmax. */
import { ShapeError, UnsupportedError } from "../../core/errors.ts";
import { showShape, size } from "../../core/shape.ts";
import type { Value } from "../../graph/ir.ts";
import type { OpDef } from "../../graph/op.ts";
import { cast } from "../cast.ts";
import { add } from "../elementwise.ts";
import { greater, greaterOrEqual, less } from "../logic.ts";
import { matmul } from "../matmul.ts";
import { reshape, split, stack, transpose } from "../movement.ts";
import { realProduct } from "../quantized/products.ts";
import { defineComposition } from "../reading.ts";
import { slice } from "../slicing.ts";
import { range } from "../static-values.ts";
import { after, attendTo, biasOf, isCausal, joinHeads, splitHeads } from "./heads.ts";

const domain = "com.microsoft";

/** What is added to scores that a mask hides, unless a file says otherwise. */
const defaultFilter = -10_000;

/** What a mask of ONNX Runtime's says of keys. */
interface Masked {
  readonly batch: number;
  readonly queries: number;
  readonly keys: number;
  /** How many keys come before the first query. */
  readonly past: number;
  /** What is added where it hides a key. */
  readonly low: number;
}

/**
 * What an integer mask adds to scores: the lengths [N] of samples that are padded behind, their ends and starts [2 · N], or ones
 * and zeros [N, keys], [N, queries, keys] or [N, 1, positions, positions].
 */
function maskBias(
  op: string,
  mask: Value,
  { batch, queries, keys, past, low }: Masked,
  dtype: Value["dtype"],
): Value | undefined {
  const at = reshape(range(keys), [1, 1, 1, keys]);
  const bound = (from: number) =>
    cast(reshape(slice(mask, { axis: 0, start: from * batch, end: (from + 1) * batch }), [batch, 1, 1, 1]), "int64");
  const bias = (conditions: readonly Value[]) => biasOf(conditions, dtype, low);
  const [rows = 0, columns = 0] = mask.shape;
  if (mask.rank === 1 && rows === batch) return bias([less(at, bound(0))]);
  if (mask.rank === 1 && rows === 2 * batch) return bias([less(at, bound(0)), greaterOrEqual(at, bound(1))]);
  const seen = (shape: readonly number[]) => bias([greater(reshape(mask, shape), 0)]);
  if (mask.rank === 2 && rows === batch && columns === keys) return seen([batch, 1, 1, keys]);
  // A mask that is there for its place alone.
  if (mask.rank === 2 && columns === 1) return undefined;
  if (mask.rank === 3 && size(mask.shape) === batch * queries * keys) return seen([batch, 1, queries, keys]);
  if (mask.rank === 4)
    return bias([greater(slice(mask, { axis: 2, start: past, end: past + queries }, { axis: 3, end: keys }), 0)]);
  throw new ShapeError(
    `${op}: its mask is ${showShape(mask.shape)}, for ${batch} samples of ${queries} queries and ${keys} keys; expected [${batch}], [${2 * batch}], [${batch}, ${keys}] or [${batch}, ${queries}, ${keys}]`,
  );
}

/** The first or second of two tensors that are stacked along the first axis. */
const half = (both: Value, index: number): Value =>
  reshape(slice(both, { axis: 0, start: index, end: index + 1 }), both.shape.slice(1));

const schema = {
  num_heads: "int",
  unidirectional: "int",
  qkv_hidden_sizes: "ints",
  mask_filter_value: "float",
  scale: "float",
  do_rotary: "int",
  rotary_embedding_dim: "int",
  past_present_share_buffer: "int",
} as const;

interface SelfAttention {
  readonly num_heads?: number;
  readonly unidirectional?: number;
  readonly qkv_hidden_sizes?: readonly number[];
  readonly mask_filter_value?: number;
  readonly scale?: number;
  readonly do_rotary?: number;
  readonly past_present_share_buffer?: number;
}

/** Attention of queries, keys and values side by side [N, T, all widths], and the past with what came to it. */
function selfAttention(
  projected: Value,
  [mask, past, scoreBias]: readonly (Value | undefined)[],
  attributes: SelfAttention,
): readonly Value[] {
  const { num_heads = 1, unidirectional = 0, mask_filter_value = defaultFilter, scale } = attributes;
  const { do_rotary = 0, past_present_share_buffer = 0 } = attributes;
  if (do_rotary !== 0 || past_present_share_buffer !== 0)
    throw new UnsupportedError(
      "Attention: turned positions and shared buffers are not computed by ONNX Runtime on a CPU",
    );
  const [batch = 1, queries = 1, columns = 0] = projected.shape;
  const widths = attributes.qkv_hidden_sizes ?? [columns / 3, columns / 3, columns / 3];
  const heads = split(projected, widths, 2).map((part) => splitHeads("Attention", part, num_heads));
  const [q, ownKeys, ownValues] = heads as readonly Value[] as readonly [Value, Value, Value];
  const [keys, values] = [after(past && half(past, 0), ownKeys), after(past && half(past, 1), ownValues)];
  const all = keys.shape[2] ?? 1;
  const masked = { batch, queries, keys: all, past: all - queries, low: mask_filter_value };
  const { y } = attendTo("Attention", q, keys, values, {
    scale: scale || undefined,
    biases: [
      scoreBias,
      mask && maskBias("Attention", mask, masked, q.dtype),
      unidirectional === 1 ? biasOf([isCausal(queries, all, all - queries)], q.dtype) : undefined,
    ],
  });
  // Values of another width do not stand beside the keys.
  return values.shape[3] === keys.shape[3] ? [joinHeads(y), stack([keys, values])] : [joinHeads(y)];
}

/**
 * Self-attention with its projections: x [N, T, in], weights [in, queries + keys + values] and bias, a mask, keys and values of the
 * past [2, N, heads, past, width], a bias of the scores. It gives y [N, T, values], and the past with what came to it.
 */
export const ContribAttention: OpDef = defineComposition("Attention", {
  domain,
  arity: "2-7",
  attributes: schema,
  requiredOutputs: 1,
  build: ({ inputs: [x, weights, bias, mask, past, scoreBias], attributes }) => {
    const projected = matmul(x, weights);
    return selfAttention(bias ? add(projected, bias) : projected, [mask, past, scoreBias], attributes);
  },
});

/**
 * The same of quantized x and weights: these, a bias of floats, the scales of x and of the weights, a mask, their zero points, the past.
 */
export const QAttention: OpDef = defineComposition("QAttention", {
  domain,
  arity: "5-9",
  attributes: schema,
  settings: [3, 4],
  requiredOutputs: 1,
  build: ({ inputs: [x, weights, bias, scale, weightScale, mask, zero, weightZero, past], attributes }) => {
    const product = realProduct(
      { numbers: x, scale, zero },
      { numbers: weights, scale: weightScale, zero: weightZero },
    );
    return selfAttention(add(product, bias), [mask, past], attributes);
  },
});

/** Part `index` of heads that are packed [N, T, heads, parts, width], as [N, heads, T, width]. */
function unpacked(packed: Value, index: number): Value {
  const [batch = 1, time = 1, heads = 1, , width = 1] = packed.shape;
  const part = slice(packed, { axis: 3, start: index, end: index + 1 });
  return transpose(reshape(part, [batch, time, heads, width]), [0, 2, 1, 3]);
}

/**
 * Attention of projected queries [N, T, width] to keys and values, which may be packed with one another or come as heads; then a
 * bias of the three, a mask of keys, a bias of the scores, keys and values of the past. It gives y, all keys, all values, the scores.
 */
export const MultiHeadAttention: OpDef = defineComposition("MultiHeadAttention", {
  domain,
  arity: "1-10",
  attributes: { num_heads: "int", mask_filter_value: "float", scale: "float", unidirectional: "int" },
  requiredOutputs: 1,
  build: ({ inputs, attributes }) => {
    const [query, key, value, bias, mask, scoreBias, pastKeys, pastValues, pastLength, indirection] = inputs;
    const { num_heads = 1, mask_filter_value = defaultFilter, scale, unidirectional = 0 } = attributes;
    if (pastLength || indirection)
      throw new UnsupportedError("MultiHeadAttention: shared buffers of keys and values are not computed on a CPU");
    const [q, ownKeys, ownValues] = headsOf([query, key, value], bias, num_heads);
    const [keys, values] = [after(pastKeys, ownKeys), after(pastValues, ownValues)];
    const [batch = 1, , queries = 1] = q.shape;
    const all = keys.shape[2] ?? 1;
    const past = pastKeys?.shape[2] ?? 0;
    const masked = { batch, queries, keys: all, past, low: mask_filter_value };
    const { y, biased } = attendTo("MultiHeadAttention", q, keys, values, {
      scale: scale || undefined,
      biases: [
        scoreBias,
        mask && maskBias("MultiHeadAttention", mask, masked, q.dtype),
        unidirectional === 1 ? biasOf([isCausal(queries, all, past)], q.dtype) : undefined,
      ],
    });
    return [joinHeads(y), keys, values, biased];
  },
});

/** Queries, keys and values as heads, in whichever form they come; the bias is that of those that are no heads yet. */
function headsOf(
  [query, key, value]: readonly [Value, Value | undefined, Value | undefined],
  bias: Value | undefined,
  heads: number,
): readonly [Value, Value, Value] {
  const of = (x: Value, own: Value | undefined) => splitHeads("MultiHeadAttention", own ? add(x, own) : x, heads);
  if (query.rank === 5) {
    const all = bias ? add(query, transpose(reshape(bias, [3, heads, query.shape[4] ?? 1]), [1, 0, 2])) : query;
    return [unpacked(all, 0), unpacked(all, 1), unpacked(all, 2)];
  }
  const width = query.shape[2] ?? 0;
  const part = (from: number, length: number) => bias && slice(bias, { axis: 0, start: from, end: from + length });
  const q = of(query, part(0, width));
  if (key?.rank === 5) return [q, unpacked(key, 0), unpacked(key, 1)];
  if (!key || !value)
    throw new ShapeError("MultiHeadAttention: keys or values are left out, and not packed with the others");
  if (key.rank === 4) return [q, key, value];
  return [q, of(key, part(width, width)), of(value, part(2 * width, value.shape[2] ?? 0))];
}
