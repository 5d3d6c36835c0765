/** What stands on a model's states: the pooled first token, classifiers, scores of tokens. */
import { OptionError } from "../../core/errors.ts";
import type { Value } from "../../graph/ir.ts";
import {
  type Context,
  type Dense,
  dense,
  dropout,
  type Embedding,
  type Extra,
  Module,
  zerosInit,
} from "../../nn/index.ts";
import { add, linear, reshape, slice } from "../../ops/index.ts";
import { initial, type TokenInputs, type TransformerDetails } from "./tokens.ts";

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

/** The state of the first token: [N, T, W] → [N, W]. */
export const firstToken = (states: Value): Value =>
  reshape(slice(states, { axis: 1, start: 0, end: 1 }), [states.shape[0] ?? 1, states.shape[2] ?? 1]);

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

  override outputs(states: Value): readonly Value[] {
    return [states, ...(this.hasPooled(states) ? [this.pooled(states)] : [])];
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

/** Dropout and a dense layer, which are a classifier of states. */
export const classifier = (options: TransformerDetails, { labels = 2, dropout: rate = options.dropout ?? 0.1 }) => ({
  dropout: dropout(rate),
  classifier: dense(labels, { initializer: initial(options.deviation) }),
});

/** Scores of each token as the first and the last one of an answer: [N, T, 2]. */
export const questionAnswering = ({ deviation }: TransformerDetails) => ({
  qa_outputs: dense(2, { initializer: initial(deviation) }),
});
