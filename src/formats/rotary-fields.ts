/** Rotary positions in a config.json: written as rope_theta and rope_scaling, or since version 5 as rope_parameters. */
import { z } from "zod";
import type { RotaryOptions, RotaryScaling } from "../nn/index.ts";
import { count, positive } from "./config-fields.ts";

/** The kinds of scaling that are computed. */
const kinds = ["default", "linear", "llama3"] as const;
const kind = z
  .enum(kinds, { error: `one of ${kinds.join(", ")}: no other scaling of positions is supported` })
  .nullish();

const parameters = z
  .object({
    rope_theta: positive().nullish(),
    rope_type: kind,
    /** The older name of rope_type. */
    type: kind,
    factor: positive().nullish(),
    low_freq_factor: positive().nullish(),
    high_freq_factor: positive().nullish(),
    original_max_position_embeddings: count().nullish(),
  })
  .superRefine((values, context) => {
    const needed = {
      default: [],
      linear: ["factor"],
      llama3: ["factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"],
    } as const;
    for (const field of needed[values.rope_type ?? values.type ?? "default"])
      if (values[field] == null)
        context.addIssue({ code: "custom", path: [field], message: "a number, which this scaling needs" });
  })
  .nullish();

export const rotaryFields = {
  rope_theta: positive().nullish(),
  rope_scaling: parameters,
  rope_parameters: parameters,
};

interface RotaryFields {
  readonly rope_theta?: number | null | undefined;
  readonly rope_scaling?: z.output<typeof parameters>;
  readonly rope_parameters?: z.output<typeof parameters>;
}

export function rotaryOf({ rope_theta, rope_scaling, rope_parameters }: RotaryFields): RotaryOptions {
  const given = rope_parameters ?? rope_scaling ?? {};
  return { base: rope_parameters?.rope_theta ?? rope_theta ?? 10_000, scaling: scalingOf(given) };
}

function scalingOf(given: NonNullable<z.output<typeof parameters>>): RotaryScaling | undefined {
  const type = given.rope_type ?? given.type ?? "default";
  const factor = given.factor ?? 1;
  if (type === "linear") return { type, factor };
  if (type !== "llama3") return undefined;
  return {
    type,
    factor,
    low: given.low_freq_factor ?? 1,
    high: given.high_freq_factor ?? 4,
    trained: given.original_max_position_embeddings ?? 8192,
  };
}
