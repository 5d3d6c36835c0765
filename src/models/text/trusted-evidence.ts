/** What ids of a text say of classes, and how far each is trusted. */
import type { Tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import { type Context, constantInit, dropout, type Initializer, Module, zerosInit } from "../../nn/index.ts";
import { add, cast, gather, greaterOrEqual, mul, reduceSum, reshape } from "../../ops/index.ts";

/** 1 for ids, 0 for what fills rows up, [1, N, T, 1]. */
export const presence = (ids: Value): Value => reshape(cast(greaterOrEqual(ids, 1), "float32"), [1, ...ids.shape, 1]);

/** Sums over what occurs in a text of weights by id [members, ids, outputs], each times its value [1, N, T, 1]: [members, N, outputs]. */
export const summed = (weights: Value, ids: Value, values: Value): Value =>
  reduceSum(mul(gather(weights, ids, 1), values), 2);

/** Options of `TrustedEvidence`. */
export interface TrustedEvidenceOptions {
  readonly members: number;
  readonly outputs: number;
  /** Share of what occurs in a text that training leaves out. */
  readonly dropout: number;
  /** How far each id is trusted to begin with; default 1. Below that, sums of words that say the same are not as certain as if each were new. */
  readonly trust?: number;
  /** What each id says of each output to each member, [members, 1 + words, outputs], to begin with; default nothing. */
  readonly evidence?: Tensor<"float32"> | undefined;
  /** The ids of what occurs in a text, [N, T], of the input. */
  readonly idsOf: (x: Value) => Value;
}

/**
 * Naive Bayes that learns how far to trust each word (Wang and Manning 2012, sec. 2.3): sums of what words say of classes, each times a
 * weight that begins at `trust`. The ids of an input → scores [members, N, outputs].
 */
export class TrustedEvidence extends Module {
  override readonly kind = "dense";
  readonly dropout: Module;
  readonly #words: number;
  readonly #initializer: Initializer;
  readonly #options: TrustedEvidenceOptions;
  constructor(words: number, options: TrustedEvidenceOptions) {
    super();
    const { evidence } = options;
    this.#words = words;
    this.#options = options;
    this.#initializer = evidence ? () => evidence.data.slice() as Float32Array : zerosInit;
    this.dropout = dropout(options.dropout);
  }
  protected call(x: Value, context: Context): Value {
    const { members, outputs, idsOf, trust: first = 1 } = this.#options;
    const ids = idsOf(x);
    const shape = [members, this.#words + 1, outputs];
    const evidence = context.buffer(this, "evidence", { shape, initializer: this.#initializer });
    const trust = context.parameter(this, "weight", { shape, initializer: constantInit(first) });
    const b = context.parameter(this, "bias", { shape: [members, 1, outputs], initializer: zerosInit });
    return add(summed(mul(evidence, trust), ids, this.dropout.apply(presence(ids), context)), b);
  }
}
