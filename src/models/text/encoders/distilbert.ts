/** DistilBERT: half of BERT's layers, trained to imitate it (Sanh et al. 2019). */
import { optionsOf, required } from "../../../core/options.ts";
import type { Value } from "../../../graph/ir.ts";
import {
  activation,
  attendHeads,
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
import { add } from "../../../ops/index.ts";

import { type Chain, chain } from "../../shared/blocks.ts";
import {
  type Architectures,
  architectures,
  firstToken,
  headed,
  questionAnswering,
  VocabularyHead,
} from "../../shared/heads.ts";
import { type Preset, tokenPreset } from "../../shared/preset.ts";
import {
  detailsType,
  initial,
  requireHeads,
  requireTokens,
  sizesType,
  type TokenInputs,
  type TransformerDetails,
  type TransformerSizes,
  tokenInputs,
} from "../../shared/tokens.ts";

/** Options of `DistilBertModel`. */
export interface DistilBertOptions {
  /** Its extents. */
  readonly sizes: TransformerSizes;
  /** Where it is not as published; without `epsilon`. */
  readonly details?: Omit<TransformerDetails, "epsilon"> | undefined;
}

const checkOptions = optionsOf<DistilBertOptions>("distilbert", { sizes: required(sizesType), details: detailsType });

/** The library fixes what other models let vary. */
const epsilon = 1e-12;

const defaults = ({ sizes, details }: DistilBertOptions) => ({
  activation: "gelu" as const,
  dropout: 0.1,
  attentionDropout: 0.1,
  deviation: 0.02,
  ...sizes,
  ...details,
});
type Settings = ReturnType<typeof defaults>;

class Embeddings extends Module {
  readonly word_embeddings: Embedding;
  readonly position_embeddings: PositionEmbedding;
  readonly LayerNorm = layerNorm({ epsilon });
  readonly dropout: Module;
  constructor({ vocabulary, width, positions, dropout: rate, deviation }: Settings) {
    super();
    const initializer = initial(deviation);
    this.word_embeddings = embedding(vocabulary, width, { initializer });
    this.position_embeddings = positionEmbedding(positions, { initializer });
    this.dropout = dropout(rate);
  }
  protected call(ids: Value, context: Context): Value {
    requireTokens(ids, this.position_embeddings.count);
    const placed = this.position_embeddings.apply(this.word_embeddings.apply(ids, context), context);
    return this.dropout.apply(this.LayerNorm.apply(placed, context), context);
  }
}

class Attention extends Module<TokenInputs> {
  override readonly kind = "attention";
  override readonly inputs = tokenInputs;
  readonly q_lin: Dense;
  readonly k_lin: Dense;
  readonly v_lin: Dense;
  readonly out_lin: Dense;
  readonly #options: Settings;
  constructor(options: Settings) {
    super();
    const projection = () => dense(options.width, { initializer: initial(options.deviation) });
    this.q_lin = projection();
    this.k_lin = projection();
    this.v_lin = projection();
    this.out_lin = projection();
    this.#options = options;
  }
  protected call({ x, mask }: TokenInputs, context: Context): Value {
    const { heads, attentionDropout } = this.#options;
    const projections = { query: this.q_lin, key: this.k_lin, value: this.v_lin };
    return this.out_lin.apply(
      attendHeads(x, context, { ...projections, heads, attention: { mask, dropout: attentionDropout } }),
      context,
    );
  }
}

class Layer extends Module<TokenInputs> {
  override readonly inputs = tokenInputs;
  readonly attention: Attention;
  readonly sa_layer_norm: LayerNorm;
  readonly ffn: Chain;
  readonly output_layer_norm: LayerNorm;
  constructor(options: Settings) {
    super();
    const initializer = initial(options.deviation);
    this.attention = new Attention(options);
    this.sa_layer_norm = layerNorm({ epsilon });
    this.ffn = chain({
      lin1: dense(options.feedForward, { initializer }),
      activation: activation(options.activation),
      lin2: dense(options.width, { initializer }),
      dropout: dropout(options.dropout),
    });
    this.output_layer_norm = layerNorm({ epsilon });
  }
  protected call({ x, mask }: TokenInputs, context: Context): Value {
    const attended = this.sa_layer_norm.apply(add(this.attention.apply({ x, mask }, context), x), context);
    return this.output_layer_norm.apply(add(this.ffn.apply(attended, context), attended), context);
  }
}

class Transformer extends Module<TokenInputs> {
  override readonly inputs = tokenInputs;
  readonly layer: readonly Layer[];
  constructor(options: Settings) {
    super();
    this.layer = Array.from({ length: options.layers }, () => new Layer(options));
  }
  protected call({ x, mask }: TokenInputs, context: Context): Value {
    return this.layer.reduce((states, layer) => layer.apply({ x: states, mask }, context), x);
  }
}

/**
 * DistilBERT (Sanh et al. 2019), half of BERT's layers without segments and pooler: token ids [N, T] → states [N, T,
 * width].
 */
export class DistilBertModel extends Module<TokenInputs> {
  override readonly inputs = tokenInputs;
  readonly embeddings: Embeddings;
  readonly transformer: Transformer;
  constructor(options: DistilBertOptions) {
    super();
    const settings = defaults(checkOptions(options));
    requireHeads("distilbert", settings);
    this.embeddings = new Embeddings(settings);
    this.transformer = new Transformer(settings);
  }
  protected call({ x, mask }: TokenInputs, context: Context): Value {
    return this.transformer.apply({ x: this.embeddings.apply(x, context), mask }, context);
  }
}

/** DistilBERT's models by the names of Hugging Face's classes. */
export const distilbertArchitectures = architectures({
  DistilBertModel: (options) => new DistilBertModel(options),
  DistilBertForMaskedLM: (options, { tied = true } = {}) => {
    const distilbert = new DistilBertModel(options);
    const { width, vocabulary, activation: name, deviation } = defaults(options);
    const initializer = initial(deviation);
    return headed(
      { distilbert },
      {
        vocab_transform: dense(width, { initializer }),
        activation: activation(name),
        vocab_layer_norm: layerNorm({ epsilon }),
        vocab_projector: tied
          ? new VocabularyHead(distilbert.embeddings.word_embeddings, {})
          : dense(vocabulary, { initializer }),
      },
    );
  },
  DistilBertForSequenceClassification: (options, { labels = 2, dropout: rate = 0.2 } = {}) => {
    const { width, deviation } = defaults(options);
    const initializer = initial(deviation);
    const head = {
      pre_classifier: dense(width, { initializer }),
      activation: activation("relu"),
      dropout: dropout(rate),
      classifier: dense(labels, { initializer }),
    };
    return headed({ distilbert: new DistilBertModel(options) }, head, firstToken);
  },
  DistilBertForTokenClassification: (options, { labels = 2 } = {}) => {
    const { dropout: rate, deviation } = defaults(options);
    const head = { dropout: dropout(rate), classifier: dense(labels, { initializer: initial(deviation) }) };
    return headed({ distilbert: new DistilBertModel(options) }, head);
  },
  DistilBertForQuestionAnswering: (options, { dropout: rate = 0.1 } = {}) =>
    headed(
      { distilbert: new DistilBertModel(options) },
      { dropout: dropout(rate), ...questionAnswering(options.details) },
    ),
} as const satisfies Architectures<DistilBertOptions>);

const size = { vocabulary: 30_522, width: 768, layers: 6, heads: 12, feedForward: 3072, positions: 512 };

export const distilbertPresets: readonly Preset[] = [
  tokenPreset(
    {
      name: "distilbert_base_uncased",
      summary: "BERT's base model with every other layer, without segments and pooler",
      source: "Sanh et al. 2019, DistilBERT, a distilled version of BERT",
    },
    size,
    () => new DistilBertModel({ sizes: size }),
  ),
];
