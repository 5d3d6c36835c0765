/** ONNX's own attention operator, read as products, sums and a softmax. */
import { UnsupportedError } from "../../core/errors.ts";
import type { Value } from "../../graph/ir.ts";
import type { OpDef } from "../../graph/op.ts";
import { dtypeOfCode } from "../cast.ts";
import { and, less } from "../logic.ts";
import { reshape } from "../movement.ts";
import { defineComposition } from "../reading.ts";
import { range } from "../static-values.ts";
import { after, attendTo, biasOf, isCausal, joinHeads, splitHeads } from "./heads.ts";

/**
 * ONNX's attention of version 23: q, k, v as [N, heads, T, width] or [N, T, heads · width], a mask, keys and values of the past,
 * lengths of the keys. It gives y, all keys, all values, and the scores at the stage that is asked for.
 */
export const Attention: OpDef = defineComposition("Attention", {
  arity: "3-7",
  since: 23,
  attributes: {
    is_causal: "int",
    kv_num_heads: "int",
    q_num_heads: "int",
    qk_matmul_output_mode: "int",
    scale: "float",
    softcap: "float",
    softmax_precision: "int",
  },
  requiredOutputs: 1,
  build: ({ inputs: [q, k, v, mask, pastKeys, pastValues, lengths], attributes }) => {
    const { is_causal = 0, q_num_heads = 0, kv_num_heads = 0, qk_matmul_output_mode = 0 } = attributes;
    const { scale, softcap = 0, softmax_precision = 0 } = attributes;
    const heads = (x: Value, count: number) => (x.rank === 3 ? splitHeads("Attention", x, count) : x);
    const queries = heads(q, q_num_heads);
    const keys = after(pastKeys, heads(k, kv_num_heads));
    const values = after(pastValues, heads(v, kv_num_heads));
    const [, , time = 1] = queries.shape;
    const [batch = 1, , all = 1] = keys.shape;
    const conditions = [
      ...(is_causal === 1 ? [isCausal(time, all, pastKeys?.shape[2] ?? 0)] : []),
      ...(mask?.dtype === "bool" ? [mask] : []),
    ];
    const within = lengths && less(reshape(range(all), [1, 1, 1, all]), reshape(lengths, [batch, 1, 1, 1]));
    const { products, capped, biased, weights, y } = attendTo("Attention", queries, keys, values, {
      scale,
      softcap,
      biases: [
        biasOf(conditions, q.dtype),
        mask?.dtype === "bool" ? undefined : mask,
        biasOf(within ? [within] : [], q.dtype),
      ],
      seen: mask?.dtype === "bool" ? conditions.reduce(and) : undefined,
      ...(softmax_precision !== 0 && { precision: dtypeOfCode("Attention", softmax_precision) }),
    });
    const stage = [products, capped, biased, weights][qk_matmul_output_mode];
    if (!stage) throw new UnsupportedError(`Attention: qk_matmul_output_mode is ${qk_matmul_output_mode}; pass 0 to 3`);
    return [q.rank === 3 ? joinHeads(y) : y, keys, values, stage];
  },
});
