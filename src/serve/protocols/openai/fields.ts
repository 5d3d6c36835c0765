/** Fields of OpenAI's requests: what is read of them, what is harmless, and what would change the answer and is refused. */
import * as z from "zod";
import { DataError, OptionError } from "../../../core/errors.ts";
import { isPlainObject } from "../../../core/tree.ts";
import { jsonOf, refusalOf } from "../json-body.ts";

const tokens = z.number().int().min(1);

/** What requests to write have in common. */
export const writingFields = {
  model: z.string().optional(),
  temperature: z.number().min(0).max(2).optional(),
  top_p: z.number().gt(0).max(1).optional(),
  /** Not OpenAI's own: draw from this many of the likeliest tokens, as other servers have it. */
  top_k: z.number().int().min(1).optional(),
  max_tokens: tokens.optional(),
  stop: z.union([z.string().min(1), z.array(z.string().min(1)).max(16)]).optional(),
  seed: z.number().int().optional(),
  n: z.number().int().min(1).max(16).optional(),
  stream: z.boolean().optional(),
  stream_options: z.object({ include_usage: z.boolean().optional() }).optional(),
};

export const chatSchema = z.looseObject({
  ...writingFields,
  messages: z.array(z.unknown()).min(1),
  max_completion_tokens: tokens.optional(),
  logprobs: z.boolean().optional(),
  top_logprobs: z.number().int().min(0).max(20).optional(),
});

export const completionSchema = z.looseObject({
  ...writingFields,
  prompt: z.union([
    z.string(),
    z.array(z.string()).min(1).max(64),
    z.array(z.number().int().min(0)).min(1),
    z
      .array(z.array(z.number().int().min(0)).min(1))
      .min(1)
      .max(64),
  ]),
  logprobs: z.number().int().min(0).max(20).optional(),
});

export const embeddingSchema = z.looseObject({
  model: z.string().optional(),
  input: z.union(
    [z.string(), z.array(z.string()).min(1).max(2048)],
    "send a text, or a list of texts; ids of tokens are not read",
  ),
  encoding_format: z.enum(["float", "base64"]).optional(),
  dimensions: z.number().int().min(1).optional(),
});

/** Fields that change nothing of the answer. */
const harmless = new Set([
  "user",
  "metadata",
  "store",
  "service_tier",
  "safety_identifier",
  "prompt_cache_key",
  "parallel_tool_calls",
]);

/** Fields that change nothing as long as they say this. */
const neutral: Readonly<Record<string, (value: unknown) => boolean>> = {
  presence_penalty: (value) => value === 0,
  frequency_penalty: (value) => value === 0,
  logit_bias: (value) => isPlainObject(value) && Object.keys(value).length === 0,
  response_format: (value) => isPlainObject(value) && value["type"] === "text",
  modalities: (value) => Array.isArray(value) && value.every((own) => own === "text"),
  tools: (value) => Array.isArray(value) && value.length === 0,
  tool_choice: (value) => value === "none" || value === "auto",
  echo: (value) => value === false,
  best_of: (value) => value === 1,
  suffix: (value) => value === "",
};

/** Reads a request. Throws DataError for what is no JSON, OptionError for fields that are wrong, or would change the answer and are not known. */
export function readFields<S extends z.ZodObject>(schema: S, body: Uint8Array): z.infer<S> {
  const given = jsonOf(body, "the request");
  if (!isPlainObject(given)) throw new DataError("the request is no JSON object; send one");
  // What a client leaves open, some send as null.
  const present = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));
  const parsed = schema.safeParse(present);
  if (!parsed.success) throw refusalOf(parsed.error, "the request");
  for (const [name, value] of Object.entries(present)) {
    if (name in schema.shape || harmless.has(name)) continue;
    if (Object.hasOwn(neutral, name) && neutral[name]?.(value)) continue;
    throw new OptionError(
      `the request: ${JSON.stringify(name.slice(0, 60))} is not supported, and would change the answer; leave it out`,
    );
  }
  return parsed.data;
}
