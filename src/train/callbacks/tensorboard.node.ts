/** A run as TensorBoard shows it. */
import { hostname } from "node:os";
import { join } from "node:path";
import { makeFolder } from "../../storage/disk.node.ts";
import { type GrowingFile, growingFile } from "../../storage/growing-files.node.ts";
import type { Callback } from "./callback.ts";
import { savedByEpochs } from "./saved-by-epochs.node.ts";
import { encodeFileVersion, encodeHistogram, encodeScalars, eventFileName } from "./tensorboard-events.ts";

/**
 * Writes TensorBoard event files into a folder: loss, rate and gradient norms of every `every`-th batch, all results
 * and a histogram of every parameter of each epoch.
 * @example
 * await fit(model, train, { ...options, callbacks: [tensorBoard("runs/first")] }); // then: tensorboard --logdir runs
 */
export function tensorBoard(folder: string, every = 50): Callback {
  const started = Date.now() / 1000;
  const path = join(folder, eventFileName(started, hostname()));
  const file = growingFile(path);
  return savedByEpochs(file, tensorBoardIn(file, { folder, started, every }));
}

/** As `tensorBoard`, in a file that others save. */
export function tensorBoardIn(
  file: GrowingFile,
  { folder, started, every = 50 }: { readonly folder: string; readonly started: number; readonly every?: number },
): Callback {
  const append = (bytes: Uint8Array) => file.append(bytes);
  return {
    name: "tensorBoard",
    leads: true,
    onStart() {
      makeFolder(folder);
      append(encodeFileVersion(started));
    },
    onBatch(run, { step, loss, learningRate, gradientNorm, reports }) {
      const { batches } = run.trainer;
      if (batches % every !== 0) return;
      const own = step === "" ? "" : `${step}/`;
      const scalars = { "batch/loss": loss, learning_rate: learningRate, gradient_norm: gradientNorm };
      const reported = Object.entries(reports).flatMap(([transform, numbers]) =>
        Object.entries(numbers).map(([name, number]) => [`${tags[transform] ?? transform}/${name}`, number] as const),
      );
      const all = [...Object.entries(scalars), ...reported].map(([tag, number]) => [`${own}${tag}`, number] as const);
      append(encodeScalars(batches, Date.now() / 1000, Object.fromEntries(all)));
    },
    onEpoch(run, results) {
      const scalars = Object.fromEntries(Object.entries(results).map(([name, value]) => [`epoch/${name}`, value]));
      const now = Date.now() / 1000;
      append(encodeScalars(run.epoch, now, scalars));
      for (const [path, { value }] of run.model.parameters())
        if (value) append(encodeHistogram(run.epoch, now, `parameters/${path}`, value.data as Float32Array));
    },
  };
}

/** Under which TensorBoard groups what transforms report, where it is not their name. */
const tags: Readonly<Record<string, string>> = { gradientNorms: "gradient_norm" };
