/** What the page asks of models that are inspected: which, and what is changed of them before. */
import * as z from "zod";

const whole = (least: number) => z.number().int().min(least);
const pattern = z.string().min(1).max(500);

/** What is changed of a model before it is looked at, by the names of the options of `sardonyx inspect`. */
export const whatIfSchema = z.strictObject({
  batch: whole(1).optional(),
  sequence: whole(1).optional(),
  inputShape: pattern.optional(),
  precision: z.enum(["float32", "float16", "bfloat16", "float64"]).optional(),
  optimizer: z.enum(["sgd", "rmsprop", "adagrad", "adam", "adamw", "lamb", "muon"]).optional(),
  freeze: pattern.optional(),
  freezeBlocks: whole(0).optional(),
  lora: whole(1).optional(),
  loraTargets: pattern.optional(),
  quantize: z.union([z.literal(4), z.literal(8)]).optional(),
  memory: z
    .string()
    .regex(/^\d+(\.\d+)?\s?[KMGT]?i?B?$/i)
    .optional(),
  hardware: z
    .string()
    .regex(/^\w{1,20}$/)
    .optional(),
  withoutTraining: z.boolean().optional(),
});

/** What is changed of a model before it is looked at. */
export type WhatIf = z.infer<typeof whatIfSchema>;

/** A run by its id, an architecture by its name such as resnet50, or a file that was dropped, by the number that it was given. */
export const targetSchema = z.union([
  z.strictObject({ run: z.string() }),
  z.strictObject({ architecture: z.string() }),
  z.strictObject({ file: z.string(), name: z.string().optional() }),
]);

/** Which model is looked at. */
export type InspectTarget = z.infer<typeof targetSchema>;
