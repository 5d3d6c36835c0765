/** DeBERTa versions 2 and 3 (He et al. 2021): encoders whose attention weighs content and relative positions apart. */
import { count, flag, listOf, nameOrFunction, objectOf, oneOf } from "../../../core/option-types.ts";
import { optionsOf } from "../../../core/options.ts";
import { Tensor } from "../../../core/tensor.ts";
import type { Value } from "../../../graph/ir.ts";
import {
  type ActivationName,
  activation,
  activationFunctions,
  activationOf,
  attend,
  type Context,
  type Conv1d,
  conv1d,
  type Dense,
  dense,
  dropout,
  joinHeads,
  type LayerNorm,
  layerNorm,
  Module,
  splitHeads,
} from "../../../nn/index.ts";
import { unseen } from "../../../nn/layers/attention.ts";
import {
  add,
  and,
  cast,
  constant,
  expand,
  gatherElements,
  matmul,
  mul,
  reshape,
  scalar,
  transpose,
  where,
} from "../../../ops/index.ts";
import { type Chain, chain } from "../../shared/blocks.ts";
import {
  type Architectures,
  architectures,
  classifier,
  firstToken,
  headed,
  questionAnswering,
  VocabularyHead,
} from "../../shared/heads.ts";
import { initial, requireHeads, type SegmentInputs, segmentInputs } from "../../shared/tokens.ts";
import { Weight } from "../../shared/weight.ts";
import { BertEmbeddings, type BertOptions, BertOutput, type BertSettings, bertDefaults, bertTypes } from "./bert.ts";

/** How content and positions are weighed. */
export interface DebertaAttention {
  /** Which products there are besides those of content: content with positions, positions with content; default both. */
  readonly products?: readonly ("c2p" | "p2c")[];
  /** Kinds of distance to either side, in logarithmic steps from half of them on; default one for each position. */
  readonly buckets?: number | undefined;
  /** The farthest distance; default the number of positions. */
  readonly farthest?: number | undefined;
  /** Positions go through the projections of content; default false. */
  readonly shared?: boolean;
  /** The vectors of distances are normalized; default false. */
  readonly normalized?: boolean;
}

/** Options of `DebertaModel`. */
export interface DebertaOptions extends Pick<BertOptions, "sizes" | "details" | "types"> {
  /** Weighs content and positions apart; default as BERT's attention. */
  readonly attention?: DebertaAttention | undefined;
  /** Vectors of positions are added to those of words; default true. */
  readonly positioned?: boolean;
  /** Words of the first layer's output see neighbours by a convolution of so many words (version 2, XXL); default none. */
  readonly convolution?: { readonly kernel: number; readonly activation: ActivationName } | undefined;
  /** Of the sentence's pooled state; default gelu. */
  readonly poolerActivation?: ActivationName;
}

const checkOptions = optionsOf<DebertaOptions>("deberta", {
  sizes: bertTypes.sizes,
  details: bertTypes.details,
  types: bertTypes.types,
  attention: optionsOf<DebertaAttention>("attention", {
    products: listOf(oneOf("c2p", "p2c"), '"c2p" and "p2c"'),
    buckets: count(),
    farthest: count(),
    shared: flag,
    normalized: flag,
  }).type,
  positioned: flag,
  convolution: objectOf("{ kernel, activation }"),
  poolerActivation: nameOrFunction<ActivationName>(activationFunctions),
});

const defaults = ({
  attention,
  positioned = true,
  convolution,
  poolerActivation = "gelu",
  ...bert
}: DebertaOptions) => {
  const settings = bertDefaults({ types: 0, ...bert });
  const farthest = attention?.farthest ?? settings.positions;
  const relative = attention && { products: ["c2p", "p2c"], shared: false, normalized: false, ...attention, farthest };
  return { ...settings, relative, positioned, convolution, poolerActivation };
};
type Settings = ReturnType<typeof defaults>;
type Relative = NonNullable<Settings["relative"]>;

const spanOf = ({ buckets, farthest }: Relative): number => buckets ?? farthest;

/** The distance of a query from a key, in logarithmic steps from half the buckets on. In float32, as the library computes it. */
export function logBucket(distance: number, buckets: number | undefined, farthest: number): number {
  const middle = Math.floor((buckets ?? 0) / 2);
  const far = Math.abs(distance);
  if (buckets === undefined || far <= middle) return distance;
  const { fround, log, ceil } = Math;
  const share = fround(fround(log(fround(far / middle))) / fround(log(fround((farthest - 1) / middle))));
  return Math.sign(distance) * (ceil(fround(share * (middle - 1))) + middle);
}

/** For token i and another j the row of the table of distances: of i from j, or of j from i. [T, T] */
function rowsOf(time: number, relative: Relative, sign: 1 | -1): Tensor {
  const span = spanOf(relative);
  const row = (distance: number) =>
    Math.min(2 * span - 1, Math.max(0, logBucket(distance, relative.buckets, relative.farthest) + span));
  // Of all distances, the smallest first.
  const rows = BigInt64Array.from({ length: 2 * time - 1 }, (_, i) => BigInt(row(i + 1 - time)));
  const elements = new BigInt64Array(time * time);
  for (let i = 0; i < time; i++)
    for (let j = 0; j < time; j++) elements[i * time + j] = rows[sign * (i - j) + time - 1] as bigint;
  return new Tensor("int64", [time, time], elements);
}

