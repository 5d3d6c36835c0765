/** What a run keeps of a few fixed samples as it learns, as lines of `samples.jsonl`. */
import * as z from "zod";
import { resultSchema } from "../training/evaluation.ts";

/** An image within the file: no page that shows it fetches anything. */
const imageSchema = z.string().startsWith("data:image/png;base64,");

/** A sample: what is true of it, and its input as an image or as cells where it can be shown. */
const sampleSchema = z.strictObject({
  actual: z.string(),
  image: imageSchema.optional(),
  cells: z
    .array(z.strictObject({ name: z.string(), value: z.string() }))
    .readonly()
    .optional(),
});

/** What is predicted of a sample: the likeliest classes with their probabilities, or a number. */
const predictionSchema = z.union([
  z.strictObject({
    classes: z.array(z.strictObject({ name: z.string(), probability: resultSchema })).readonly(),
  }),
  z.strictObject({ number: resultSchema }),
]);

/** One attention: its shares as bytes in base64, 255 for 1, [heads, queries, keys]. */
const attentionSchema = z.strictObject({
  path: z.string(),
  heads: z.number().int().positive(),
  queries: z.number().int().positive(),
  keys: z.number().int().positive(),
  shares: z.string(),
});

const place = { epoch: z.number().int().nonnegative(), batch: z.number().int().nonnegative() };

/** The first line: the samples, and which part of the data they are of. */
const inputsSchema = z.strictObject({
  type: z.literal("inputs"),
  ...place,
  from: z.enum(["validation", "training"]),
  samples: z.array(sampleSchema).readonly(),
});

/** Each further line: what the model makes of them at one moment; what a model does not do is left out. */
const momentSchema = z.strictObject({
  type: z.literal("samples"),
  ...place,
  predictions: z.array(predictionSchema).readonly().optional(),
  /** What a language model writes behind its prompt, always the likeliest token. */
  text: z.strictObject({ prompt: z.string(), written: z.string() }).optional(),
  /** What a generator makes of noise that stays the same. */
  images: z
    .array(z.strictObject({ name: z.string(), image: imageSchema }))
    .readonly()
    .optional(),
  /** What attends to what, of the prompt or of the first sample. */
  attention: z
    .strictObject({ tokens: z.array(z.string()).readonly(), layers: z.array(attentionSchema).readonly() })
    .optional(),
});

export const sampleRecordSchema = z.discriminatedUnion("type", [inputsSchema, momentSchema]);

/** The samples that are watched. */
export type WatchedInputs = Readonly<z.infer<typeof inputsSchema>>;
/** What the model makes of them at one moment. */
export type WatchedMoment = Readonly<z.infer<typeof momentSchema>>;
/** One of the samples. */
export type WatchedSample = WatchedInputs["samples"][number];
/** What is predicted of one. */
export type WatchedPrediction = NonNullable<WatchedMoment["predictions"]>[number];
/** What attends to what. */
export type WatchedAttention = NonNullable<WatchedMoment["attention"]>;
