/** Attention of one sequence to another with a single head: additive (Bahdanau et al. 2015) or by products (Luong et al. 2015). */
import { ShapeError } from "../../core/errors.ts";
import { showShape } from "../../core/shape.ts";
import type { Value } from "../../graph/ir.ts";
import { add, cast, matmul, reshape, scalar, softmax, tanh, where } from "../../ops/index.ts";
import type { Context } from "../context.ts";
import { Module } from "../module.ts";
import { requireCount } from "../options.ts";
import { unseen } from "./attention.ts";
import { type Dense, dense } from "./dense.ts";
import { type AttentionInputs, attentionInputs } from "./multi-head-attention.ts";

/** The mean of the memory [N, S, M], for each query [N, T, Q] weighted by the softmax of scores [N, T, S]. */
abstract class SequenceAttention extends Module<AttentionInputs> {
  override readonly kind = "attention";
  override readonly inputs = attentionInputs;
  protected abstract scores(queries: Value, memory: Value, context: Context): Value;

  protected call({ x, memory = x, mask }: AttentionInputs, context: Context): Value {
    if (x.rank !== 3 || memory.rank !== 3 || x.shape[0] !== memory.shape[0])
      throw new ShapeError(
        `queries ${showShape(x.shape)} and memory ${showShape(memory.shape)} do not fit; pass [batch, time, features] each`,
      );
    const scores = this.scores(x, memory, context);
    const [batch = 1, , keys = 1] = scores.shape;
    const seen = mask ? where(cast(reshape(mask, [batch, 1, keys]), "bool"), scores, scalar(unseen)) : scores;
    return matmul(softmax(seen), memory);
  }
}

/**
 * Additive attention with a single head: x [N, T, Q] and `memory` [N, S, M] → [N, T, M]. Make one with
 * `additiveAttention`.
 */
export class AdditiveAttention extends SequenceAttention {
  readonly query: Dense;
  readonly key: Dense;
  readonly energy: Dense;
  constructor(units: number) {
    super();
    requireCount("additiveAttention", "units", units);
    this.query = dense(units);
    this.key = dense(units, { bias: false });
    this.energy = dense(1, { bias: false });
  }
  protected scores(queries: Value, memory: Value, context: Context): Value {
    const [batch = 1, time = 1] = queries.shape;
    const keys = memory.shape[1] ?? 1;
    const units = this.query.units;
    const both = add(
      reshape(this.query.apply(queries, context), [batch, time, 1, units]),
      reshape(this.key.apply(memory, context), [batch, 1, keys, units]),
    ); // [N, T, S, units]
    return reshape(this.energy.apply(tanh(both), context), [batch, time, keys]);
  }
}

/**
 * Attention by products with a single head: x [N, T, M] and `memory` [N, S, M] → [N, T, M]. Make one with
 * `dotAttention`.
 */
export class DotAttention extends SequenceAttention {
  protected scores(queries: Value, memory: Value): Value {
    if (queries.shape[2] !== memory.shape[2])
      throw new ShapeError(
        `queries ${showShape(queries.shape)} have other features than the memory ${showShape(memory.shape)}; make them equal`,
      );
    return matmul(queries, memory, { transB: true });
  }
}

/**
 * Attention with a single head by scores vᵀ tanh(W q + b + U m) (Bahdanau et al. 2015, appendix A.1.2): queries x [N,
 * T, Q] and `memory` [N, S, M], with `mask` [N, S] → [N, T, M], means of the memory. Throws ShapeError for operands
 * that do not fit.
 */
export const additiveAttention = (units: number): AdditiveAttention => new AdditiveAttention(units);

/**
 * Attention with a single head by scores qᵀ m (Luong et al. 2015, sec. 3.1, "dot"): queries x [N, T, M] and `memory`
 * [N, S, M], with `mask` [N, S] → [N, T, M], means of the memory. Throws ShapeError for operands that do not fit.
 */
export const dotAttention = (): DotAttention => new DotAttention();
