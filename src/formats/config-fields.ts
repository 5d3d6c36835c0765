/** Fields of a config.json: what each may hold, and what is said of those that hold something else. */
import * as z from "zod";
import { OptionError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import type { ActivationName } from "../nn/index.ts";

/** Beyond any model that was published, of which Llama 4 has the most positions, 10,485,760; a file that says more is broken, or means harm. */
const most = 2 ** 24;

/** A whole number. */
export function count(least = 1, largest = most) {
  const error = largest === most ? `a whole number from ${least}` : `a whole number from ${least} to ${largest}`;
  const beyond = `a whole number from ${least} to ${largest}`;
  return z.number({ error }).int({ error }).min(least, { error }).max(largest, { error: beyond });
}

/** Rows and columns of images: one number for both, or a list of two. */
export function extents() {
  const error = "a whole number from 1 to 65536, or [rows, columns]";
  // What is no extent ends the check here: those of several fields are given two numbers.
  const isSide = (value: number) => Number.isInteger(value) && value >= 1 && value <= 65_536;
  const side = z.number({ error }).refine(isSide, { error, abort: true });
  return z
    .union([side, z.tuple([side, side])], { error })
    .transform((given): readonly [number, number] => (typeof given === "number" ? [given, given] : given));
}

/** How many layers. */
export function layers() {
  const error = `a whole number from 1 to ${limits.layers}, the limit layers`;
  return z.number({ error }).int({ error }).min(1, { error }).max(limits.layers, { error });
}

/** One number of layers for each stage. */
export function depths(...standard: readonly number[]) {
  const error = `a list of whole numbers, one for each stage, in all at most ${limits.layers}, the limit layers`;
  return z
    .array(layers(), { error })
    .refine((stages) => stages.length <= limits.layers && stages.reduce((sum, own) => sum + own, 0) <= limits.layers, {
      error,
    })
    .default([...standard]);
}

/** A share of what is dropped. */
export function rate() {
  const error = "a number from 0 up to, but not, 1";
  return z.number({ error }).min(0, { error }).lt(1, { error });
}

/** A share of what is used. */
export function share() {
  const error = "a number above 0, at most 1";
  return z.number({ error }).gt(0, { error }).lte(1, { error });
}

/** A number above zero. */
export function positive() {
  const error = "a number above 0";
  return z.number({ error }).positive({ error }).finite({ error });
}

export const flag = () => z.boolean({ error: "true or false" });

/** A field that must have this value, since another one means a computation that these models do not have. */
export const only = <const T extends string | number | boolean>(value: T) =>
  z.literal(value, { error: `${JSON.stringify(value)}: nothing else is supported` }).nullish();

/** Activations as Hugging Face names them. */
const activations = {
  gelu: "gelu",
  gelu_new: "geluTanh",
  gelu_pytorch_tanh: "geluTanh",
  gelu_fast: "geluTanh",
  gelu_python: "gelu",
  quick_gelu: "quickGelu",
  relu: "relu",
  relu2: "squaredRelu",
  relu6: "relu6",
  silu: "silu",
  swish: "silu",
  tanh: "tanh",
  sigmoid: "sigmoid",
  linear: "linear",
} as const satisfies Record<string, ActivationName>;

/** Names of activations. */
export const activationNames = Object.keys(activations) as (keyof typeof activations)[];

/** An activation by Hugging Face's name of it, as ours. */
export const activation = (standard: keyof typeof activations) =>
  z
    .enum(activationNames, { error: `one of ${activationNames.join(", ")}` })
    .default(standard)
    .transform((name): ActivationName => activations[name]);

/** The number of a token; a negative one stands for none. */
export const tokenId = () =>
  z.number({ error: "the number of a token" }).int({ error: "the number of a token" }).nullish();

/** Fields that every model may have. */
export const common = {
  pad_token_id: tokenId(),
  tie_word_embeddings: flag().nullish(),
  num_labels: count().nullish(),
  id2label: z.record(z.string(), z.unknown(), { error: "an object from numbers to labels" }).nullish(),
};

/** The extents of a transformer by the names that most families have for them. */
export const sizesOf = (config: {
  readonly vocab_size: number;
  readonly hidden_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly intermediate_size: number;
  readonly max_position_embeddings: number;
}) => ({
  vocabulary: config.vocab_size,
  width: config.hidden_size,
  layers: config.num_hidden_layers,
  heads: config.num_attention_heads,
  feedForward: config.intermediate_size,
  positions: config.max_position_embeddings,
});

/** How many labels a classifier has. */
export const labelsOf = ({ id2label, num_labels }: { id2label?: object | null; num_labels?: number | null }): number =>
  Object.keys(id2label ?? {}).length || (num_labels ?? 2);

/** What a check of several fields is given to report through. */
export type Report = (field: string, expected: string) => void;

/** Fields of an object, with a check of what they say together. */
export const fields = <T extends z.ZodRawShape>(
  shape: T,
  check: (fields: z.output<z.ZodObject<T>>, report: Report) => void,
) =>
  z.object(shape).superRefine((values, context) => {
    check(values, (field, message) => {
      // The value with the default, which the config may leave out.
      const got = (values as Readonly<Record<string, unknown>>)[field];
      context.addIssue({ code: "custom", path: [field], message, params: { got } });
    });
  });

/** The config of a part of a model; one that is missing or null is of defaults throughout. */
export const section = <T extends z.ZodRawShape>(shape: T) =>
  z.preprocess((value) => value ?? {}, z.object(shape, { error: "an object of fields" }));

/** Reports a field that is no multiple of another. */
export function requireMultiple(
  values: Readonly<Record<string, unknown>>,
  report: Report,
  field: string,
  divisor: string,
): void {
  if (Number(values[field]) % Number(values[divisor]) !== 0)
    report(field, `a multiple of ${divisor}, which is ${values[divisor]}`);
}

/** The fields of a config. Throws OptionError that names each field that is wrong, what it holds and what is expected. */
export function readFields<T>(type: string, schema: z.ZodType<T>, config: object): T {
  const result = schema.safeParse(config);
  if (result.success) return result.data;
  throw new OptionError(`config.json of a ${type} model: ${wrongFields(result.error, config)}; correct the file`);
}

/** Each field that is wrong, what it holds and what is expected. */
export function wrongFields({ issues }: z.ZodError, config: unknown): string {
  const problems = new Map<string, string>();
  for (const issue of issues) {
    const place = issue.path.join(".");
    const held = issue.path.reduce<unknown>(
      (value, key) => (value as Record<PropertyKey, unknown> | null)?.[key],
      config,
    );
    const got = issue.code === "custom" && issue.params ? issue.params["got"] : held;
    // What is wrong with a field alone comes before what is wrong with it and another.
    if (!problems.has(place)) problems.set(place, `${place || "it"} is ${shown(got)}, expected ${issue.message}`);
  }
  return [...problems.values()].join("; ");
}

/** A value as JSON, cut short. */
export function shown(value: unknown): string {
  if (value === undefined) return "missing";
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
