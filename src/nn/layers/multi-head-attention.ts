/** The multi-head attention layer (Vaswani et al. 2017, sec. 3.2.2). */
import { OptionError, ShapeError } from "../../core/errors.ts";
import { flag, fraction } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { showShape } from "../../core/shape.ts";
import type { Value } from "../../graph/ir.ts";
import { linear, split } from "../../ops/index.ts";
import type { Context } from "../context.ts";
import { glorotUniform, zerosInit } from "../initializers.ts";
import type { NamedInputs } from "../inputs.ts";
import { Module } from "../module.ts";
import { requireCount } from "../options.ts";
import { attend, joinHeads, splitHeads } from "./attention.ts";
import { type Dense, dense } from "./dense.ts";

/** Options of `multiHeadAttention`. */
export interface MultiHeadAttentionOptions {
  /** Attend to the present and the past only; default false. */
  readonly causal?: boolean;
  /** Rate at which attention weights are dropped while training; default 0. */
  readonly dropout?: number;
}

const checkOptions = optionsOf<MultiHeadAttentionOptions>("multiHeadAttention", { causal: flag, dropout: fraction });

/** What attention takes. */
export type AttentionInputs = {
  /** Tokens that ask, [N, T, width]. */
  readonly x: Value;
  /** Tokens that are attended to, [N, S, width]; default those that ask. */
  readonly memory?: Value | undefined;
  /** Which of them take part, [N, S]; default all. */
  readonly mask?: Value | undefined;
};

/** The input form of attention layers: `x` is required, `memory` and `mask` may be left out. */
export const attentionInputs = { x: "required", memory: "optional", mask: "optional" } as const satisfies NamedInputs;

/**
 * Multi-head attention as a layer: x [N, T, width], with `memory` and `mask` if any → [N, T, width]. Make one with
 * `multiHeadAttention`.
 */
export class MultiHeadAttention extends Module<AttentionInputs> {
  override readonly kind = "attention";
  override readonly inputs = attentionInputs;
  readonly heads: number;
  readonly options: MultiHeadAttentionOptions;
  readonly out_proj: Dense;
  constructor(width: number, heads: number, options: MultiHeadAttentionOptions = {}) {
    super();
    requireCount("multiHeadAttention", "width", width);
    requireCount("multiHeadAttention", "heads", heads);
    if (width % heads !== 0)
      throw new OptionError(`multiHeadAttention: ${heads} heads do not divide the width ${width}; pass a divisor`);
    this.heads = heads;
    this.options = checkOptions(options);
    this.out_proj = dense(width);
  }
  protected call({ x, memory = x, mask }: AttentionInputs, context: Context): Value {
    const width = this.out_proj.units;
    if (x.rank !== 3 || x.shape[2] !== width || memory.rank !== 3 || memory.shape[2] !== width)
      throw new ShapeError(
        `input ${showShape(x.shape)} and memory ${showShape(memory.shape)} are not tokens of width ${width}; pass [batch, time, ${width}]`,
      );
    const w = context.parameter(this, "in_proj_weight", { shape: [3 * width, width], initializer: glorotUniform });
    const b = context.parameter(this, "in_proj_bias", { shape: [3 * width], initializer: zerosInit });
    const [q, k, v] = memory === x ? split(linear(x, w, b), [width, width, width], 2) : project(x, memory, w, b);
    const heads = [q, k, v].map((value) => splitHeads(value as Value, this.heads));
    const [queries, keys, values] = heads as [Value, Value, Value];
    return this.out_proj.apply(joinHeads(attend(queries, keys, values, { ...this.options, mask }, context)), context);
  }
}

/** Queries of x, and keys and values of the memory in one product. */
function project(x: Value, memory: Value, w: Value, b: Value): readonly Value[] {
  const width = w.shape[1] ?? 1;
  const [own, rest] = [split(w, [width, 2 * width]), split(b, [width, 2 * width])];
  return [linear(x, own[0] as Value, rest[0]), ...split(linear(memory, own[1] as Value, rest[1]), [width, width], 2)];
}

/**
 * Attention of tokens x [N, T, width] to themselves, or to `memory` [N, S, width], in `heads` parts: [N, T, width]
 * (Vaswani et al. 2017, sec. 3.2.2). Parameters are named as PyTorch's nn.MultiheadAttention names them. Throws
 * OptionError unless the heads divide the width, ShapeError for tokens of another width.
 * @example
 * readonly attention = multiHeadAttention(256, 8, { causal: true }); // applied to { x, mask } or to x alone
 */
export const multiHeadAttention = (
  width: number,
  heads: number,
  options?: MultiHeadAttentionOptions,
): MultiHeadAttention => new MultiHeadAttention(width, heads, options);
