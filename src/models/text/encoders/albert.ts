/** ALBERT: BERT whose layers share one set of weights, with narrow embeddings (Lan et al. 2020). */
import { count } from "../../../core/option-types.ts";
import { optionsOf } from "../../../core/options.ts";
import type { Value } from "../../../graph/ir.ts";
import {
  activation,
  attendHeads,
  type Context,
  type Dense,
  dense,
  dropout,
  type LayerNorm,
  layerNorm,
  Module,
} from "../../../nn/index.ts";
import { add } from "../../../ops/index.ts";
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
  initial,
  requireHeads,
  type SegmentInputs,
  segmentInputs,
  type TokenInputs,
  tokenInputs,
} from "../../shared/tokens.ts";
import { BertEmbeddings, type BertOptions, bertDefaults, bertTypes } from "./bert.ts";

/** Options of `AlbertModel`. */
export interface AlbertOptions extends Omit<BertOptions, "padding"> {
  /** Sets of weights, which the layers divide among them in runs; default 1. */
  readonly groups?: number;
}

const { padding: _, ...sharedTypes } = bertTypes;
const checkOptions = optionsOf<AlbertOptions>("albert", { ...sharedTypes, groups: count() });

const defaults = ({ sizes, details, ...own }: AlbertOptions) => ({
  ...bertDefaults({ sizes, details, ...own }),
  embeddingWidth: 128,
  activation: "geluTanh" as const,
  dropout: 0,
  attentionDropout: 0,
  groups: 1,
  ...details,
  ...own,
});
type Settings = ReturnType<typeof defaults>;

class Attention extends Module<TokenInputs> {
  override readonly kind = "attention";
  override readonly inputs = tokenInputs;
  readonly query: Dense;
  readonly key: Dense;
  readonly value: Dense;
  readonly dense: Dense;
  readonly dropout: Module;
  readonly LayerNorm: LayerNorm;
  readonly #options: Settings;
  constructor(options: Settings) {
    super();
    const projection = () => dense(options.width, { initializer: initial(options.deviation) });
    this.query = projection();
    this.key = projection();
    this.value = projection();
    this.dense = projection();
    this.dropout = dropout(options.dropout);
    this.LayerNorm = layerNorm({ epsilon: options.epsilon });
    this.#options = options;
  }
  protected call({ x, mask }: TokenInputs, context: Context): Value {
    const { heads, attentionDropout } = this.#options;
    const projections = { query: this.query, key: this.key, value: this.value };
    const found = attendHeads(x, context, { ...projections, heads, attention: { mask, dropout: attentionDropout } });
    const change = this.dropout.apply(this.dense.apply(found, context), context);
    return this.LayerNorm.apply(add(x, change), context);
  }
}

class Layer extends Module<TokenInputs> {
  override readonly inputs = tokenInputs;
  readonly full_layer_layer_norm: LayerNorm;
  readonly attention: Attention;
  readonly ffn: Dense;
  readonly activation: Module;
  readonly ffn_output: Dense;
  constructor(options: Settings) {
    super();
    const initializer = initial(options.deviation);
    this.attention = new Attention(options);
    this.ffn = dense(options.feedForward, { initializer });
    this.activation = activation(options.activation);
    this.ffn_output = dense(options.width, { initializer });
    this.full_layer_layer_norm = layerNorm({ epsilon: options.epsilon });
  }
  protected call(inputs: TokenInputs, context: Context): Value {
    const attended = this.attention.apply(inputs, context);
    const parts = [this.ffn, this.activation, this.ffn_output];
    const change = parts.reduce((value, part) => part.apply(value, context), attended);
    return this.full_layer_layer_norm.apply(add(change, attended), context);
  }
}

class Encoder extends Module<TokenInputs> {
  override readonly inputs = tokenInputs;
  readonly embedding_hidden_mapping_in: Dense;
  readonly albert_layer_groups: readonly { readonly albert_layers: readonly [Layer] }[];
  readonly #runs: number;
  constructor(options: Settings) {
    super();
    this.embedding_hidden_mapping_in = dense(options.width, { initializer: initial(options.deviation) });
    this.albert_layer_groups = Array.from({ length: options.groups }, () => ({ albert_layers: [new Layer(options)] }));
    this.#runs = options.layers;
  }
  protected call({ x, mask }: TokenInputs, context: Context): Value {
    const layers = this.albert_layer_groups.map(({ albert_layers: [layer] }) => layer);
    let states = this.embedding_hidden_mapping_in.apply(x, context);
    for (let i = 0; i < this.#runs; i++)
      states = (layers[Math.floor((i * layers.length) / this.#runs)] as Layer).apply({ x: states, mask }, context);
    return states;
  }
}

/**
 * ALBERT (Lan et al. 2020), BERT whose layers share their weights: token ids [N, T] → states [N, T, width], and the
 * pooled state of the sentence.
 */
export class AlbertModel extends Module<SegmentInputs, EncoderOutputs> {
  override readonly inputs = segmentInputs;
  readonly embeddings: BertEmbeddings;
  readonly encoder: Encoder;
  readonly pooler: Dense | undefined;
  constructor(options: AlbertOptions) {
    super();
    const settings = defaults(checkOptions(options));
    requireHeads("albert", settings);
    this.embeddings = new BertEmbeddings(settings);
    this.encoder = new Encoder(settings);
    this.pooler = settings.pooler
      ? dense(settings.width, { activation: "tanh", initializer: initial(settings.deviation) })
      : undefined;
  }
  protected call({ x, mask, types }: SegmentInputs, context: Context): EncoderOutputs {
    const states = this.encoder.apply({ x: this.embeddings.apply({ x, types }, context), mask }, context);
    const pooled = this.pooler?.apply(firstToken(states), context);
    return { states, ...(pooled && { pooled }) };
  }
}

/** ALBERT's models by the names of Hugging Face's classes. */
export const albertArchitectures = architectures({
  AlbertModel: (options) => new AlbertModel(options),
  AlbertForMaskedLM: (options, { tied } = {}) => {
    const albert = new AlbertModel({ ...options, pooler: false });
    const settings = defaults(options);
    const steps = {
      dense: dense(settings.embeddingWidth, { initializer: initial(settings.deviation) }),
      activation: activation(settings.activation),
      LayerNorm: layerNorm({ epsilon: settings.epsilon }),
    };
    return headed({ albert }, { predictions: new VocabularyHead(albert.embeddings.word_embeddings, steps, tied) });
  },
  AlbertForSequenceClassification: (options, head = {}) => {
    return headed({ albert: new AlbertModel(options) }, classifier(options.details, head), pooledOf);
  },
  AlbertForTokenClassification: (options, head = {}) =>
    headed({ albert: new AlbertModel({ ...options, pooler: false }) }, classifier(options.details, head)),
  AlbertForQuestionAnswering: (options) =>
    headed({ albert: new AlbertModel({ ...options, pooler: false }) }, questionAnswering(options.details)),
} as const satisfies Architectures<AlbertOptions>);

const size = { vocabulary: 30_000, width: 768, layers: 12, heads: 12, feedForward: 3072, positions: 512 };

export const albertPresets: readonly Preset[] = [
  tokenPreset(
    {
      name: "albert_base_v2",
      summary: "BERT's base model with one layer's weights for all twelve, and embeddings of 128 features",
      source: "Lan et al. 2020, ALBERT: A Lite BERT for Self-supervised Learning of Language Representations",
    },
    size,
    () => new AlbertModel({ sizes: size }),
  ),
];
