/**
 * Checkpoints: one safetensors file with every tensor of a run (parameters and buffers by path, the optimizer's
 * memory under `optimizer/<slot>/<path>`, the arrays that callbacks keep under `callbacks/<n>`) and the rest of its progress
 * as JSON in the metadata. One file, so that it is replaced whole or not at all.
 */
import * as z from "zod/mini";
import { FileError, NonFiniteError } from "../core/errors.ts";
import { parseJson } from "../core/json.ts";
import { allFinite, type Tensor, tensor } from "../core/tensor.ts";
import { isPlainObject } from "../core/tree.ts";
import { decodeSafetensors, encodeSafetensors } from "../storage/safetensors.ts";
import { savedParametersSchema } from "./callbacks/saved-parameters.ts";
import type { Progress } from "./fit.ts";
import { memoryPrefix } from "./load-parameters.ts";

const format = "sardonyx-checkpoint-2";

/** Key of an object that stands for what JSON lacks: an array among the tensors, or a number that is not finite. */
const marker = "$value";
const arrayPrefix = "callbacks/";

/** A sum or a metric, which may not be finite. */
const real = z.custom<number>((value) => typeof value === "number");

const progressSchema = z.object({
  epoch: z.int().check(z.nonnegative()),
  batchInEpoch: z.int().check(z.nonnegative()),
  batches: z.int().check(z.nonnegative()),
  history: z.array(z.record(z.string(), real)),
  sums: z.record(z.string(), z.object({ loss: real, weight: real, statistics: z.array(z.array(real)) })),
  steps: z.record(
    z.string(),
    z.object({
      updates: z.int().check(z.nonnegative()),
      memory: z.record(z.string(), z.record(z.string(), z.number())),
    }),
  ),
  callbacks: z.record(z.string(), z.unknown()),
  trained: z.optional(savedParametersSchema),
});
const optimizersSchema = z.array(
  z.object({ name: z.string(), settings: z.record(z.string(), z.union([z.number(), z.boolean()])) }),
);

/**
 * The bytes of a checkpoint, a safetensors file with the progress beside the parameters. Throws NonFiniteError when a
 * parameter is no longer finite, so that no good checkpoint is replaced by one from which nothing can go on.
 */
export function encodeCheckpoint({ trainer, optimizers, ...progress }: Progress): Uint8Array {
  for (const [path, tensor] of Object.entries(trainer.tensors))
    if (!path.startsWith(memoryPrefix) && !allFinite(tensor))
      throw new NonFiniteError(
        `${path} holds NaN or Infinity after batch ${trainer.batches}, which is not saved; lower the learning rate, or clip the gradient (clipNorm)`,
      );
  const tensors: Record<string, Tensor> = { ...trainer.tensors };
  let arrays = 0;
  const pack = (_: string, value: unknown): unknown => {
    if (value instanceof Float32Array || value instanceof Uint32Array) {
      const at = `${arrayPrefix}${arrays++}`;
      tensors[at] = tensor(value);
      return { [marker]: at };
    }
    return typeof value === "number" && !Number.isFinite(value) ? { [marker]: String(value) } : value;
  };
  const { batches, steps } = trainer;
  const text = JSON.stringify({ ...progress, batches, steps }, pack);
  return encodeSafetensors(tensors, { format, progress: text, optimizers: JSON.stringify(optimizers) });
}

/**
 * The progress in a checkpoint, from which `fit` goes on. Throws FileError when the bytes are not a whole checkpoint.
 * @example
 * const resume = decodeCheckpoint(new Uint8Array(await readFile("run.safetensors")));
 * await fit(model, train, { ...options, training: { resume } });
 */
export function decodeCheckpoint(bytes: Uint8Array): Progress {
  const { tensors, metadata } = decodeSafetensors(bytes);
  if (metadata.format !== format)
    throw new FileError(
      `this safetensors file is not a checkpoint of a run (its format is "${metadata.format}"); pass checkpoint.safetensors`,
    );
  const unpack = (_: string, value: unknown): unknown => {
    const packed = isPlainObject(value) ? value[marker] : undefined;
    return typeof packed === "string" ? (tensors[packed]?.data ?? Number(packed)) : value;
  };
  const { batches, steps, ...progress } = parse("progress", progressSchema, metadata.progress, unpack);
  const optimizers = parse("optimizers", optimizersSchema, metadata.optimizers);
  const own = Object.entries(tensors).filter(([path]) => !path.startsWith(arrayPrefix));
  return { ...progress, optimizers, trainer: { batches, steps, tensors: Object.fromEntries(own) } };
}

function parse<T>(
  what: string,
  schema: z.ZodMiniType<T>,
  text: string | undefined,
  unpack?: (key: string, value: unknown) => unknown,
): T {
  try {
    return schema.parse(parseJson(text ?? "", unpack));
  } catch (cause) {
    throw new FileError(`the checkpoint's ${what} is damaged; go back to an earlier checkpoint`, { cause });
  }
}
