/** OPT (Zhang et al. 2022): decoders of GPT-3's sizes, whose positions count the tokens that take part. */
import { count, flag } from "../../../core/option-types.ts";
import { optionsOf } from "../../../core/options.ts";
import type { Value } from "../../../graph/ir.ts";
import { activation, type Context, dense, dropout, type Embedding, embedding, layerNorm } from "../../../nn/index.ts";
import { add, cast, cumulativeSum, mul } from "../../../ops/index.ts";
import { initial, requireHeads } from "../../shared/tokens.ts";
import { TransformerBlock } from "../../shared/transformer-block.ts";
import { CausalAttention } from "./attention.ts";
import { Decoder, type DecoderOptions, decoderDefaults, decoderTypes } from "./decoder.ts";
import { decoderArchitectures } from "./heads.ts";

/** Options of OPT's models. */
export interface OptOptions extends Omit<DecoderOptions, "embeddingDropout"> {
  /** Features of the tokens' vectors, which are projected to the width and back; default the width. */
  readonly embeddingWidth?: number;
  /** Branches are normalized before them, and the last states too, rather than sums behind; default true. */
  readonly normsBefore?: boolean;
  /** The last states are normalized, where norms stand before; default true. */
  readonly finalNorm?: boolean;
  /** Layers have biases; default true. */
  readonly bias?: boolean;
}

const { embeddingDropout: _, ...types } = decoderTypes;
const checkOptions = optionsOf<OptOptions>("opt", {
  ...types,
  embeddingWidth: count(),
  normsBefore: flag,
  finalNorm: flag,
  bias: flag,
});

const defaults = ({ details, ...options }: OptOptions) => ({
  embeddingWidth: options.sizes.width,
  normsBefore: true,
  finalNorm: true,
  bias: true,
  ...decoderDefaults({ ...options, details: { activation: "relu" as const, dropout: 0.1, ...details } }),
});

function blockOf(options: ReturnType<typeof defaults>): TransformerBlock {
  const { width, heads, feedForward, normsBefore, bias, deviation, dropout: rate } = options;
  const layer = (units: number) => dense(units, { bias, initializer: initial(deviation) });
  const self_attn = new CausalAttention(
    { q_proj: layer(width), k_proj: layer(width), v_proj: layer(width) },
    { out_proj: layer(width), dropout: dropout(rate) },
    { heads, attend: { dropout: options.attentionDropout } },
  );
  const [fc1, activation_fn, fc2, dropped] = [
    layer(feedForward),
    activation(options.activation),
    layer(width),
    dropout(rate),
  ];
  const [self_attn_layer_norm, final_layer_norm] = [layerNorm(), layerNorm()];
  const place = normsBefore ? "before" : "behind";
  return new TransformerBlock(
    { self_attn, self_attn_layer_norm, fc1, activation_fn, fc2, dropout: dropped, final_layer_norm },
    {
      attention: { part: self_attn, [place]: self_attn_layer_norm },
      network: { part: [fc1, activation_fn, fc2, dropped], [place]: final_layer_norm },
    },
  );
}

/** The first rows of the table of positions are none's, as released. */
const offset = 2;

/** Positions of tokens from 2 on, of those that take part: [T], or [N, T] with a mask. */
function placesOf(context: Context, time: number, mask: Value | undefined): Value {
  if (!mask || context.decoding) return add(context.positions(time), offset);
  const real = cast(mask, "int64");
  return add(mul(add(cumulativeSum(real, 1), context.firstPosition), real), offset - 1);
}

/** OPT (Zhang et al. 2022): token ids [N, T] → states [N, T, embeddingWidth], each of a token and those before it. */
export class OptModel extends Decoder {
  constructor(options: OptOptions) {
    const settings = defaults(checkOptions(options));
    requireHeads("opt", settings);
    const { vocabulary, width, embeddingWidth, positions, normsBefore, finalNorm } = settings;
    const initializer = initial(settings.deviation);
    const embed_tokens = embedding(vocabulary, embeddingWidth, { initializer });
    const embed_positions: Embedding = embedding(positions + offset, width, { initializer });
    const layers = Array.from({ length: settings.layers }, () => blockOf(settings));
    const final_layer_norm = normsBefore && finalNorm ? layerNorm() : undefined;
    const projection = (units: number) =>
      embeddingWidth === width ? undefined : dense(units, { bias: false, initializer });
    const [project_in, project_out] = [projection(width), projection(embeddingWidth)];
    super(
      { decoder: { embed_tokens, embed_positions, project_in, project_out, layers, final_layer_norm } },
      {
        tokens: embed_tokens,
        embed: (vectors, context, mask) => {
          const places = placesOf(context, vectors.shape[1] ?? 1, mask);
          const widened = project_in ? project_in.apply(vectors, context) : vectors;
          return add(widened, embed_positions.apply(places, context));
        },
        blocks: layers,
        finish: [final_layer_norm, project_out].filter((layer) => layer !== undefined),
        longest: positions,
      },
    );
  }
}

/** OPT's models by the names of Hugging Face's classes. */
export const optArchitectures = decoderArchitectures("OPT", {
  build: (options: OptOptions) => new OptModel(options),
  path: "model",
  tied: true,
  deviation: ({ details }) => details?.deviation,
});
