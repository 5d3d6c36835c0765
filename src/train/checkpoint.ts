/**
 * Checkpoints: one safetensors file with every tensor of a run (parameters and buffers by path, the optimizer's
 * memory under `optimizer/<slot>/<path>`) and the rest of its progress as JSON in the metadata. One file, so that it is
 * replaced whole or not at all.
 */
import { z } from "zod";
import { FileError } from "../core/errors.ts";
import { decodeSafetensors, encodeSafetensors } from "../storage/safetensors.ts";
import type { Progress } from "./fit.ts";
import type { Optimizer } from "./optimizers.ts";

const format = "sardonyx-checkpoint-1";

const progressSchema = z.object({
  epoch: z.number().int().nonnegative(),
  batchInEpoch: z.number().int().nonnegative(),
  batches: z.number().int().nonnegative(),
  history: z.array(
    z.record(
      z.string(),
      z
        .number()
        .nullable()
        .transform((value) => value ?? Number.NaN),
    ),
  ),
  sums: z.object({ loss: z.number(), samples: z.number(), statistics: z.array(z.array(z.number())) }),
  callbacks: z.record(z.string(), z.unknown()),
});
const optimizerSchema = z.object({
  name: z.string(),
  settings: z.record(z.string(), z.union([z.number(), z.boolean()])),
});

/** Bytes of a checkpoint. */
export function encodeCheckpoint({ trainer, ...progress }: Progress, { name, settings }: Optimizer): Uint8Array {
  return encodeSafetensors(trainer.tensors, {
    format,
    progress: JSON.stringify({ ...progress, batches: trainer.batches }),
    optimizer: JSON.stringify({ name, settings }),
  });
}

/**
 * The progress in a checkpoint. Throws FileError when the bytes are not a whole checkpoint, or were written with
 * another optimizer than the one that is to go on.
 */
export function decodeCheckpoint(bytes: Uint8Array, optimizer?: Optimizer): Progress {
  const { tensors, metadata } = decodeSafetensors(bytes);
  if (metadata.format !== format)
    throw new FileError(
      `this safetensors file is not a checkpoint of a run (its format is "${metadata.format}"); pass checkpoint.safetensors`,
    );
  const { batches, ...progress } = parse("progress", progressSchema, metadata.progress);
  const saved = parse("optimizer", optimizerSchema, metadata.optimizer);
  if (
    optimizer &&
    (saved.name !== optimizer.name || JSON.stringify(saved.settings) !== JSON.stringify(optimizer.settings))
  )
    throw new FileError(
      `the checkpoint was written with ${describe(saved)}, this run has ${describe(optimizer)}; resume with the same optimizer`,
    );
  return { ...progress, trainer: { batches, tensors } };
}

const describe = ({ name, settings }: { name: string; settings: object }) => `${name} ${JSON.stringify(settings)}`;

function parse<T>(what: string, schema: z.ZodType<T>, text: string | undefined): T {
  try {
    return schema.parse(JSON.parse(text ?? ""));
  } catch (cause) {
    throw new FileError(`the checkpoint's ${what} is damaged; go back to an earlier checkpoint`, { cause });
  }
}