type AttentionInputs = {
  readonly x: Value;
  readonly mask?: Value | undefined;
  /** Vectors of distances, [1, 2 · span, W]. */
  readonly distances?: Value | undefined;
};
const attentionInputs = { x: "required", mask: "optional", distances: "optional" } as const;

/** Disentangled attention (He et al. 2021, sec. 3.1), before the projection of what the heads found. */
class DisentangledAttention extends Module<AttentionInputs> {
  override readonly kind = "attention";
  override readonly inputs = attentionInputs;
  readonly query_proj: Dense;
  readonly key_proj: Dense;
  readonly value_proj: Dense;
  readonly pos_key_proj: Dense | undefined;
  readonly pos_query_proj: Dense | undefined;
  readonly pos_dropout: Module;
  readonly #settings: Settings;
  constructor(settings: Settings) {
    super();
    const { width, deviation, relative } = settings;
    const projection = () => dense(width, { initializer: initial(deviation) });
    const own = (product: "c2p" | "p2c") =>
      relative && !relative.shared && relative.products.includes(product) ? projection() : undefined;
    this.query_proj = projection();
    this.key_proj = projection();
    this.value_proj = projection();
    this.pos_key_proj = own("c2p");
    this.pos_query_proj = own("p2c");
    this.pos_dropout = dropout(settings.dropout);
    this.#settings = settings;
  }
  protected call({ x, mask, distances }: AttentionInputs, context: Context): Value {
    const { heads, width, relative, attentionDropout } = this.#settings;
    const through = (layer: Dense, value: Value) => splitHeads(layer.apply(value, context), heads);
    const [q, k, v] = [this.query_proj, this.key_proj, this.value_proj].map((layer) => through(layer, x)) as [
      Value,
      Value,
      Value,
    ];
    // Each kind of product adds as much.
    const scale = 1 / Math.sqrt((width / heads) * (1 + (relative?.products.length ?? 0)));
    const biases =
      relative && distances && relative.products.length > 0
        ? this.#biases(q, k, this.pos_dropout.apply(distances, context), relative, context)
        : undefined;
    const bias = visible(biases && mul(biases, scale), mask, [heads, x.shape[1] ?? 1]);
    return joinHeads(attend(q, k, v, { scale, bias, dropout: attentionDropout }, context));
  }

  /** Products of content and positions, and of positions and content: [N, H, T, T]. */
  #biases(q: Value, k: Value, distances: Value, relative: Relative, context: Context): Value {
    const { heads } = this.#settings;
    const [batch = 1, , time = 1] = q.shape;
    const shape = [batch, heads, time, time];
    const rows = (sign: 1 | -1) => expand(constant(rowsOf(time, relative, sign)), shape);
    const by = (layer: Dense) => splitHeads(layer.apply(distances, context), heads); // [1, H, 2 · span, D]
    const chosen = (content: Value, layer: Dense, sign: 1 | -1) =>
      gatherElements(matmul(content, transpose(by(layer), [0, 1, 3, 2])), rows(sign), 3);
    const products = relative.products.map((product) =>
      product === "c2p"
        ? chosen(q, this.pos_key_proj ?? this.key_proj, 1)
        : transpose(chosen(k, this.pos_query_proj ?? this.query_proj, -1), [0, 1, 3, 2]),
    );
    return products.reduce((sum, product) => add(sum, product));
  }
}

/** Biases where query and key take part, and `unseen` elsewhere; a query that does not takes the mean of all keys. */
function visible(
  biases: Value | undefined,
  mask: Value | undefined,
  [heads, time]: readonly [number, number],
): Value | undefined {
  if (!mask) return biases;
  const [batch = 1] = mask.shape;
  const real = cast(mask, "bool");
  const both = and(reshape(real, [batch, 1, time, 1]), reshape(real, [batch, 1, 1, time]));
  return where(expand(both, [batch, heads, time, time]), biases ?? scalar(0), scalar(unseen));
}

class Layer extends Module<AttentionInputs> {
  override readonly inputs = attentionInputs;
  readonly attention: { readonly self: DisentangledAttention; readonly output: BertOutput };
  readonly intermediate: Chain;
  readonly output: BertOutput;
  constructor(settings: Settings) {
    super();
    const { feedForward, activation: name, deviation } = settings;
    this.attention = { self: new DisentangledAttention(settings), output: new BertOutput(settings) };
    this.intermediate = chain({
      dense: dense(feedForward, { initializer: initial(deviation) }),
      activation: activation(name),
    });
    this.output = new BertOutput(settings);
  }
  protected call(inputs: AttentionInputs, context: Context): Value {
    const { self, output } = this.attention;
    const attended = output.apply({ x: self.apply(inputs, context), residual: inputs.x }, context);
    return this.output.apply({ x: this.intermediate.apply(attended, context), residual: attended }, context);
  }
}

type ConvolutionInputs = { readonly x: Value; readonly states: Value; readonly mask?: Value | undefined };

