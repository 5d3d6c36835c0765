/** What models of tokens have in common: their sizes and inputs, self-attention, the pooled first token, heads. */
import { OptionError, ShapeError } from "../core/errors.ts";
import { showShape } from "../core/shape.ts";
import type { Value } from "../graph/ir.ts";
import {
  type ActivationName,
  attendHeads,
  type Context,
  type Dense,
  dense,
  type Embedding,
  type Extra,
  type Initializer,
  Module,
  normalInit,
  zerosInit,
} from "../nn/index.ts";
import { add, linear, reshape, slice } from "../ops/index.ts";

/** The extents of a transformer of tokens. */
export interface TransformerSizes {
  /** How many tokens there are. */
  readonly vocabulary: number;
  /** Features of a token's state. */
  readonly width: number;
  readonly layers: number;
  /** Parts in which a layer attends; they divide the width. */
  readonly heads: number;
  /** Features inside a layer's feed-forward network. */
  readonly feedForward: number;
  /** The longest sequence. */
  readonly positions: number;
}

/** How a transformer computes and starts, where that is not as published. */
export interface TransformerDetails {
  /** Of the feed-forward networks. */
  readonly activation?: ActivationName;
  /** Rate at which states are dropped while training. */
  readonly dropout?: number;
  /** Rate at which attention weights are dropped while training. */
  readonly attentionDropout?: number;
  /** Added to variances. */
  readonly epsilon?: number;
  /** Standard deviation of the initial weights; default 0.02. */
  readonly deviation?: number;
}

/** What stands on a model's states. */
export interface HeadOptions {
  /** Outputs of a classifier; default 2. */
  readonly labels?: number;
  /** Rate at which the classifier's input is dropped while training; default as published. */
  readonly dropout?: number | undefined;
  /** Scores of tokens come from the weight of their embedding; default as published. */
  readonly tied?: boolean | undefined;
}

/** Models of one family by the names of Hugging Face's classes. */
export type Architectures<Options> = Readonly<Record<string, (options: Options, head?: HeadOptions) => Module>>;

/** What an encoder of token ids [N, T] takes beside them. */
export type TokenInputs = {
  /** Which tokens take part, [N, T]: 1 for those that do; default all. */
  readonly mask?: Value | undefined;
  /** The segment that each token is of, integers [N, T]; default 0. Models without segments ignore it. */
  readonly types?: Value | undefined;
};

/** Initial weights of most transformers. */
export const initial = (deviation = 0.02): Initializer => normalInit(0, deviation);

/** Throws OptionError unless the heads divide the width. */
export function requireHeads(where: string, { width, heads }: Pick<TransformerSizes, "width" | "heads">): void {
  if (width % heads !== 0)
    throw new OptionError(`${where}: ${heads} heads do not divide the width ${width}; pass a divisor of it`);
}

/** Throws ShapeError unless ids are [N, T] with T at most `longest`. */
export function requireTokens(ids: Value, longest = Number.POSITIVE_INFINITY): void {
  if (ids.rank !== 2)
    throw new ShapeError(`input ${showShape(ids.shape)} is no batch of token sequences; pass ids [batch, time]`);
  const [, time = 0] = ids.shape;
  if (time > longest)
    throw new ShapeError(
      `input ${showShape(ids.shape)} has ${time} tokens, the model has ${longest} positions; cut it`,
    );
}

/** The state of the first token: [N, T, W] → [N, W]. */
export const firstToken = (states: Value): Value =>
  reshape(slice(states, { axis: 1, start: 0, end: 1 }), [states.shape[0] ?? 1, states.shape[2] ?? 1]);

export interface SelfAttentionOptions {
  readonly width: number;
  readonly heads: number;
  /** Rate at which attention weights are dropped while training. */
  readonly dropout: number;
  readonly initializer: Initializer;
  /** Default true. */
  readonly bias?: boolean;
}

/** Attention of tokens to one another, before the projection of what the heads found. */
export class SelfAttention extends Module<TokenInputs> {
  readonly kind = "attention";
  readonly query: Dense;
  readonly key: Dense;
  readonly value: Dense;
  readonly #options: SelfAttentionOptions;
  constructor(options: SelfAttentionOptions) {
    super();
    const { width, bias = true, initializer } = options;
    const projection = () => dense(width, { bias, initializer });
    this.query = projection();
    this.key = projection();
    this.value = projection();
    this.#options = options;
  }
  protected call(x: Value, context: Context, { mask }: TokenInputs): Value {
    const { heads, dropout } = this.#options;
    return attendHeads(x, context, { query: this.query, key: this.key, value: this.value, heads, mask, dropout });
  }
}

