/** T5: an encoder and a decoder with relative positions (Raffel et al. 2020), with Hugging Face's names. */
import { count, fraction, nonNegative, objectOf } from "../../../core/option-types.ts";
import { optionsOf, required } from "../../../core/options.ts";
import type { Value } from "../../../graph/ir.ts";
import {
  type ActivationName,
  activationOf,
  attendHeads,
  type Context,
  type Dense,
  dense,
  dropout,
  type Embedding,
  embedding,
  Module,
  type RmsNorm,
  rmsNorm,
  type TiedDense,
  tiedDense,
} from "../../../nn/index.ts";
import { add, mul } from "../../../ops/index.ts";
import {
  type Architectures,
  architectures,
  classifier,
  HiddenClassifier,
  headed,
  questionAnswering,
} from "../../shared/heads.ts";
import { type Preset, tokenPreset } from "../../shared/preset.ts";
import { RelativeBias } from "../../shared/relative-bias.ts";
import {
  type DecoderInputs,
  decoderInputs,
  initial,
  requireTokens,
  sizesTypes,
  type TokenInputs,
  type TransformerSizes,
  tokenInputs,
} from "../../shared/tokens.ts";
import { lastOfToken, shifted, TextReader } from "./text-reader.ts";

/** Options of the T5 models. */
export interface T5Options {
  /** Its extents; sequences have no limit. */
  readonly sizes: Omit<TransformerSizes, "positions">;
  /** Features of a head; default 64. */
  readonly keyWidth?: number;
  /** Default as many as the encoder's. */
  readonly decoderLayers?: number | undefined;
  /** Of the feed-forward networks; default that of T5, or of version 1.1. */
  readonly network?: { readonly activation: ActivationName; readonly gated: boolean };
  /** How distances of tokens are distinguished; default 32 buckets up to 128 tokens. */
  readonly distances?: { readonly buckets: number; readonly farthest: number };
  /** Default 0.1. */
  readonly dropout?: number;
  /** Default 1e-6. */
  readonly epsilon?: number;
}

/** The network of version 1.1, which FLAN-T5 has (Shazeer 2020). */
const gatedGelu = { activation: "geluTanh", gated: true } as const;

const { positions: _, ...extents } = sizesTypes;
const checkOptions = optionsOf<T5Options>("t5", {
  sizes: required(optionsOf<T5Options["sizes"]>("sizes", extents).type),
  keyWidth: count(),
  decoderLayers: count(),
  network: objectOf("{ activation, gated }"),
  distances: objectOf("{ buckets, farthest }"),
  dropout: fraction,
  epsilon: nonNegative,
});

const defaults = ({ sizes, ...own }: T5Options) => ({
  keyWidth: 64,
  network: { activation: "relu" as ActivationName, gated: false },
  distances: { buckets: 32, farthest: 128 },
  dropout: 0.1,
  epsilon: 1e-6,
  ...sizes,
  ...own,
});
type Settings = ReturnType<typeof defaults>;

type SublayerInputs = TokenInputs & { readonly memory?: Value | undefined; readonly bias?: Value | undefined };
const sublayerInputs = { ...tokenInputs, memory: "optional", bias: "optional" } as const;

