/** Whisper (Radford et al. 2022): an encoder of sound with a decoder of text, with Hugging Face's names. */
import { count, objectOf } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import type { Value } from "../../graph/ir.ts";
import {
  type ActivationName,
  type Context,
  type Conv1d,
  conv1d,
  type Dense,
  dense,
  type Embedding,
  embedding,
  type Initializer,
  Module,
  tiedDense,
} from "../../nn/index.ts";
import { add, gelu, range, reduceMean, transpose } from "../../ops/index.ts";
import { type Architectures, architectures } from "../shared/heads.ts";
import {
  detailsType,
  initial,
  requireHeads,
  requireTokens,
  sizesType,
  type TransformerDetails,
  type TransformerSizes,
} from "../shared/tokens.ts";
import { Stack, type StackForm } from "../text/translators/stacks.ts";

/** Options of Whisper's models. */
export interface WhisperOptions {
  /** Extents of the encoder; `positions` are frames of sound, after the halving. */
  readonly sizes: TransformerSizes;
  /** Where it is not as published; without `epsilon`. */
  readonly details?: Omit<TransformerDetails, "epsilon"> | undefined;
  /** The decoder's extents where they differ; `positions` tokens, default 448. */
  readonly decoder?: Partial<Pick<TransformerSizes, "layers" | "heads" | "feedForward" | "positions">>;
  /** Features of a classifier's projection; default 256. */
  readonly projection?: number;
}

const checkOptions = optionsOf<WhisperOptions>("whisper", {
  sizes: required(sizesType),
  details: detailsType,
  decoder: objectOf("{ layers, heads, feedForward, positions }"),
  projection: count(),
});

const defaults = ({ sizes, details, decoder, ...own }: WhisperOptions) => {
  const { layers, heads, feedForward } = sizes;
  const settings = {
    activation: "gelu" as ActivationName,
    dropout: 0,
    attentionDropout: 0,
    deviation: 0.02,
    projection: 256,
    ...sizes,
    ...details,
    ...own,
    decoder: { layers, heads, feedForward, positions: 448, ...decoder },
  };
  requireHeads("whisper", settings);
  requireHeads("whisper", { width: settings.width, heads: settings.decoder.heads });
  return settings;
};
type Settings = ReturnType<typeof defaults>;

/** sin(t · 10000^(-i/(width/2 - 1))) for every i, and then the cosines: the positions of sound, which are not trained. */
const sinusoids: Initializer = ([length = 1, width = 2]) => {
  const half = width / 2;
  return Float32Array.from({ length: length * width }, (_, at) => {
    const [t, i] = [Math.floor(at / width), at % width];
    const angle = t * 10_000 ** (-(i % half) / (half - 1));
    return i < half ? Math.sin(angle) : Math.cos(angle);
  });
};

const formOf = ({ decoder: _, ...settings }: Settings): StackForm => ({
  ...settings,
  normsBefore: true,
  keyBias: false,
});

/** Spectrograms [N, mels, frames] → states [N, frames / 2, width]. */
function soundStack(settings: Settings): Stack {
  const { width, positions } = settings;
  const conv1: Conv1d = conv1d(width, 3, { padding: 1 });
  const conv2: Conv1d = conv1d(width, 3, { padding: 1, stride: 2 });
  const embed_positions = embedding(positions, width, { initializer: sinusoids });
  embed_positions.freeze();
  return new Stack(formOf(settings), {
    parts: { conv1, conv2, embed_positions },
    finalNorm: true,
    embed: (x, context) => {
      const frames = gelu(conv2.apply(gelu(conv1.apply(x, context)), context));
      return add(transpose(frames, [0, 2, 1]), embed_positions.apply(range(frames.shape[2] ?? 1), context));
    },
  });
}

/** Makes vectors of text with positions out of the tokens' own; the tokens' table stands in the decoder. */
class TextDecoder extends Stack {
  readonly embed_tokens: Embedding;
  readonly #longest: number;
  constructor(settings: Settings) {
    const { vocabulary, width, deviation, decoder } = settings;
    const initializer = initial(deviation);
    const embed_positions = embedding(decoder.positions, width, { initializer });
    super(
      { ...formOf(settings), ...decoder, decoder: true },
      {
        parts: { embed_positions },
        finalNorm: true,
        embed: (x, context) => add(x, embed_positions.apply(context.positions(x.shape[1] ?? 1), context)),
      },
    );
    this.embed_tokens = embedding(vocabulary, width, { initializer });
    this.#longest = decoder.positions;
  }
  /** Ids [N, U] → their vectors [N, U, W]. */
  vectors(ids: Value, context: Context): Value {
    requireTokens(ids, this.#longest);
    return this.embed_tokens.apply(ids, context);
  }
}

/** What Whisper takes. */
export type WhisperInputs = {
  /** Spectrograms, [N, mels, frames]. */
  readonly x: Value;
  /** Ids that the decoder continues, integers [N, U]. */
  readonly decoder: Value;
};
const whisperInputs = { x: "required", decoder: "required" } as const;

/** Whisper (Radford et al. 2022): spectrograms [N, mels, frames] and ids of the decoder [N, U] → its states [N, U, width]. */
export class WhisperModel extends Module<WhisperInputs> {
  override readonly inputs = whisperInputs;
  readonly encoder: Stack;
  readonly decoder: TextDecoder;
  constructor(options: WhisperOptions) {
    super();
    const settings = defaults(checkOptions(options));
    this.encoder = soundStack(settings);
    this.decoder = new TextDecoder(settings);
  }
  protected call({ x, decoder: ids }: WhisperInputs, context: Context): Value {
    const memory = this.encoder.apply({ x }, context);
    return this.decoder.apply({ x: this.decoder.vectors(ids, context), memory }, context);
  }
}

/** As WhisperModel, with scores of the next token: [N, U, vocabulary]. */
export class WhisperForConditionalGeneration extends Module<WhisperInputs> {
  override readonly inputs = whisperInputs;
  readonly model: WhisperModel;
  readonly proj_out: Module;
  constructor(options: WhisperOptions, tied = true) {
    super();
    const { vocabulary, deviation } = defaults(options);
    this.model = new WhisperModel(options);
    this.proj_out = tied
      ? tiedDense(this.model.decoder.embed_tokens)
      : dense(vocabulary, { bias: false, initializer: initial(deviation) });
  }
  protected call(inputs: WhisperInputs, context: Context): Value {
    return this.proj_out.apply(this.model.apply(inputs, context), context);
  }
}

/** Scores of sound, [N, labels], by the mean of projected states. */
class SoundClassifier extends Module {
  readonly encoder: Stack;
  readonly projector: Dense;
  readonly classifier: Dense;
  constructor(options: WhisperOptions, labels: number) {
    super();
    const settings = defaults(checkOptions(options));
    const initializer = initial(settings.deviation);
    this.encoder = soundStack(settings);
    this.projector = dense(settings.projection, { initializer });
    this.classifier = dense(labels, { initializer });
  }
  protected call(x: Value, context: Context): Value {
    const states = this.projector.apply(this.encoder.apply({ x }, context), context);
    return this.classifier.apply(reduceMean(states, 1), context);
  }
}

/** Whisper's models by the names of Hugging Face's classes. */
export const whisperArchitectures = architectures({
  WhisperModel: (options) => new WhisperModel(options),
  WhisperForConditionalGeneration: (options, { tied } = {}) => new WhisperForConditionalGeneration(options, tied),
  WhisperForAudioClassification: (options, { labels = 2 } = {}) => new SoundClassifier(options, labels),
} as const satisfies Architectures<WhisperOptions>);
