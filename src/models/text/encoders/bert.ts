/** BERT: a bidirectional encoder of tokens (Devlin et al. 2019), with Hugging Face's heads and names. */

import { count, flag } from "../../../core/option-types.ts";
import { type OptionTypes, optionsOf, required } from "../../../core/options.ts";
import { tensor } from "../../../core/tensor.ts";
import type { Value } from "../../../graph/ir.ts";
import {
  type ActivationName,
  activation,
  type Context,
  type Dense,
  dense,
  dropout,
  type Embedding,
  embedding,
  type LayerNorm,
  layerNorm,
  Module,
  type PositionEmbedding,
  positionEmbedding,
} from "../../../nn/index.ts";
import { add, cast, constant, cumulativeSum, equal, mul, not } from "../../../ops/index.ts";
import { type Chain, chain } from "../../shared/blocks.ts";
import {
  type Architectures,
  architectures,
  classifier,
  type EncoderOutputs,
  firstToken,
  headed,
  pooledOf,
  questionAnswering,
  VocabularyHead,
} from "../../shared/heads.ts";
import { type Preset, tokenPreset } from "../../shared/preset.ts";
import {
  detailsType,
  initial,
  requireHeads,
  requireTokens,
  type SegmentInputs,
  SelfAttention,
  segmentInputs,
  sizesType,
  type TokenInputs,
  type TransformerDetails,
  type TransformerSizes,
  tokenInputs,
} from "../../shared/tokens.ts";

/** Options of `BertModel`. */
export interface BertOptions {
  /** Its extents. */
  readonly sizes: TransformerSizes;
  /** Where it is not as published. */
  readonly details?: TransformerDetails | undefined;
  /** Kinds of segment, 0 for none; default 2. */
  readonly types?: number;
  /** Features of the embeddings, which ALBERT and ELECTRA project to the width; default the width. */
  readonly embeddingWidth?: number;
  /** The padding token, from whose number on positions are counted, as in RoBERTa; default: they count from 0. */
  readonly padding?: number;
  /** Run the pooler; default true. */
  readonly pooler?: boolean;
}

export const bertTypes: OptionTypes<BertOptions> = {
  sizes: required(sizesType),
  details: detailsType,
  types: count(0),
  embeddingWidth: count(),
  padding: count(0),
  pooler: flag,
};
const checkOptions = optionsOf("bert", bertTypes);

/** Options with every default, which are BERT's. */
export const bertDefaults = ({ sizes, details, ...own }: BertOptions) => ({
  types: 2,
  embeddingWidth: sizes.width,
  activation: "gelu" as ActivationName,
  dropout: 0.1,
  attentionDropout: 0.1,
  epsilon: 1e-12,
  deviation: 0.02,
  pooler: true,
  ...sizes,
  ...details,
  ...own,
});
/** Every option of BERT. */
export type BertSettings = ReturnType<typeof bertDefaults>;

