/** MPNet (Song et al. 2020): an encoder with biases by the distance of tokens, which most models of sentences start from. */
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
import { type Chain, chain } from "../../shared/blocks.ts";
import {
  type Architectures,
  architectures,
  classifier,
  type EncoderOutputs,
  firstToken,
  HiddenClassifier,
  headed,
  questionAnswering,
  VocabularyHead,
} from "../../shared/heads.ts";
import { RelativeBias } from "../../shared/relative-bias.ts";
import { initial, requireHeads, type TokenInputs, tokenInputs } from "../../shared/tokens.ts";
import {
  BertEmbeddings,
  type BertOptions,
  BertOutput,
  BertPooler,
  type BertSettings,
  bertDefaults,
  bertTypes,
} from "./bert.ts";

/** Options of `MpnetModel`; the padding token is 1. */
export interface MpnetOptions extends Pick<BertOptions, "sizes" | "details" | "pooler"> {
  /** How many kinds of distance are distinguished; default 32. */
  readonly buckets?: number;
}

const { sizes, details, pooler } = bertTypes;
const checkOptions = optionsOf<MpnetOptions>("mpnet", { sizes, details, pooler, buckets: count(4) });

const defaults = (options: MpnetOptions) => ({
  buckets: 32,
  ...bertDefaults({ ...options, types: 0, padding: 1 }),
});

type AttentionInputs = TokenInputs & { readonly bias: Value };
const attentionInputs = { ...tokenInputs, bias: "required" } as const;

class Attention extends Module<AttentionInputs> {
  override readonly kind = "attention";
  override readonly inputs = attentionInputs;
  readonly attn: { readonly q: Dense; readonly k: Dense; readonly v: Dense; readonly o: Dense };
  readonly LayerNorm: LayerNorm;
  readonly dropout: Module;
  readonly #options: BertSettings;
  constructor(options: BertSettings) {
    super();
    const projection = () => dense(options.width, { initializer: initial(options.deviation) });
    this.attn = { q: projection(), k: projection(), v: projection(), o: projection() };
    this.LayerNorm = layerNorm({ epsilon: options.epsilon });
    this.dropout = dropout(options.dropout);
    this.#options = options;
  }
  protected call({ x, mask, bias }: AttentionInputs, context: Context): Value {
    const { q: query, k: key, v: value, o } = this.attn;
    const { heads, attentionDropout } = this.#options;
    const found = attendHeads(x, context, {
      query,
      key,
      value,
      heads,
      attention: { mask, bias, dropout: attentionDropout },
    });
    return this.LayerNorm.apply(add(this.dropout.apply(o.apply(found, context), context), x), context);
  }
}

class Layer extends Module<AttentionInputs> {
  override readonly inputs = attentionInputs;
  readonly attention: Attention;
  readonly intermediate: Chain;
  readonly output: BertOutput;
  constructor(options: BertSettings) {
    super();
    const initializer = initial(options.deviation);
    this.attention = new Attention(options);
    this.intermediate = chain({
      dense: dense(options.feedForward, { initializer }),
      activation: activation(options.activation),
    });
    this.output = new BertOutput(options);
  }
  protected call(inputs: AttentionInputs, context: Context): Value {
    const attended = this.attention.apply(inputs, context);
    return this.output.apply({ x: this.intermediate.apply(attended, context), residual: attended }, context);
  }
}

/**
 * MPNet (Song et al. 2020), a bidirectional encoder: token ids [N, T] → states [N, T, width], and the pooled state of the sentence. Names
 * as in Hugging Face's library.
 */
export class MpnetModel extends Module<TokenInputs, EncoderOutputs> {
  override readonly inputs = tokenInputs;
  readonly embeddings: BertEmbeddings;
  readonly encoder: { readonly layer: readonly Layer[]; readonly relative_attention_bias: RelativeBias };
  readonly pooler: BertPooler | undefined;
  constructor(options: MpnetOptions) {
    super();
    const settings = defaults(checkOptions(options));
    requireHeads("mpnet", settings);
    const { heads, buckets, layers, deviation } = settings;
    this.embeddings = new BertEmbeddings(settings);
    this.encoder = {
      layer: Array.from({ length: layers }, () => new Layer(settings)),
      relative_attention_bias: new RelativeBias(heads, { buckets, farthest: 128, both: true }, initial(deviation)),
    };
    this.pooler = settings.pooler ? new BertPooler(settings) : undefined;
  }
  protected call({ x, mask }: TokenInputs, context: Context): EncoderOutputs {
    const { layer: layers, relative_attention_bias: biases } = this.encoder;
    const vectors = this.embeddings.apply({ x }, context);
    const bias = biases.apply(vectors, context);
    const states = layers.reduce((value, layer) => layer.apply({ x: value, mask, bias }, context), vectors);
    const pooled = this.pooler?.apply(states, context);
    return { states, ...(pooled && { pooled }) };
  }
}

const plain = (options: MpnetOptions) => new MpnetModel({ ...options, pooler: false });

/** MPNet's models by the names of Hugging Face's classes. */
export const mpnetArchitectures = architectures({
  MPNetModel: (options) => new MpnetModel(options),
  MPNetForMaskedLM: (options, { tied } = {}) => {
    const mpnet = plain(options);
    const { width, deviation, epsilon } = defaults(options);
    const steps = {
      dense: dense(width, { initializer: initial(deviation) }),
      activation: activation("gelu"),
      layer_norm: layerNorm({ epsilon }),
    };
    return headed({ mpnet }, { lm_head: new VocabularyHead(mpnet.embeddings.word_embeddings, steps, tied) });
  },
  MPNetForSequenceClassification: (options, head = {}) =>
    headed(
      { mpnet: plain(options) },
      { classifier: new HiddenClassifier(options.sizes.width, options.details, head) },
      firstToken,
    ),
  MPNetForTokenClassification: (options, head = {}) =>
    headed({ mpnet: plain(options) }, classifier(options.details, head)),
  MPNetForQuestionAnswering: (options) => headed({ mpnet: plain(options) }, questionAnswering(options.details)),
} as const satisfies Architectures<MpnetOptions>);