/**
 * An encoder whose `call` returns the states of all tokens, [N, T, W]. It may have a pooler, which then runs in every
 * call, so that its parameters exist; where nothing asks for what it computes, that is left out of the graph.
 */
export abstract class PooledEncoder<E extends Extra = TokenInputs> extends Module<E> {
  readonly kind = "container";
  readonly #pooled = new WeakMap<Value, Value>();

  /** The pooled state, [N, W], of the call that returned `states`. Throws OptionError where there is none. */
  pooled(states: Value): Value {
    const pooled = this.#pooled.get(states);
    if (!pooled)
      throw new OptionError(
        `a pooled state was asked of a value that no ${this.constructor.name} with a pooler returned; pass the output of its call`,
      );
    return pooled;
  }

  /** Whether a call that returned `states` pooled them. */
  hasPooled(states: Value): boolean {
    return this.#pooled.has(states);
  }

  /** Keeps the pooled state of a call beside its states, which it returns. */
  protected withPooled(states: Value, pooled: Value | undefined): Value {
    if (pooled) this.#pooled.set(states, pooled);
    return states;
  }
}

/** An encoder and layers on it, under the names that published weights have for them. */
export class Headed<E extends Extra = TokenInputs> extends Module<E> {
  readonly kind = "container";
  readonly #encoder: Module<E>;
  readonly #head: readonly Module[];
  readonly #input: (states: Value) => Value;
  constructor(encoder: Readonly<Record<string, Module<E>>>, head: Readonly<Record<string, Module>>, input = kept) {
    super();
    Object.assign(this, encoder, head);
    [this.#encoder] = Object.values(encoder) as [Module<E>];
    this.#head = Object.values(head);
    this.#input = input;
  }
  protected call(x: Value, context: Context, extra: E): Value {
    const states = this.#input(this.#encoder.apply(x, context, extra));
    return this.#head.reduce((value, layer) => layer.apply(value, context), states);
  }
}

const kept = (states: Value) => states;

/**
 * Layers on the states of an encoder; `input` picks the states that they take, default all.
 * @example
 * headed({ bert }, { dropout: dropout(0.1), classifier: dense(2) }, (states) => bert.pooled(states));
 */
export const headed = <E extends Extra>(
  encoder: Readonly<Record<string, Module<E>>>,
  head: Readonly<Record<string, Module>>,
  input?: (states: Value) => Value,
): Headed<E> => new Headed(encoder, head, input);

/**
 * Layers, and a score for every token by their output: with the weight of the tokens' embedding, or when it is not tied
 * with that of the child `decoder`.
 */
export class VocabularyHead extends Module {
  readonly kind = "dense";
  readonly decoder: Dense | undefined;
  readonly #words: Embedding;
  readonly #steps: readonly Module[];
  constructor(words: Embedding, steps: Readonly<Record<string, Module>>, tied = true) {
    super();
    Object.assign(this, steps);
    this.#words = words;
    this.#steps = Object.values(steps);
    this.decoder = tied ? undefined : dense(words.count, { bias: false, initializer: initial() });
  }
  protected call(x: Value, context: Context): Value {
    const state = this.#steps.reduce((value, step) => step.apply(value, context), x);
    const bias = context.parameter(this, "bias", { shape: [this.#words.count], initializer: zerosInit });
    return this.decoder
      ? add(this.decoder.apply(state, context), bias)
      : linear(state, this.#words.table(context), bias);
  }
}

/** What an encoder with a decoder takes beside the encoder's ids [N, T]. */
export type DecoderInputs = {
  /** Ids that the decoder continues, integers [N, U]. */
  readonly decoder: Value;
  /** Which of the encoder's tokens take part, [N, T]; default all. */
  readonly mask?: Value | undefined;
};

/** The decoder's ids. Throws OptionError where they are missing, ShapeError unless they are [N, U]. */
export function requireDecoder({ decoder }: Partial<DecoderInputs>): Value {
  if (!decoder) throw new OptionError("the decoder has no input; pass its ids: { decoder: ids [batch, time] }");
  requireTokens(decoder);
  return decoder;
}