/** Adds to states what a convolution makes of the words' vectors. */
class Convolution extends Module<ConvolutionInputs> {
  override readonly inputs = { x: "required", states: "required", mask: "optional" } as const;
  readonly conv: Conv1d;
  readonly LayerNorm: LayerNorm;
  readonly dropout: Module;
  readonly #activation: ActivationName;
  constructor(
    { width, epsilon, dropout: rate }: BertSettings,
    { kernel, activation: name }: { readonly kernel: number; readonly activation: ActivationName },
  ) {
    super();
    this.conv = conv1d(width, kernel, { padding: (kernel - 1) / 2 });
    this.LayerNorm = layerNorm({ epsilon });
    this.dropout = dropout(rate);
    this.#activation = name;
  }
  protected call({ x, states, mask }: ConvolutionInputs, context: Context): Value {
    const real = (value: Value) => masked(value, mask);
    const mixed = transpose(this.conv.apply(transpose(x, [0, 2, 1]), context), [0, 2, 1]);
    const change = activationOf(this.#activation)(this.dropout.apply(real(mixed), context));
    return real(this.LayerNorm.apply(add(states, change), context));
  }
}

/** States [N, T, W] of tokens that take part, and zeros. */
const masked = (states: Value, mask: Value | undefined): Value =>
  mask ? mul(states, reshape(cast(mask, "float32"), [...mask.shape, 1])) : states;

/** Layers, and the vectors of distances that they share. */
class Encoder extends Module<Omit<AttentionInputs, "distances">> {
  override readonly inputs = { x: "required", mask: "optional" } as const;
  readonly layer: readonly Layer[];
  readonly rel_embeddings: Weight | undefined;
  readonly LayerNorm: LayerNorm | undefined;
  readonly conv: Convolution | undefined;
  constructor(settings: Settings) {
    super();
    const { layers, width, relative, convolution, deviation, epsilon } = settings;
    this.layer = Array.from({ length: layers }, () => new Layer(settings));
    this.rel_embeddings = relative && new Weight("embedding", [2 * spanOf(relative), width], initial(deviation));
    this.LayerNorm = relative?.normalized ? layerNorm({ epsilon }) : undefined;
    this.conv = convolution && new Convolution(settings, convolution);
  }
  protected call({ x, mask }: Omit<AttentionInputs, "distances">, context: Context): Value {
    const table = this.rel_embeddings?.apply(x, context);
    const normal = table && this.LayerNorm ? this.LayerNorm.apply(table, context) : table;
    const distances = normal && reshape(normal, [1, ...normal.shape]);
    return this.layer.reduce((states, layer, i) => {
      const next = layer.apply({ x: states, mask, distances }, context);
      return i === 0 && this.conv ? this.conv.apply({ x, states: next, mask }, context) : next;
    }, x);
  }
}

/**
 * DeBERTa versions 2 and 3 (He et al. 2021), bidirectional encoders: token ids [N, T] → states [N, T, width]. Names as in Hugging Face's
 * library.
 */
export class DebertaModel extends Module<SegmentInputs> {
  override readonly inputs = segmentInputs;
  readonly embeddings: BertEmbeddings;
  readonly encoder: Encoder;
  constructor(options: DebertaOptions) {
    super();
    const settings = defaults(checkOptions(options));
    requireHeads("deberta", settings);
    this.embeddings = new BertEmbeddings(settings, settings.positioned);
    this.encoder = new Encoder(settings);
  }
  protected call({ x, mask, types }: SegmentInputs, context: Context): Value {
    const vectors = masked(this.embeddings.apply({ x, types }, context), mask);
    return this.encoder.apply({ x: vectors, mask }, context);
  }
}

/** DeBERTa's models by the names of Hugging Face's classes. */
export const debertaArchitectures = architectures({
  DebertaV2Model: (options) => new DebertaModel(options),
  DebertaV2ForMaskedLM: (options, { tied } = {}) => {
    const deberta = new DebertaModel(options);
    const { width, activation: name, epsilon, deviation } = defaults(options);
    const transform = chain({
      dense: dense(width, { initializer: initial(deviation) }),
      activation: activation(name),
      LayerNorm: layerNorm({ epsilon }),
    });
    const predictions = new VocabularyHead(deberta.embeddings.word_embeddings, { transform }, tied);
    return headed({ deberta }, { cls: chain({ predictions }) });
  },
  DebertaV2ForSequenceClassification: (options, head = {}) => {
    const { width, deviation, poolerActivation } = defaults(options);
    const pooler = chain({
      dense: dense(width, { activation: poolerActivation, initializer: initial(deviation) }),
    });
    return headed({ deberta: new DebertaModel(options) }, { pooler, ...classifier(options.details, head) }, firstToken);
  },
  DebertaV2ForTokenClassification: (options, head = {}) =>
    headed({ deberta: new DebertaModel(options) }, classifier(options.details, head)),
  DebertaV2ForQuestionAnswering: (options) =>
    headed({ deberta: new DebertaModel(options) }, questionAnswering(options.details)),
} as const satisfies Architectures<DebertaOptions>);
