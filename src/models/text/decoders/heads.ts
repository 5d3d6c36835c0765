/** The usual heads of decoders by the names of Hugging Face's classes: scores of the next token, of sequences, of tokens, answers. */
import type { Value } from "../../../graph/ir.ts";
import {
  activation,
  type Context,
  type Dense,
  dense,
  dropout,
  type Embedding,
  Module,
  tiedDense,
} from "../../../nn/index.ts";
import { capped } from "../../../nn/layers/attention.ts";
import { equal, not } from "../../../ops/index.ts";
import { architectures, type HeadOptions, headed, questionAnswering, VocabularyHead } from "../../shared/heads.ts";
import { lastOf, stateAt } from "../../shared/last-token.ts";
import { initial, type TokenInputs, tokenInputs } from "../../shared/tokens.ts";

/** A decoder whose scores may be tied to its tokens' vectors. */
export type TokenDecoder = Module<TokenInputs> & { readonly tokens: Embedding };

/** How a family names its classes and heads. */
export interface DecoderFamily<Options> {
  /** The model without a head. */
  readonly build: (options: Options) => TokenDecoder;
  /** The property under which heads hold the model. */
  readonly path: string;
  /** Its scores of the next token; default a layer `lm_head` without a bias. */
  readonly scores?: {
    readonly name?: string;
    readonly bias?: boolean;
    readonly cap?: (options: Options) => number | undefined;
  };
  /** The scores are tied to the tokens' vectors unless a config says otherwise; default false. */
  readonly tied?: boolean;
  /** The layer that classifies tokens; default `score`. */
  readonly tokenClassifier?: string;
  /** The property under which the head for answers holds the model; default `path`. */
  readonly answerPath?: string;
  /** Standard deviation of the heads' initial weights; default 0.02. */
  readonly deviation?: (options: Options) => number | undefined;
}

/** Models of a decoder's classes. */
export type DecoderArchitectures<
  Prefix extends string,
  Model extends string,
  Causal extends string,
  Options,
> = Readonly<
  Record<
    | `${Prefix}${Model}`
    | `${Prefix}${Causal}`
    | `${Prefix}ForSequenceClassification`
    | `${Prefix}ForTokenClassification`
    | `${Prefix}ForQuestionAnswering`,
    (options: Options, head?: HeadOptions) => Module<TokenInputs>
  >
>;

/** Names of classes without their prefix. */
interface ClassNames<Model extends string, Causal extends string> {
  /** Default `Model`. */
  readonly model?: Model;
  /** Of the class that scores the next token; default `ForCausalLM`. */
  readonly causal?: Causal;
}

/**
 * The classes of a family: the model, scores of the next token [N, T, vocabulary], of the sequence by its last token [N, labels], of each
 * token [N, T, labels], and of each as the first and the last of an answer [N, T, 2].
 * @param prefix of the classes' names: `Llama`
 */
export function decoderArchitectures<
  const Prefix extends string,
  Options,
  const Model extends string = "Model",
  const Causal extends string = "ForCausalLM",
>(
  prefix: Prefix,
  family: DecoderFamily<Options>,
  { model: modelName = "Model" as Model, causal = "ForCausalLM" as Causal }: ClassNames<Model, Causal> = {},
): DecoderArchitectures<Prefix, Model, Causal, Options> {
  const { build, path, scores = {}, tied: tiedByDefault = false, tokenClassifier = "score", deviation } = family;
  const layer = (units: number, bias: boolean, options: Options) =>
    dense(units, { bias, initializer: initial(deviation?.(options)) });
  const scorer = (tokens: Embedding, options: Options, tied: boolean) => {
    const { bias = false } = scores;
    if (!tied) return layer(tokens.count, bias, options);
    return bias ? new VocabularyHead(tokens, {}) : tiedDense(tokens);
  };
  const classes: Record<string, (options: Options, head?: HeadOptions) => Module<TokenInputs>> = {
    [`${prefix}${modelName}`]: build,
    [`${prefix}${causal}`]: (options: Options, { tied = tiedByDefault }: HeadOptions = {}) => {
      const model = build(options);
      const cap = scores.cap?.(options);
      const head = { [scores.name ?? "lm_head"]: scorer(model.tokens, options, tied) };
      return headed({ [path]: model }, { ...head, ...(cap && { cap: activation((x) => capped(x, cap)) }) });
    },
    [`${prefix}ForSequenceClassification`]: (options: Options, { labels = 2, padding }: HeadOptions = {}) =>
      new SequenceClassifier(path, build(options), layer(labels, false, options), padding),
    [`${prefix}ForTokenClassification`]: (options: Options, { labels = 2, dropout: rate = 0.1 }: HeadOptions = {}) =>
      headed({ [path]: build(options) }, { dropout: dropout(rate), [tokenClassifier]: layer(labels, true, options) }),
    [`${prefix}ForQuestionAnswering`]: (options: Options) =>
      headed(
        { [family.answerPath ?? path]: build(options) },
        questionAnswering({ deviation: deviation?.(options) ?? 0.02 }),
      ),
  };
  return architectures(classes) as DecoderArchitectures<Prefix, Model, Causal, Options>;
}

/** Scores of a sequence, [N, labels], by the state of its last token that is no padding. */
class SequenceClassifier extends Module<TokenInputs> {
  override readonly inputs = tokenInputs;
  readonly score: Dense;
  readonly #model: Module<TokenInputs>;
  readonly #padding: number | undefined;
  constructor(path: string, model: Module<TokenInputs>, score: Dense, padding: number | undefined) {
    super();
    Object.assign(this, { [path]: model });
    this.score = score;
    this.#model = model;
    this.#padding = padding;
  }
  protected call({ x: ids, mask }: TokenInputs, context: Context): Value {
    const states = this.#model.apply({ x: ids, mask }, context);
    const padding = this.#padding;
    const real = mask ?? (padding === undefined ? undefined : not(equal(ids, padding)));
    return this.score.apply(stateAt(states, lastOf(real, ids.shape)), context);
  }
}
