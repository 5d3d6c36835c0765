/** Attention of decoders with a cache of keys and values, as ONNX Runtime's generative models have it. */
import { ShapeError, UnsupportedError } from "../../core/errors.ts";
import { showShape, size } from "../../core/shape.ts";
import type { Value } from "../../graph/ir.ts";
import type { OpDef } from "../../graph/op.ts";
import { cast } from "../cast.ts";
import { requireConstant, zeros } from "../constant.ts";
import { add, maximum, sub, where } from "../elementwise.ts";
import { gather, gatherElements } from "../indexing.ts";
import { and, greaterOrEqual, less } from "../logic.ts";
import { concat, expand, reshape, split } from "../movement.ts";
import { defineComposition } from "../reading.ts";
import { slice } from "../slicing.ts";
import { range } from "../static-values.ts";
import { attendTo, biasOf, joinHeads, splitHeads } from "./heads.ts";
import { turned } from "./rotary.ts";

const op = "GroupQueryAttention";

/**
 * The cache with what comes to it: of each sample its `begin` [N, 1, 1, 1] entries of the past, then its own, then zeros:
 * [N, heads, all, width]. Without `begin` its own come first.
 */
function extended(past: Value | undefined, own: Value, begin: Value | undefined, all: number): Value {
  const [batch = 1, heads = 1, time = 1, width = 1] = own.shape;
  if (!begin) return all === time ? own : concat([own, zeros([batch, heads, all - time, width], own.dtype)], 2);
  const held = past?.shape[2] ?? 0;
  const source = concat([...(past ? [past] : []), own, zeros([batch, heads, 1, width], own.dtype)], 2);
  const at = reshape(range(all), [1, 1, all, 1]);
  const isOwn = and(greaterOrEqual(at, begin), less(at, add(begin, time)));
  // Behind both stands a row of zeros.
  const indices = where(isOwn, add(sub(at, begin), held), where(less(at, begin), at, held + time));
  return gatherElements(source, expand(indices, [batch, heads, all, width]), 2);
}

/**
 * Causal attention in which groups of heads share keys: queries [N, T, heads · width], or all three packed, keys and values
 * [N, T, keyHeads · width], the cache of each [N, keyHeads, past, width], the last position of each sample, the number of positions,
 * cosines and sines of turned positions, positions, a bias of the scores, a sink for each head. It gives y and the new cache.
 */
export const GroupQueryAttention: OpDef = defineComposition(op, {
  domain: "com.microsoft",
  arity: "1-12",
  settings: [7, 8],
  attributes: {
    num_heads: "int",
    kv_num_heads: "int",
    scale: "float",
    do_rotary: "int",
    rotary_interleaved: "int",
    local_window_size: "int",
    softcap: "float",
    smooth_softmax: "int",
  },
  requiredOutputs: 3,
  build: ({ inputs, attributes }) => {
    const [query, key, value, pastKeys, pastValues, last, total, cosines, sines, given, bias, sink] = inputs;
    const { num_heads = 1, kv_num_heads = 1, do_rotary = 0, rotary_interleaved = 0 } = attributes;
    const { scale, softcap = 0, local_window_size = -1, smooth_softmax = 0 } = attributes;
    if (!last) throw new ShapeError(`${op}: the last positions of the samples (seqlens_k) are left out`);
    const [batch = 1, time = 1, columns = 0] = query.shape;
    const width = columns / (key ? num_heads : num_heads + 2 * kv_num_heads);
    const parts =
      key && value
        ? [query, key, value]
        : split(
            query,
            [num_heads, kv_num_heads, kv_num_heads].map((own) => own * width),
            2,
          );
    const [q, k, v] = parts.map((part, i) => splitHeads(op, part, i === 0 ? num_heads : kv_num_heads)) as [
      Value,
      Value,
      Value,
    ];
    const [positions = 0] = requireConstant(op, "total_sequence_length", total);
    const all = Math.max(positions, pastKeys?.shape[2] ?? 0);
    const lastAt = cast(reshape(last, [batch, 1, 1, 1]), "int64");
    // A first prompt may be padded behind; what comes later follows on the past of each sample.
    const begin = positions === time ? undefined : maximum(sub(lastAt, time - 1), 0);
    const steps = reshape(range(time), [1, 1, time, 1]);
    const places = reshape(begin ? add(begin, steps) : expand(steps, [batch, 1, time, 1]), [batch, time]);
    const [turnedQ, turnedK] =
      do_rotary === 1
        ? turnedHeads([q, k], [cosines, sines], given ? positionsOf(given, [batch, time]) : places, rotary_interleaved)
        : [q, k];
    const [keys, values] = [extended(pastKeys, turnedK, begin, all), extended(pastValues, v, begin, all)];
    const at = reshape(range(all), [1, 1, 1, all]);
    const own = reshape(places, [batch, 1, time, 1]);
    const conditions = [greaterOrEqual(own, at)];
    if (local_window_size > 0) conditions.push(less(own, add(at, local_window_size)));
    const { y } = attendTo(op, turnedQ, keys, values, {
      scale: scale || undefined,
      softcap,
      biases: [bias && widened(bias, all), biasOf(conditions, q.dtype)],
      sink: sink ? reshape(sink, [1, num_heads, 1, 1]) : smooth_softmax === 1 ? zeros([], q.dtype) : undefined,
    });
    return [joinHeads(y), keys, values];
  },
});

/** Positions as ONNX Runtime takes them: of single tokens those of each sample, else those that follow on the first of all. */
function positionsOf(given: Value, [batch, time]: readonly [number, number]): Value {
  if (time === 1) return reshape(given, [batch, 1]);
  const first = slice(reshape(given, [size(given.shape)]), { axis: 0, end: 1 });
  return expand(reshape(add(range(time), first), [1, time]), [batch, time]);
}

function turnedHeads(
  heads: readonly [Value, Value],
  [cosines, sines]: readonly [Value | undefined, Value | undefined],
  places: Value,
  isInterleaved: number,
): readonly [Value, Value] {
  if (!cosines || !sines) throw new ShapeError(`${op}: positions are to be turned, and cosines or sines are left out`);
  const [cos, sin] = [gather(cosines, places), gather(sines, places)];
  const [q, k] = heads.map((own) => turned(op, own, cos, sin, isInterleaved === 1)) as [Value, Value];
  return [q, k];
}

/** A bias of the scores of fewer keys than the cache has room for. */
function widened(bias: Value, all: number): Value {
  const missing = all - (bias.shape[3] ?? 0);
  if (missing < 0 || bias.rank !== 4)
    throw new UnsupportedError(`${op}: the bias of the scores is ${showShape(bias.shape)}, there are ${all} keys`);
  return missing === 0 ? bias : concat([bias, zeros([...bias.shape.slice(0, 3), missing], bias.dtype)], 3);
}
