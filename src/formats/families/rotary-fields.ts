/** Rotary positions in a config.json: written as rope_theta and rope_scaling, or since version 5 as rope_parameters. */
import * as z from "zod";
import type { RotaryOptions, RotaryScaling } from "../../nn/index.ts";
import { count, positive, share } from "../config-fields.ts";

/** Kinds of scaling by the fields that they need. */
const needed = {
  default: [],
  // Beyond the longest sequence that these models take, frequencies would change; up to there they do not.
  dynamic: [],
  linear: ["factor"],
  llama3: ["factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"],
  yarn: ["factor"],
  longrope: ["short_factor", "long_factor"],
  /** The older name of longrope. */
  su: ["short_factor", "long_factor"],
} as const;
type Kind = keyof typeof needed;

const kind = z
  .enum(Object.keys(needed) as [Kind, ...Kind[]], {
    error: `one of ${Object.keys(needed).join(", ")}: no other scaling of positions is supported`,
  })
  .nullish();
const factors = z.array(positive(), { error: "a list of numbers above 0" }).nullish();

const parameters = z
  .object({
    rope_theta: positive().nullish(),
    partial_rotary_factor: share().nullish(),
    rope_type: kind,
    /** The older name of rope_type. */
    type: kind,
    factor: positive().nullish(),
    low_freq_factor: positive().nullish(),
    high_freq_factor: positive().nullish(),
    original_max_position_embeddings: count().nullish(),
    beta_fast: positive().nullish(),
    beta_slow: positive().nullish(),
    attention_factor: positive().nullish(),
    mscale: positive().nullish(),
    mscale_all_dim: positive().nullish(),
    short_factor: factors,
    long_factor: factors,
  })
  .superRefine((values, context) => {
    for (const field of needed[values.rope_type ?? values.type ?? "default"])
      if (values[field] == null)
        context.addIssue({ code: "custom", path: [field], message: "a number, which this scaling needs" });
  })
  .nullish();

export const rotaryFields = {
  rope_theta: positive().nullish(),
  rope_scaling: parameters,
  rope_parameters: parameters,
  original_max_position_embeddings: count().nullish(),
  /** The share of a head's features that is turned. */
  partial_rotary_factor: share().nullish(),
};

interface RotaryFields {
  readonly rope_theta?: number | null | undefined;
  readonly rope_scaling?: z.output<typeof parameters>;
  readonly rope_parameters?: z.output<typeof parameters>;
  readonly original_max_position_embeddings?: number | null | undefined;
  readonly partial_rotary_factor?: number | null | undefined;
  readonly max_position_embeddings: number;
}

/** How positions turn heads of `width` features. */
export function rotaryOf(fields: RotaryFields, width: number): RotaryOptions {
  const { rope_theta, rope_scaling, rope_parameters } = fields;
  const given = rope_parameters ?? rope_scaling ?? {};
  const turned = fields.partial_rotary_factor ?? rope_parameters?.partial_rotary_factor ?? 1;
  return {
    base: rope_parameters?.rope_theta ?? rope_theta ?? 10_000,
    scaling: scalingOf(given, fields),
    ...(turned < 1 && { width: Math.floor(width * turned) }),
  };
}

function scalingOf(given: NonNullable<z.output<typeof parameters>>, fields: RotaryFields): RotaryScaling | undefined {
  const type = given.rope_type ?? given.type ?? "default";
  const factor = given.factor ?? 1;
  const longest = fields.max_position_embeddings;
  const trained = given.original_max_position_embeddings ?? fields.original_max_position_embeddings ?? undefined;
  switch (type) {
    case "default":
    case "dynamic":
      return undefined;
    case "linear":
      return { type, factor };
    case "llama3":
      return {
        type,
        factor,
        low: given.low_freq_factor ?? 1,
        high: given.high_freq_factor ?? 4,
        trained: trained ?? 8192,
      };
    case "yarn":
      return {
        type,
        factor,
        trained: trained ?? longest,
        fast: given.beta_fast ?? 32,
        slow: given.beta_slow ?? 1,
        magnitude: given.attention_factor ?? yarnMagnitude(factor, given),
      };
    case "longrope":
    case "su": {
      const stretched = trained === undefined ? factor : longest / trained;
      const magnitude = stretched <= 1 ? 1 : Math.sqrt(1 + Math.log(stretched) / Math.log(trained ?? longest));
      return {
        type: "longrope",
        short: given.short_factor ?? [],
        long: given.long_factor ?? [],
        trained: trained ?? longest,
        magnitude: given.attention_factor ?? magnitude,
      };
    }
  }
}

/** The factor of rotated features (Peng et al. 2023, eq. 22), or the ratio of two where a config has both (DeepSeek-AI 2024). */
function yarnMagnitude(
  factor: number,
  { mscale, mscale_all_dim }: { readonly mscale?: number | null; readonly mscale_all_dim?: number | null },
): number {
  const magnitude = (scale: number) => (factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1);
  return mscale && mscale_all_dim ? magnitude(mscale) / magnitude(mscale_all_dim) : magnitude(1);
}