/** Vectors of words, positions and segments, those that there are, summed and normalized. */
export class BertEmbeddings extends Module<Omit<SegmentInputs, "mask">> {
  override readonly inputs = { x: "required", types: "optional" } as const;
  readonly word_embeddings: Embedding;
  readonly position_embeddings: PositionEmbedding | Embedding | undefined;
  readonly token_type_embeddings: Embedding | undefined;
  readonly LayerNorm: LayerNorm;
  readonly dropout: Module;
  readonly #options: BertSettings;
  /** @param positioned there are vectors of positions; default true */
  constructor(options: BertSettings, positioned = true) {
    super();
    const { vocabulary, positions, embeddingWidth: width, types, padding, epsilon } = options;
    const initializer = initial(options.deviation);
    this.word_embeddings = embedding(vocabulary, width, { initializer });
    const placed =
      padding === undefined
        ? positionEmbedding(positions, { initializer })
        : embedding(positions, width, { initializer });
    this.position_embeddings = positioned ? placed : undefined;
    this.token_type_embeddings = types > 0 ? embedding(types, width, { initializer }) : undefined;
    this.LayerNorm = layerNorm({ epsilon });
    this.dropout = dropout(options.dropout);
    this.#options = options;
  }
  protected call({ x: ids, types }: Omit<SegmentInputs, "mask">, context: Context): Value {
    const { padding, positions } = this.#options;
    requireTokens(ids, (padding === undefined ? positions : positions - padding - 1) - context.firstPosition);
    const words = this.word_embeddings.apply(ids, context);
    // One row for all tokens when no segments are given.
    const segments = types ?? constant(tensor([[0]], { dtype: "int64" }));
    const typed = this.token_type_embeddings ? add(words, this.token_type_embeddings.apply(segments, context)) : words;
    return this.dropout.apply(this.LayerNorm.apply(this.#placed(typed, ids, context), context), context);
  }
  #placed(vectors: Value, ids: Value, context: Context): Value {
    const { position_embeddings: table } = this;
    const { padding } = this.#options;
    if (!table) return vectors;
    return padding === undefined
      ? table.apply(vectors, context)
      : add(vectors, table.apply(positionsAfter(ids, padding, context.firstPosition), context));
  }
}

/** padding + first + 1, padding + first + 2, … for the tokens of a sequence, and `padding` for those that fill it up: [N, T]. */
function positionsAfter(ids: Value, padding: number, first: number): Value {
  const real = cast(not(equal(ids, padding)), "int64");
  return add(mul(add(cumulativeSum(real, 1), first), real), padding);
}

type ResidualInputs = { readonly x: Value; readonly residual: Value };

/** A dense layer, after which its block's input is added and the sum normalized. */
export class BertOutput extends Module<ResidualInputs> {
  override readonly inputs = { x: "required", residual: "required" } as const;
  readonly dense: Dense;
  readonly dropout: Module;
  readonly LayerNorm: LayerNorm;
  constructor({ width, dropout: rate, epsilon, deviation }: BertSettings) {
    super();
    this.dense = dense(width, { initializer: initial(deviation) });
    this.dropout = dropout(rate);
    this.LayerNorm = layerNorm({ epsilon });
  }
  protected call({ x, residual }: ResidualInputs, context: Context): Value {
    const change = this.dropout.apply(this.dense.apply(x, context), context);
    return this.LayerNorm.apply(add(change, residual), context);
  }
}

class BertLayer extends Module<TokenInputs> {
  override readonly inputs = tokenInputs;
  readonly attention: { readonly self: SelfAttention; readonly output: BertOutput };
  readonly intermediate: Chain;
  readonly output: BertOutput;
  constructor(options: BertSettings) {
    super();
    const { width, heads, feedForward, attentionDropout, deviation } = options;
    const initializer = initial(deviation);
    this.attention = {
      self: new SelfAttention({ width, heads, dropout: attentionDropout, initializer }),
      output: new BertOutput(options),
    };
    this.intermediate = chain({
      dense: dense(feedForward, { initializer }),
      activation: activation(options.activation),
    });
    this.output = new BertOutput(options);
  }
  protected call({ x, mask }: TokenInputs, context: Context): Value {
    const { self, output } = this.attention;
    const attended = output.apply({ x: self.apply({ x, mask }, context), residual: x }, context);
    return this.output.apply({ x: this.intermediate.apply(attended, context), residual: attended }, context);
  }
}

class BertEncoder extends Module<TokenInputs> {
  override readonly inputs = tokenInputs;
  readonly layer: readonly BertLayer[];
  constructor(options: BertSettings) {
    super();
    this.layer = Array.from({ length: options.layers }, () => new BertLayer(options));
  }
  protected call({ x, mask }: TokenInputs, context: Context): Value {
    return this.layer.reduce((states, layer) => layer.apply({ x: states, mask }, context), x);
  }
}

/** The first token's state through a dense layer: [N, T, W] → [N, W]. */
export class BertPooler extends Module {
  readonly dense: Dense;
  constructor({ width, deviation }: { readonly width: number; readonly deviation: number }) {
    super();
    this.dense = dense(width, { activation: "tanh", initializer: initial(deviation) });
  }
  protected call(x: Value, context: Context): Value {
    return this.dense.apply(firstToken(x), context);
  }
}

/**
 * BERT (Devlin et al. 2019), a bidirectional encoder: token ids [N, T] → states [N, T, width], and the pooled state of
 * the sentence.
 */
export class BertModel extends Module<SegmentInputs, EncoderOutputs> {
  override readonly inputs = segmentInputs;
  readonly embeddings: BertEmbeddings;
  readonly embeddings_project: Dense | undefined;
  readonly encoder: BertEncoder;
  readonly pooler: BertPooler | undefined;
  constructor(options: BertOptions) {
    super();
    const settings = bertDefaults(checkOptions(options));
    requireHeads("bert", settings);
    const { width, embeddingWidth, deviation } = settings;
    this.embeddings = new BertEmbeddings(settings);
    this.embeddings_project = embeddingWidth === width ? undefined : dense(width, { initializer: initial(deviation) });
    this.encoder = new BertEncoder(settings);
    this.pooler = settings.pooler ? new BertPooler(settings) : undefined;
  }
  protected call({ x, mask, types }: SegmentInputs, context: Context): EncoderOutputs {
    const vectors = this.embeddings.apply({ x, types }, context);
    const wide = this.embeddings_project ? this.embeddings_project.apply(vectors, context) : vectors;
    const states = this.encoder.apply({ x: wide, mask }, context);
    const pooled = this.pooler?.apply(states, context);
    return { states, ...(pooled && { pooled }) };
  }
}

/** Scores of every token: from the words' own vectors, after one more layer. */
const predictions = (bert: BertModel, options: BertOptions, tied?: boolean) => {
  const settings = bertDefaults(options);
  const transform = chain({
    dense: dense(settings.width, { initializer: initial(settings.deviation) }),
    activation: activation(settings.activation),
    LayerNorm: layerNorm({ epsilon: settings.epsilon }),
  });
  return new VocabularyHead(bert.embeddings.word_embeddings, { transform }, tied);
};

/** What BERT is pretrained with. */
export type PreTrainingOutputs = {
  /** Of tokens, [N, T, vocabulary]. */
  readonly scores: Value;
  /** Whether the second sentence follows the first, [N, 2]. */
  readonly relationship: Value;
};

/** What BERT is pretrained for: scores of tokens [N, T, vocabulary], and whether a sentence follows the other. */
export class BertForPreTraining extends Module<SegmentInputs, PreTrainingOutputs> {
  override readonly inputs = segmentInputs;
  readonly bert: BertModel;
  readonly cls: { readonly predictions: VocabularyHead; readonly seq_relationship: Dense };
  constructor(options: BertOptions, tied?: boolean) {
    super();
    this.bert = new BertModel(options);
    this.cls = {
      predictions: predictions(this.bert, options, tied),
      seq_relationship: dense(2, { initializer: initial(options.details?.deviation) }),
    };
  }
  protected call(inputs: SegmentInputs, context: Context): PreTrainingOutputs {
    const found = this.bert.apply(inputs, context);
    return {
      scores: this.cls.predictions.apply(found.states, context),
      relationship: this.cls.seq_relationship.apply(pooledOf(found), context),
    };
  }
}

/** BERT's models by the names of Hugging Face's classes. */
export const bertArchitectures = architectures({
  BertModel: (options) => new BertModel(options),
  BertForPreTraining: (options, { tied } = {}) => new BertForPreTraining(options, tied),
  BertForMaskedLM: (options, { tied } = {}) => {
    const bert = new BertModel({ ...options, pooler: false });
    return headed({ bert }, { cls: chain({ predictions: predictions(bert, options, tied) }) });
  },
  BertForSequenceClassification: (options, head = {}) => {
    return headed({ bert: new BertModel(options) }, classifier(options.details, head), pooledOf);
  },
  BertForTokenClassification: (options, head = {}) =>
    headed({ bert: new BertModel({ ...options, pooler: false }) }, classifier(options.details, head)),
  BertForQuestionAnswering: (options) =>
    headed({ bert: new BertModel({ ...options, pooler: false }) }, questionAnswering(options.details)),
} as const satisfies Architectures<BertOptions>);

const base = { width: 768, layers: 12, heads: 12, feedForward: 3072, positions: 512 };
const sizes = {
  bert_base_uncased: { ...base, vocabulary: 30_522 },
  bert_base_cased: { ...base, vocabulary: 28_996 },
  bert_large_uncased: { vocabulary: 30_522, width: 1024, layers: 24, heads: 16, feedForward: 4096, positions: 512 },
} satisfies Record<string, TransformerSizes>;

export const bertPresets: readonly Preset[] = Object.entries(sizes).map(([name, size]) =>
  tokenPreset(
    {
      name,
      summary: `bidirectional encoder of ${size.layers} layers with a pooler, for ${name.endsWith("uncased") ? "lower-case" : "cased"} text`,
      source: "Devlin et al. 2019, BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding",
    },
    size,
    () => new BertModel({ sizes: size }),
  ),
);
