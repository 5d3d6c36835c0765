/** In how many parts a run computes its batches, chosen by the memory that there is. */
import { byteSize } from "../../core/byte-size.ts";
import { DataError } from "../../core/errors.ts";
import { byteText, plural } from "../../core/number-text.ts";
import type { Batch } from "../../data/pipeline/dataset.ts";
import { selectBackend } from "../../runtime/select.ts";
import { type BatchParts, partsWithin } from "../../train/engine/batch-parts.ts";
import type { Trained } from "../../train/engine/trainer.ts";
import type { Task } from "../recipes/recipe.ts";
import type { RunSettings } from "../recipes/settings.ts";
import { measuredOf } from "./evaluation.ts";
import { optimizerFor } from "./plan.node.ts";

/** Share of the machine's memory that a step may take: the rest is for the data, the process and others. */
const usable = 0.8;

/** The parts of a batch of a task within the setting of memory, else within the machine's. Throws OptionError where single samples do not fit. */
export async function chooseParts(
  task: Task,
  settings: RunSettings,
): Promise<BatchParts & { readonly memory: number }> {
  const memory =
    settings.memory === undefined
      ? usable * (await selectBackend(settings.device)).memory
      : byteSize(settings.memory, "memory");
  const trained = {
    ...measuredOf(task),
    ...(task.steps === undefined && { optimizer: optimizerFor(task, settings) }),
  } as Trained<Batch>;
  for await (const batch of task.train.epoch(0)) return { ...partsWithin(task.model, trained, batch, memory), memory };
  throw new DataError("the dataset gave no batch; check its files and filters");
}

/** What was chosen, in a sentence. */
export const partsText = ({ parts, samples, bytes, memory }: Awaited<ReturnType<typeof chooseParts>>): string =>
  `batches are computed ${parts === 1 ? "whole" : `in ${parts} parts of ${plural(samples, "sample")}, with one update for all`}: a step takes ${byteText(bytes)} of ${byteText(memory)}`;
