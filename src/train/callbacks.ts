/** What may be done at the events of a run: early stopping, logs of the rate, JSON lines. */
import { unknownName } from "../core/errors.ts";
import type { Run } from "./fit.ts";
import type { EpochResult } from "./running-sums.ts";
import type { StepResult } from "./trainer.ts";

/** Functions that a run calls at its events, in the order of the callbacks. */
export interface Callback {
  /** Under which its state is saved. */
  readonly name: string;
  onStart?(run: Run): void | Promise<void>;
  onBatch?(run: Run, result: StepResult): void | Promise<void>;
  onEpoch?(run: Run, result: EpochResult): void | Promise<void>;
  /** Not called when the run fails. */
  onEnd?(run: Run): void | Promise<void>;
  /** What to save in a checkpoint: plain data, and Float32Arrays in it. */
  state?(): unknown;
  /** Takes what `state` gave, or `undefined` in a new run. */
  restore?(state: unknown): void;
}

/** 1 where a larger value of a result is better, -1 where a smaller one is: a loss, or what its metric says. */
export function signOf({ trainer }: Run, name: string): 1 | -1 {
  const metric = trainer.metrics.find((known) => known.name === name.replace(/^validation_/, ""));
  return metric?.direction === "up" ? 1 : -1;
}

/** Throws OptionError, with the nearest name, unless a run's epochs will have a result of this name. */
export function requireResult({ resultNames }: Run, name: string): void {
  if (!resultNames.includes(name)) throw unknownName("result", name, resultNames);
}

export interface EarlyStoppingOptions {
  /** Result to watch; default validation_loss. */
  readonly monitor?: string;
  /** Epochs without improvement before the run ends; default 3. */
  readonly patience?: number;
  /** Least change that counts; default 0. */
  readonly minDelta?: number;
  /** When the run is stopped, go back to the parameters of the best epoch; default true. */
  readonly restoreBest?: boolean;
}

/** Ends a run when a result no longer improves (Prechelt 1998). */
export function earlyStopping(options: EarlyStoppingOptions = {}): Callback {
  const { monitor = "validation_loss", patience = 3, minDelta = 0, restoreBest = true } = options;
  let best = Number.NEGATIVE_INFINITY;
  let waited = 0;
  let kept: Map<string, Float32Array> | undefined;
  const end = (run: Run) => run.stop(`${monitor} has not improved for ${patience} epochs`);
  return {
    name: "earlyStopping",
    onStart(run) {
      requireResult(run, monitor);
      // The run was cut off after the decision, before its end.
      if (waited >= patience) end(run);
    },
    onEpoch(run, results) {
      const value = signOf(run, monitor) * (results[monitor] ?? Number.NaN);
      if (value > best + minDelta) {
        best = value;
        waited = 0;
        if (restoreBest) kept = copyParameters(run);
      } else if (++waited >= patience) end(run);
    },
    onEnd(run) {
      // A run that went through all its epochs keeps its last parameters, from which it can be trained on exactly.
      if (waited < patience) return;
      for (const [path, data] of kept ?? [])
        (run.model.parameters().get(path)?.value?.data as Float32Array | undefined)?.set(data);
    },
    state: () => ({ best, waited, kept: kept && Object.fromEntries(kept) }),
    restore(state) {
      const saved = state as { best: number; waited: number; kept?: Record<string, Float32Array> } | undefined;
      best = saved?.best ?? Number.NEGATIVE_INFINITY;
      waited = saved?.waited ?? 0;
      kept = saved?.kept && new Map(Object.entries(saved.kept).map(([path, data]) => [path, data.slice()]));
    },
  };
}

const copyParameters = (run: Run): Map<string, Float32Array> =>
  new Map(
    [...run.model.parameters()].flatMap(([path, { value }]) =>
      value ? [[path, Float32Array.from(value.data as Float32Array)] as const] : [],
    ),
  );

/** Hands the learning rate of every `every`-th batch to `log`. */
export function logLearningRate(log: (batch: number, learningRate: number) => void, every = 1): Callback {
  return {
    name: "logLearningRate",
    onBatch(run, { learningRate }) {
      if (run.trainer.batches % every === 0) log(run.trainer.batches, learningRate);
    },
  };
}

/** Hands each record of a run to `write`: batches (every `every`-th, with gradient norms if there are) and epochs. */
export function records(
  write: (record: Readonly<Record<string, unknown>>) => void | Promise<void>,
  every = 50,
): Callback {
  return {
    name: "records",
    onBatch(run, { loss, learningRate, gradientNorm, gradientNorms }) {
      const batch = run.trainer.batches;
      if (batch % every === 0)
        return write({ type: "batch", batch, epoch: run.epoch + 1, loss, learningRate, gradientNorm, gradientNorms });
    },
    onEpoch: (run, results) => write({ type: "epoch", epoch: run.epoch, batch: run.trainer.batches, ...results }),
  };
}