/** Attention whose products are not scaled: its initial weights are smaller instead. */
class Attention extends Module<SublayerInputs> {
  override readonly kind = "attention";
  override readonly inputs = sublayerInputs;
  readonly q: Dense;
  readonly k: Dense;
  readonly v: Dense;
  readonly o: Dense;
  readonly relative_attention_bias: RelativeBias | undefined;
  readonly #options: Settings;
  readonly #causal: boolean;
  constructor(options: Settings, causal: boolean, bias?: RelativeBias) {
    super();
    const { width, heads, keyWidth } = options;
    const inner = heads * keyWidth;
    const projection = (units: number, deviation: number) =>
      dense(units, { bias: false, initializer: initial(deviation) });
    this.q = projection(inner, (width * keyWidth) ** -0.5);
    this.k = projection(inner, width ** -0.5);
    this.v = projection(inner, width ** -0.5);
    this.o = projection(width, inner ** -0.5);
    this.relative_attention_bias = bias;
    this.#options = options;
    this.#causal = causal;
  }
  protected call({ x, memory, mask, bias }: SublayerInputs, context: Context): Value {
    const { heads, dropout: rate } = this.#options;
    const found = attendHeads(x, context, {
      query: this.q,
      key: this.k,
      value: this.v,
      heads,
      memory,
      attention: { mask, bias, scale: 1, causal: this.#causal, dropout: rate },
    });
    return this.o.apply(found, context);
  }
}

const into = ({ width, feedForward }: Settings) =>
  dense(feedForward, { bias: false, initializer: initial(width ** -0.5) });
const out = ({ width, feedForward }: Settings) =>
  dense(width, { bias: false, initializer: initial(feedForward ** -0.5) });

class FeedForward extends Module {
  readonly wi: Dense;
  readonly wo: Dense;
  readonly dropout: Module;
  readonly #activation: (x: Value) => Value;
  constructor(options: Settings) {
    super();
    this.wi = into(options);
    this.wo = out(options);
    this.dropout = dropout(options.dropout);
    this.#activation = activationOf(options.network.activation);
  }
  protected call(x: Value, context: Context): Value {
    const inner = this.#activation(this.wi.apply(x, context));
    return this.wo.apply(this.dropout.apply(inner, context), context);
  }
}

/** As FeedForward, with the inner features multiplied by others (Shazeer 2020). */
class GatedFeedForward extends Module {
  readonly wi_0: Dense;
  readonly wi_1: Dense;
  readonly wo: Dense;
  readonly dropout: Module;
  readonly #activation: (x: Value) => Value;
  constructor(options: Settings) {
    super();
    this.wi_0 = into(options);
    this.wi_1 = into(options);
    this.wo = out(options);
    this.dropout = dropout(options.dropout);
    this.#activation = activationOf(options.network.activation);
  }
  protected call(x: Value, context: Context): Value {
    const inner = mul(this.#activation(this.wi_0.apply(x, context)), this.wi_1.apply(x, context));
    return this.wo.apply(this.dropout.apply(inner, context), context);
  }
}

/** A part of a block: normalized input, the part named `name`, dropout, and the input added. */
class Sublayer extends Module<SublayerInputs> {
  override readonly inputs = sublayerInputs;
  readonly layer_norm: RmsNorm;
  readonly dropout: Module;
  readonly #part: Attention | FeedForward | GatedFeedForward;
  constructor(name: string, part: Attention | FeedForward | GatedFeedForward, { epsilon, dropout: rate }: Settings) {
    super();
    Object.assign(this, { [name]: part });
    this.#part = part;
    this.layer_norm = rmsNorm({ epsilon });
    this.dropout = dropout(rate);
  }
  protected call({ x, ...others }: SublayerInputs, context: Context): Value {
    const normal = this.layer_norm.apply(x, context);
    const part = this.#part;
    const change =
      part instanceof Attention ? part.apply({ x: normal, ...others }, context) : part.apply(normal, context);
    return add(x, this.dropout.apply(change, context));
  }
}

type BlockInputs = {
  readonly x: Value;
  readonly mask?: Value | undefined;
  readonly bias: Value;
  readonly memory?: Value | undefined;
  readonly memoryMask?: Value | undefined;
};

class Block extends Module<BlockInputs> {
  override readonly inputs = {
    x: "required",
    mask: "optional",
    bias: "required",
    memory: "optional",
    memoryMask: "optional",
  } as const;
  readonly layer: readonly Sublayer[];
  constructor(options: Settings, decoder: boolean, bias?: RelativeBias) {
    super();
    const network = options.network.gated ? new GatedFeedForward(options) : new FeedForward(options);
    this.layer = [
      new Sublayer("SelfAttention", new Attention(options, decoder, bias), options),
      ...(decoder ? [new Sublayer("EncDecAttention", new Attention(options, false), options)] : []),
      new Sublayer("DenseReluDense", network, options),
    ];
  }
  protected call({ x, mask, bias, memory, memoryMask }: BlockInputs, context: Context): Value {
    const others: readonly Omit<SublayerInputs, "x">[] = [
      { mask, bias },
      ...(memory ? [{ memory, mask: memoryMask }] : []),
      {},
    ];
    return this.layer.reduce((value, part, i) => part.apply({ x: value, ...others[i] }, context), x);
  }
}

type StackInputs = Omit<BlockInputs, "bias">;

class Stack extends Module<StackInputs> {
  override readonly inputs = { x: "required", mask: "optional", memory: "optional", memoryMask: "optional" } as const;
  readonly block: readonly Block[];
  readonly final_layer_norm: RmsNorm;
  readonly dropout: Module;
  /** The first block's, for all. */
  readonly #bias: RelativeBias;
  constructor(options: Settings, { decoder }: { readonly decoder: boolean }) {
    super();
    const length = decoder ? (options.decoderLayers ?? options.layers) : options.layers;
    this.#bias = new RelativeBias(
      options.heads,
      { ...options.distances, both: !decoder },
      initial(options.width ** -0.5),
    );
    this.block = Array.from({ length }, (_, i) => new Block(options, decoder, i === 0 ? this.#bias : undefined));
    this.final_layer_norm = rmsNorm({ epsilon: options.epsilon });
    this.dropout = dropout(options.dropout);
  }
  protected call({ x, ...others }: StackInputs, context: Context): Value {
    const embedded = this.dropout.apply(x, context);
    const bias = this.#bias.apply(embedded, context);
    const states = this.block.reduce((value, block) => block.apply({ x: value, ...others, bias }, context), embedded);
    return this.dropout.apply(this.final_layer_norm.apply(states, context), context);
  }
}

/** The encoder of T5 (Raffel et al. 2020) alone: token ids [N, T] → states [N, T, width]. */
export class T5EncoderModel extends Module<TokenInputs> {
  override readonly inputs = tokenInputs;
  readonly shared: Embedding;
  readonly encoder: Stack;
  constructor(options: T5Options) {
    super();
    const settings = defaults(checkOptions(options));
    this.shared = embedding(settings.vocabulary, settings.width);
    this.encoder = new Stack(settings, { decoder: false });
  }
  protected call({ x: ids, mask }: TokenInputs, context: Context): Value {
    requireTokens(ids);
    return this.encoder.apply({ x: this.shared.apply(ids, context), mask }, context);
  }
}

/**
 * T5 (Raffel et al. 2020), an encoder and a decoder with positions relative to one another: token ids [N, T] and those
 * of the decoder [N, U] → the decoder's states [N, U, width].
 */
export class T5Model extends Module<DecoderInputs> {
  override readonly inputs = decoderInputs;
  readonly shared: Embedding;
  readonly encoder: Stack;
  readonly decoder: Stack;
  constructor(options: T5Options) {
    super();
    const settings = defaults(checkOptions(options));
    this.shared = embedding(settings.vocabulary, settings.width);
    this.encoder = new Stack(settings, { decoder: false });
    this.decoder = new Stack(settings, { decoder: true });
  }
  protected call({ x: ids, decoder, mask }: DecoderInputs, context: Context): Value {
    return statesOf(this, { x: ids, decoder, mask }, context);
  }
}

/** The decoder's states of both stacks. */
function statesOf(
  { shared, encoder, decoder: stack }: Pick<T5Model, "shared" | "encoder" | "decoder">,
  { x: ids, decoder, mask }: DecoderInputs,
  context: Context,
): Value {
  for (const tokens of [ids, decoder]) requireTokens(tokens);
  const memory = encoder.apply({ x: shared.apply(ids, context), mask }, context);
  return stack.apply({ x: shared.apply(decoder, context), memory, memoryMask: mask }, context);
}

/** As T5Model, with scores of the next token: [N, U, vocabulary]. */
export class T5ForConditionalGeneration extends T5Model {
  readonly lm_head: Dense | TiedDense;
  readonly #scale: number;
  constructor(options: T5Options, tied = true) {
    super(options);
    const { vocabulary, width } = options.sizes;
    this.lm_head = tied ? tiedDense(this.shared) : dense(vocabulary, { bias: false, initializer: initial(1) });
    // The embeddings are too large for scores: their weight starts with a deviation of 1.
    this.#scale = tied ? width ** -0.5 : 1;
  }
  protected override call(inputs: DecoderInputs, context: Context): Value {
    return this.lm_head.apply(mul(super.call(inputs, context), this.#scale), context);
  }
}

/** Scores of each token of a text as the first and the last one of an answer, by both stacks. */
class T5Answerer extends Module<TokenInputs> {
  override readonly inputs = tokenInputs;
  readonly shared: Embedding;
  readonly encoder: Stack;
  readonly decoder: Stack;
  readonly qa_outputs: Dense;
  readonly #first: number;
  constructor(options: T5Options, first: number) {
    super();
    const { shared, encoder, decoder } = new T5Model(options);
    this.shared = shared;
    this.encoder = encoder;
    this.decoder = decoder;
    this.qa_outputs = questionAnswering(undefined).qa_outputs;
    this.#first = first;
  }
  protected call({ x, mask }: TokenInputs, context: Context): Value {
    const states = statesOf(this, { x, decoder: shifted(x, this.#first), mask }, context);
    return this.qa_outputs.apply(states, context);
  }
}

/** The token that ends a text. */
const ending = 1;

/** T5's models by the names of Hugging Face's classes; a decoder's sequence begins with the padding token. */
export const t5Architectures = architectures({
  T5Model: (options) => new T5Model(options),
  T5ForConditionalGeneration: (options, { tied } = {}) => new T5ForConditionalGeneration(options, tied),
  T5EncoderModel: (options) => new T5EncoderModel(options),
  T5ForSequenceClassification: (options, { padding = 0, end = ending, ...head } = {}) => {
    const transformer = new T5Model(options);
    const classification_head = new HiddenClassifier(options.sizes.width, undefined, { dropout: 0, ...head });
    const form = { model: transformer, first: padding, select: lastOfToken(end), head: [classification_head] };
    return new TextReader({ transformer, classification_head }, form);
  },
  T5ForTokenClassification: (options, { dropout: rate = 0, ...head } = {}) =>
    headed({ transformer: new T5EncoderModel(options) }, classifier(undefined, { dropout: rate, ...head })),
  T5ForQuestionAnswering: (options, { padding = 0 } = {}) => new T5Answerer(options, padding),
} as const satisfies Architectures<T5Options>);

const small = { vocabulary: 32_128, width: 512, feedForward: 2048, layers: 6, heads: 8 };
const flan = { ...small, feedForward: 1024, layers: 8, heads: 6 };
/** The length of the sequences that T5 was trained with. */
const positions = 512;

export const t5Presets: readonly Preset[] = [
  tokenPreset(
    {
      name: "t5_small",
      summary: "encoder and decoder of 6 layers each, with biases by relative positions",
      source: "Raffel et al. 2020, Exploring the Limits of Transfer Learning with a Unified Text-to-Text Transformer",
    },
    { positions, decoder: true },
    () => new T5ForConditionalGeneration({ sizes: small }),
  ),
  tokenPreset(
    {
      name: "flan_t5_small",
      summary: "T5 version 1.1, with gated networks and untied scores, finetuned on instructions",
      source: "Chung et al. 2022, Scaling Instruction-Finetuned Language Models",
    },
    { positions, decoder: true },
    () => new T5ForConditionalGeneration({ sizes: flan, network: gatedGelu }, false),
  ),
];
