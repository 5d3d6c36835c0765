/** What stands on a model's states: the pooled first token, classifiers, scores of tokens. */

import { OptionError } from "../../core/errors.ts";
import { count, flag, fraction } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { Value } from "../../graph/ir.ts";
import {
  type ActivationName,
  type AnyModule,
  type Context,
  type Dense,
  dense,
  dropout,
  type Embedding,
  type InputForm,
  Module,
  zerosInit,
} from "../../nn/index.ts";
import { add, linear, reshape, slice } from "../../ops/index.ts";
import { initial, type TransformerDetails } from "./tokens.ts";

/** What stands on a model's states. */
export interface HeadOptions {
  /** Outputs of a classifier; default 2. */
  readonly labels?: number;
  /** Rate at which the classifier's input is dropped while training; default as published. */
  readonly dropout?: number | undefined;
  /** Scores of tokens come from the weight of their embedding; default as published. */
  readonly tied?: boolean | undefined;
  /** The token that fills sequences up, behind the last one that a decoder's classifier looks at; default none. */
  readonly padding?: number | undefined;
  /** The token that ends a text, by whose state a classifier of an encoder with a decoder goes; default as published. */
  readonly end?: number | undefined;
}

/** Models of one family by the names of Hugging Face's classes. */
export type Architectures<Options> = Readonly<Record<string, (options: Options, head?: HeadOptions) => AnyModule>>;

const checkHead = optionsOf<HeadOptions>("a head", {
  labels: count(),
  dropout: fraction,
  tied: flag,
  padding: count(0),
  end: count(0),
});

/** The models of a family, which check the options of their heads. */
export const architectures = <A extends Architectures<never>>(models: A): A =>
  Object.fromEntries(
    Object.entries(models).map(([name, build]) => [
      name,
      (options: never, head: HeadOptions = {}) => build(options, checkHead(head)),
    ]),
  ) as A;

/** The state of the first token: [N, T, W] → [N, W]. */
export function firstToken(outputs: Value | EncoderOutputs): Value {
  const states = statesOf(outputs);
  return reshape(slice(states, { axis: 1, start: 0, end: 1 }), [states.shape[0] ?? 1, states.shape[2] ?? 1]);
}

/** What an encoder gives. */
export type EncoderOutputs = {
  /** Of all tokens, [N, T, W]. */
  readonly states: Value;
  /** Of the whole sequence, [N, W], where it has a pooler. */
  readonly pooled?: Value | undefined;
};

/** The states of all tokens of an encoder's outputs, [N, T, W], of which some encoders give nothing else. */
export const statesOf = (outputs: Value | EncoderOutputs): Value =>
  outputs instanceof Value ? outputs : outputs.states;

/** The pooled state of an encoder's outputs, [N, W]. Throws OptionError for an encoder without a pooler. */
export function pooledOf({ pooled }: EncoderOutputs): Value {
  if (!pooled) throw new OptionError("the encoder has no pooler; build it with { pooler: true }");
  return pooled;
}

/** An encoder and layers on it, under the names that published weights have for them. */
export class Headed<I, S> extends Module<I> {
  override readonly inputs: InputForm;
  readonly #encoder: Module<I, S>;
  readonly #head: readonly Module[];
  readonly #select: (outputs: S) => Value;
  constructor(
    encoder: Readonly<Record<string, Module<I, S>>>,
    head: Readonly<Record<string, Module>>,
    select: (outputs: S) => Value,
  ) {
    super();
    Object.assign(this, encoder, head);
    [this.#encoder] = Object.values(encoder) as [Module<I, S>];
    this.#head = Object.values(head);
    this.#select = select;
    this.inputs = this.#encoder.inputs;
  }
  protected call(inputs: I, context: Context): Value {
    const states = this.#select(this.#encoder.apply(inputs, context));
    return this.#head.reduce((value, layer) => layer.apply(value, context), states);
  }
}

/**
 * Layers on what `select` takes of an encoder's outputs, default the states of all tokens.
 * @example
 * headed({ bert }, { dropout: dropout(0.1), classifier: dense(2) }, pooledOf);
 */
export const headed = <I, S extends Value | EncoderOutputs>(
  encoder: Readonly<Record<string, Module<I, S>>>,
  head: Readonly<Record<string, Module>>,
  select: (outputs: S) => Value = statesOf,
): Headed<I, S> => new Headed(encoder, head, select);

/**
 * Layers, and a score for every token by their output: with the weight of the tokens' embedding, or when it is not tied
 * with that of the child `decoder`.
 */
export class VocabularyHead extends Module {
  override readonly kind = "dense";
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
export const classifier = (
  details: TransformerDetails | undefined,
  { labels = 2, dropout: rate = details?.dropout ?? 0.1 }: HeadOptions,
) => ({
  dropout: dropout(rate),
  classifier: dense(labels, { initializer: initial(details?.deviation) }),
});

/** Scores of each token as the first and the last one of an answer: [N, T, 2]. */
export const questionAnswering = (details: TransformerDetails | undefined) => ({
  qa_outputs: dense(2, { initializer: initial(details?.deviation) }),
});

/** A classifier of states with a hidden layer: [N, W] → [N, labels]. */
export class HiddenClassifier extends Module {
  readonly dense: Dense;
  readonly dropout: Module;
  readonly out_proj: Dense;
  constructor(
    width: number,
    details: TransformerDetails | undefined,
    { labels = 2, dropout: rate = details?.dropout ?? 0.1 }: HeadOptions,
    activation: ActivationName = "tanh",
  ) {
    super();
    const initializer = initial(details?.deviation);
    this.dense = dense(width, { initializer, activation });
    this.dropout = dropout(rate);
    this.out_proj = dense(labels, { initializer });
  }
  protected call(x: Value, context: Context): Value {
    const parts = [this.dropout, this.dense, this.dropout, this.out_proj];
    return parts.reduce((value, part) => part.apply(value, context), x);
  }
}
