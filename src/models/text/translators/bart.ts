/** BART (Lewis et al. 2020), mBART (Liu et al. 2020) and Marian (Junczys-Dowmunt et al. 2018): encoders with a decoder. */
import { count, flag, objectOf, oneOf } from "../../../core/option-types.ts";
import { type OptionTypes, optionsOf, required } from "../../../core/options.ts";
import { tensor } from "../../../core/tensor.ts";
import type { Value } from "../../../graph/ir.ts";
import {
  type ActivationName,
  type Context,
  dense,
  type Embedding,
  embedding,
  Module,
  tiedDense,
  zerosInit,
} from "../../../nn/index.ts";
import { add, cast, concat, constant, cos, gather, mul, reshape, sin } from "../../../ops/index.ts";
import {
  type Architectures,
  architectures,
  type HeadOptions,
  HiddenClassifier,
  questionAnswering,
} from "../../shared/heads.ts";
import {
  type DecoderInputs,
  decoderInputs,
  detailsType,
  initial,
  requireHeads,
  requireTokens,
  sizesType,
  type TransformerDetails,
  type TransformerSizes,
} from "../../shared/tokens.ts";
import { EncoderDecoder, type Memory } from "./encoder-decoder.ts";
import { Stack, type StackForm } from "./stacks.ts";
import { lastOfToken, lastToken, TextReader } from "./text-reader.ts";

/** Options of BART's models. */
export interface BartOptions {
  /** Its extents, those of the encoder. */
  readonly sizes: TransformerSizes;
  /** Where it is not as published; without `epsilon`. */
  readonly details?: Omit<TransformerDetails, "epsilon"> | undefined;
  /** The decoder's extents where they differ from the encoder's. */
  readonly decoder?: Partial<Pick<TransformerSizes, "layers" | "heads" | "feedForward">>;
  /** The family: what is normalized, and whether positions are learned (Marian's are sinusoids); default BART's. */
  readonly variant?: "bart" | "mbart" | "marian";
  /** Vectors of tokens are times the root of the width; default false. */
  readonly scaled?: boolean;
  /** Tokens that stand for the beginning of a decoder's sequence, and for the end of one; default 2 and 2. */
  readonly marks?: { readonly start: number; readonly end: number };
}

const bartTypes: OptionTypes<BartOptions> = {
  sizes: required(sizesType),
  details: detailsType,
  decoder: objectOf("{ layers, heads, feedForward }"),
  variant: oneOf("bart", "mbart", "marian"),
  scaled: flag,
  marks: optionsOf<NonNullable<BartOptions["marks"]>>("marks", { start: required(count(0)), end: required(count(0)) })
    .type,
};
const checkOptions = optionsOf("bart", bartTypes);

const defaults = ({ sizes, details, decoder, ...own }: BartOptions) => {
  const settings = {
    activation: "gelu" as ActivationName,
    dropout: 0.1,
    attentionDropout: 0,
    deviation: 0.02,
    variant: "bart" as const,
    scaled: false,
    marks: { start: 2, end: 2 },
    ...sizes,
    ...details,
    ...own,
    decoder: { layers: sizes.layers, heads: sizes.heads, feedForward: sizes.feedForward, ...decoder },
  };
  for (const heads of [settings.heads, settings.decoder.heads]) requireHeads("bart", { width: settings.width, heads });
  return settings;
};
type Settings = ReturnType<typeof defaults>;

/** The first rows of a table of positions are none's, as released. */
const offset = 2;

/** sin(t · 10000^(-2i/width)) for every i, and then the cosines: [T, width]. */
function sinusoids(positions: Value, width: number): Value {
  const rates = Array.from({ length: width / 2 }, (_, i) => 10_000 ** ((-2 * i) / width));
  const angles = mul(reshape(cast(positions, "float32"), [positions.shape[0] ?? 1, 1]), constant(tensor(rates)));
  return concat([sin(angles), cos(angles)], 1);
}

function stackOf(settings: Settings, decoder: boolean): Stack {
  const { width, positions, deviation, variant } = settings;
  const form: StackForm = {
    ...settings,
    ...(decoder && settings.decoder),
    decoder,
    normsBefore: variant === "mbart",
  };
  const norms = { normalized: variant !== "marian", finalNorm: variant === "mbart" };
  const placesOf = (x: Value, context: Context) => context.positions(x.shape[1] ?? 1);
  if (variant === "marian")
    return new Stack(form, { ...norms, embed: (x, context) => add(x, sinusoids(placesOf(x, context), width)) });
  const embed_positions: Embedding = embedding(positions + offset, width, { initializer: initial(deviation) });
  return new Stack(form, {
    ...norms,
    parts: { embed_positions },
    embed: (x, context) => add(x, embed_positions.apply(add(placesOf(x, context), offset), context)),
  });
}

/**
 * BART (Lewis et al. 2020), an encoder and a decoder: token ids [N, T] and those of the decoder [N, U] → the decoder's states [N, U,
 * width].
 */
