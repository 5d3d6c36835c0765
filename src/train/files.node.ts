/** Callbacks that write files: checkpoints, JSON lines, TensorBoard events. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, truncateSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { FileError } from "../core/errors.ts";
import { writeFileAtomic } from "../storage/atomic.node.ts";
import { type Callback, records, requireResult, signOf } from "./callbacks.ts";
import { encodeCheckpoint } from "./checkpoint.ts";
import type { Run } from "./fit.ts";
import { encodeFileVersion, encodeHistogram, encodeScalars, eventFileName } from "./tensorboard.ts";

export interface CheckpointOptions {
  /** Seconds between checkpoints inside an epoch; default 30. */
  readonly seconds?: number;
  /** Batches between checkpoints; default: only by time. */
  readonly batches?: number;
  /** Clock in seconds. */
  readonly now?: () => number;
}

/** Writes the run's progress to `path`: in intervals, after every epoch, and at the end. */
export function checkpoint(path: string, options: CheckpointOptions = {}): Callback {
  const { seconds = 30, batches = Number.POSITIVE_INFINITY, now = () => performance.now() / 1000 } = options;
  let last = now();
  const write = async (run: Run) => {
    last = now();
    await writeFileAtomic(path, encodeCheckpoint(run.progress()));
  };
  return {
    name: "checkpoint",
    onBatch: (run) => (run.trainer.batches % batches === 0 || now() - last >= seconds ? write(run) : undefined),
    onEpoch: write,
    onEnd: write,
  };
}

/** Writes the progress of the best epoch so far, by a result such as validation_accuracy, to `path`. */
export function checkpointBest(path: string, monitor = "validation_loss"): Callback {
  let best = Number.NEGATIVE_INFINITY;
  return {
    name: "checkpointBest",
    onStart: (run) => requireResult(run, monitor),
    async onEpoch(run, results) {
      const value = signOf(run, monitor) * (results[monitor] ?? Number.NaN);
      // So written, NaN is never the best.
      if (!(value > best)) return;
      best = value;
      await writeFileAtomic(path, encodeCheckpoint(run.progress()));
    },
    state: () => ({ best }),
    restore(state) {
      best = (state as { best: number } | undefined)?.best ?? Number.NEGATIVE_INFINITY;
    },
  };
}

/** Appends a JSON line for every `every`-th batch and each epoch. A resumed run drops the lines after its checkpoint. */
export function jsonLog(path: string, every = 50): Callback {
  const log = records((record) => appendFileSync(path, `${JSON.stringify(record)}\n`), every);
  return {
    ...log,
    name: "jsonLog",
    onStart(run) {
      if (existsSync(path)) truncateSync(path, bytesUpTo(path, run));
    },
  };
}

/** Length of the lines that were written up to where a run stands; a line cut off by a kill is behind that. */
function bytesUpTo(path: string, { trainer, epoch }: Run): number {
  let length = 0;
  for (const [i, line] of readFileSync(path, "utf8")
    .split(/(?<=\n)/)
    .entries()) {
    if (!line.endsWith("\n")) break;
    const record = parseLine(line);
    if (!record)
      throw new FileError(`${path}: line ${i + 1} is no record of a run; remove the line or the file, then resume`);
    if (record.batch > trainer.batches || (record.type === "epoch" && record.epoch > epoch)) break;
    length += Buffer.byteLength(line);
  }
  return length;
}

function parseLine(line: string): { type?: string; batch: number; epoch: number } | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/**
 * Writes TensorBoard event files into a folder: loss, rate and gradient norms of every `every`-th batch, all results
 * and a histogram of every parameter of each epoch.
 */
export function tensorBoard(folder: string, every = 50): Callback {
  const started = Date.now() / 1000;
  const path = join(folder, eventFileName(started, hostname()));
  const append = (bytes: Uint8Array) => appendFileSync(path, bytes);
  return {
    name: "tensorBoard",
    onStart() {
      mkdirSync(folder, { recursive: true });
      append(encodeFileVersion(started));
    },
    onBatch(run, { loss, learningRate, gradientNorm, gradientNorms = {} }) {
      const { batches } = run.trainer;
      if (batches % every !== 0) return;
      const byPath = Object.entries(gradientNorms).map(([path, norm]) => [`gradient_norm/${path}`, norm]);
      const scalars = { "batch/loss": loss, learning_rate: learningRate, gradient_norm: gradientNorm };
      append(encodeScalars(batches, Date.now() / 1000, { ...scalars, ...Object.fromEntries(byPath) }));
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
