/** Stacks of an encoder and of a decoder that attends to it, as BART, Marian and Whisper publish them. */
import type { Value } from "../../../graph/ir.ts";
import {
  type ActivationName,
  activation,
  type Context,
  type Dense,
  dense,
  dropout,
  type LayerNorm,
  layerNorm,
  Module,
  type TensorModule,
} from "../../../nn/index.ts";
import { add } from "../../../ops/index.ts";
import { ProjectedAttention, type ProjectedForm } from "../../shared/projected-attention.ts";
import { initial } from "../../shared/tokens.ts";

/** How a stack computes. */
export interface StackForm extends ProjectedForm {
  readonly layers: number;
  readonly feedForward: number;
  readonly activation: ActivationName;
  /** The parts of a layer are normalized before them, and the last states too, rather than sums behind; default false. */
  readonly normsBefore?: boolean;
  /** Layers also attend to what an encoder gives, and to tokens before them alone; default false. */
  readonly decoder?: boolean;
}

/** States, and what a decoder attends to. */
export type StackInputs = {
  /** [N, T, W]. */
  readonly x: Value;
  /** Which tokens take part, [N, T]; default all. */
  readonly mask?: Value | undefined;
  /** States of the encoder, [N, S, W]. */
  readonly memory?: Value | undefined;
  /** Which of them take part, [N, S]; default all. */
  readonly memoryMask?: Value | undefined;
};
const stackInputs = { x: "required", mask: "optional", memory: "optional", memoryMask: "optional" } as const;

class Layer extends Module<StackInputs> {
  override readonly inputs = stackInputs;
  readonly self_attn: ProjectedAttention;
  readonly self_attn_layer_norm: LayerNorm;
  readonly encoder_attn: ProjectedAttention | undefined;
  readonly encoder_attn_layer_norm: LayerNorm | undefined;
  readonly fc1: Dense;
  readonly activation_fn: Module;
  readonly fc2: Dense;
  readonly dropout: Module;
  readonly final_layer_norm: LayerNorm;
  readonly #normsBefore: boolean;
  constructor(form: StackForm) {
    super();
    const { decoder = false, width, feedForward, deviation, normsBefore = false } = form;
    const initializer = initial(deviation);
    this.self_attn = new ProjectedAttention(form, { causal: decoder });
    this.self_attn_layer_norm = layerNorm();
    this.encoder_attn = decoder ? new ProjectedAttention(form) : undefined;
    this.encoder_attn_layer_norm = decoder ? layerNorm() : undefined;
    this.fc1 = dense(feedForward, { initializer });
    this.activation_fn = activation(form.activation);
    this.fc2 = dense(width, { initializer });
    this.dropout = dropout(form.dropout);
    this.final_layer_norm = layerNorm();
    this.#normsBefore = normsBefore;
  }
  protected call({ x, mask, memory, memoryMask }: StackInputs, context: Context): Value {
    const around = (value: Value, norm: LayerNorm, part: (inner: Value) => Value) =>
      this.#normsBefore ? add(value, part(norm.apply(value, context))) : norm.apply(add(value, part(value)), context);
    const { encoder_attn: crossed, encoder_attn_layer_norm: crossNorm } = this;
    const attended = around(x, this.self_attn_layer_norm, (inner) => this.self_attn.apply({ x: inner, mask }, context));
    const informed =
      crossed && crossNorm && memory
        ? around(attended, crossNorm, (inner) => crossed.apply({ x: inner, memory, mask: memoryMask }, context))
        : attended;
    const network = [this.fc1, this.activation_fn, this.fc2, this.dropout];
    return around(informed, this.final_layer_norm, (inner) =>
      network.reduce((value, part) => part.apply(value, context), inner),
    );
  }
}

/** What stands below and above a stack's layers. */
export interface StackParts {
  /** Makes vectors out of what the stack takes: adds positions. Its parts are under the stack's names. */
  readonly embed: (x: Value, context: Context) => Value;
  /** By their published names. */
  readonly parts?: Readonly<Record<string, object>>;
  /** The vectors are normalized before the first layer; default false. */
  readonly normalized?: boolean;
  /** The last states are normalized; default false. */
  readonly finalNorm?: boolean;
}

/** Layers on vectors of tokens or of sound: [N, T, W] → [N, T, W]. */
export class Stack extends Module<StackInputs> {
  override readonly inputs = stackInputs;
  readonly layernorm_embedding: LayerNorm | undefined;
  readonly dropout: Module;
  readonly layers: readonly Layer[];
  readonly layer_norm: LayerNorm | undefined;
  readonly #embed: StackParts["embed"];
  constructor(form: StackForm, { embed, parts, normalized = false, finalNorm = false }: StackParts) {
    super();
    Object.assign(this, parts);
    this.layernorm_embedding = normalized ? layerNorm() : undefined;
    this.dropout = dropout(form.dropout);
    this.layers = Array.from({ length: form.layers }, () => new Layer(form));
    this.layer_norm = finalNorm ? layerNorm() : undefined;
    this.#embed = embed;
  }
  protected call({ x, ...others }: StackInputs, context: Context): Value {
    const through = (value: Value, parts: readonly (TensorModule | undefined)[]) =>
      parts.reduce((inner, part) => (part ? part.apply(inner, context) : inner), value);
    const vectors = through(this.#embed(x, context), [this.layernorm_embedding, this.dropout]);
    const states = this.layers.reduce((value, layer) => layer.apply({ x: value, ...others }, context), vectors);
    return through(states, [this.layer_norm]);
  }
}