export class BartModel extends Module<DecoderInputs> {
  override readonly inputs = decoderInputs;
  readonly shared: Embedding;
  readonly encoder: Stack;
  readonly decoder: Stack;
  readonly #settings: Settings;
  constructor(options: BartOptions) {
    super();
    const settings = defaults(checkOptions(options));
    this.shared = embedding(settings.vocabulary, settings.width, { initializer: initial(settings.deviation) });
    this.encoder = stackOf(settings, false);
    this.decoder = stackOf(settings, true);
    this.#settings = settings;
  }
  /** Token ids [N, T] → states [N, T, width]. */
  encode(ids: Value, context: Context, mask?: Value): Value {
    return this.encoder.apply({ x: this.#vectors(ids, context), mask }, context);
  }
  /** Ids of the decoder [N, U] → its states [N, U, width]. */
  decode(ids: Value, context: Context, { states, mask }: Memory): Value {
    return this.decoder.apply({ x: this.#vectors(ids, context), memory: states, memoryMask: mask }, context);
  }
  protected call({ x, decoder, mask }: DecoderInputs, context: Context): Value {
    return this.decode(decoder, context, { states: this.encode(x, context, mask), mask });
  }
  #vectors(ids: Value, context: Context): Value {
    const { positions, scaled, width } = this.#settings;
    requireTokens(ids, positions);
    const vectors = this.shared.apply(ids, context);
    return scaled ? mul(vectors, Math.sqrt(width)) : vectors;
  }
}

/** As BartModel, with scores of the next token: [N, U, vocabulary]. */
export class BartForConditionalGeneration extends EncoderDecoder {
  readonly model: BartModel;
  readonly lm_head: Module;
  override readonly attentionPath: string;
  constructor(options: BartOptions, tied = true) {
    super();
    const { deviation, vocabulary, decoder } = defaults(options);
    this.model = new BartModel(options);
    this.lm_head = tied
      ? tiedDense(this.model.shared)
      : dense(vocabulary, { bias: false, initializer: initial(deviation) });
    this.attentionPath = `model.decoder.layers.${decoder.layers - 1}.encoder_attn`;
  }
  override encode(ids: Value, context: Context, mask?: Value): Value {
    return this.model.encode(ids, context, mask);
  }
  override decode(ids: Value, context: Context, memory: Memory): Value {
    const states = this.model.decode(ids, context, memory);
    return memory.at ? gather(states, memory.at, 1) : states;
  }
  override score(states: Value, context: Context): Value {
    const scores = this.lm_head.apply(states, context);
    const shape = [1, scores.shape.at(-1) ?? 1];
    return add(scores, context.buffer(this, "final_logits_bias", { shape, initializer: zerosInit }));
  }
}

/** The model as a reader of texts: mBART's begin with the language, which is their last token. */
function readerOf(options: BartOptions, { padding }: HeadOptions) {
  const { variant, marks } = defaults(options);
  const first = variant === "mbart" ? lastToken(padding) : marks.start;
  return { model: new BartModel(options), first };
}

/** Scores of a text by the state of the last token that ends it. */
function classifier(options: BartOptions, head: HeadOptions): TextReader {
  const { model, first } = readerOf(options, head);
  const { end } = defaults(options).marks;
  const classification_head = new HiddenClassifier(options.sizes.width, options.details, { dropout: 0, ...head });
  return new TextReader(
    { model, classification_head },
    { model, first, select: lastOfToken(end), head: [classification_head] },
  );
}

function answerer(options: BartOptions, head: HeadOptions): TextReader {
  const { model, first } = readerOf(options, head);
  const { qa_outputs } = questionAnswering(options.details);
  return new TextReader({ model, qa_outputs }, { model, first, head: [qa_outputs] });
}

/** The models of a family by the names of Hugging Face's classes. */
const classesOf = <const Prefix extends string>(prefix: Prefix, variant: "bart" | "mbart") => {
  const own = (options: BartOptions): BartOptions => ({ variant, ...options });
  return architectures({
    [`${prefix}Model`]: (options: BartOptions) => new BartModel(own(options)),
    [`${prefix}ForConditionalGeneration`]: (options: BartOptions, { tied }: HeadOptions = {}) =>
      new BartForConditionalGeneration(own(options), tied),
    [`${prefix}ForSequenceClassification`]: (options: BartOptions, head: HeadOptions = {}) =>
      classifier(own(options), head),
    [`${prefix}ForQuestionAnswering`]: (options: BartOptions, head: HeadOptions = {}) => answerer(own(options), head),
  } as Architectures<BartOptions>);
};

/** BART's models by the names of Hugging Face's classes. */
export const bartArchitectures = classesOf("Bart", "bart");
/** mBART's models by the names of Hugging Face's classes. */
export const mbartArchitectures = classesOf("MBart", "mbart");
/** Marian's models by the names of Hugging Face's classes. */
export const marianArchitectures = architectures({
  MarianModel: (options) => new BartModel({ variant: "marian", ...options }),
  MarianMTModel: (options, { tied } = {}) => new BartForConditionalGeneration({ variant: "marian", ...options }, tied),
} as const satisfies Architectures<BartOptions>);
