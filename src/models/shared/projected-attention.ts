/** Attention with the names of fairseq's: k_proj, v_proj, q_proj and out_proj. */
import type { Value } from "../../graph/ir.ts";
import { attendHeads, type Context, type Dense, dense, dropout, Module } from "../../nn/index.ts";
import { initial } from "./tokens.ts";

/** How a layer attends. */
export interface ProjectedForm {
  readonly width: number;
  readonly heads: number;
  /** Rate at which states are dropped while training. */
  readonly dropout: number;
  readonly attentionDropout: number;
  readonly deviation: number;
  /** Keys have a bias; default true. */
  readonly keyBias?: boolean;
}

/** States, and what they attend to. */
export type ProjectedInputs = {
  /** [N, T, W]. */
  readonly x: Value;
  /** Which tokens are attended to, [N, T] or [N, S]; default all. */
  readonly mask?: Value | undefined;
  /** What is attended to, [N, S, W]; default x. */
  readonly memory?: Value | undefined;
};

/** Attention of tokens to themselves, or to `memory`: [N, T, W] → [N, T, W]. */
export class ProjectedAttention extends Module<ProjectedInputs> {
  override readonly kind = "attention";
  override readonly inputs = { x: "required", mask: "optional", memory: "optional" } as const;
  readonly k_proj: Dense;
  readonly v_proj: Dense;
  readonly q_proj: Dense;
  readonly out_proj: Dense;
  readonly dropout: Module;
  readonly #form: ProjectedForm;
  readonly #causal: boolean;
  /** @param causal tokens attend to those before them alone; default false */
  constructor(form: ProjectedForm, { causal = false } = {}) {
    super();
    const layer = (bias = true) => dense(form.width, { bias, initializer: initial(form.deviation) });
    this.k_proj = layer(form.keyBias);
    this.v_proj = layer();
    this.q_proj = layer();
    this.out_proj = layer();
    this.dropout = dropout(form.dropout);
    this.#form = form;
    this.#causal = causal;
  }
  protected call({ x, mask, memory }: ProjectedInputs, context: Context): Value {
    const { heads, attentionDropout } = this.#form;
    const layers = { query: this.q_proj, key: this.k_proj, value: this.v_proj };
    const attention = { mask, causal: this.#causal, dropout: attentionDropout };
    const found = attendHeads(x, context, { ...layers, heads, memory, attention });
    return this.dropout.apply(this.out_proj.apply(found, context), context);
  }
}
