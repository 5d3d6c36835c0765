/** Running totals of the loss and the metrics over the batches of an epoch. */
import { OptionError } from "../core/errors.ts";
import type { Metric } from "./metrics/metrics.ts";

/** `loss`, and one number a metric. */
export type EpochResult = Readonly<Record<string, number>>;

/** Totals as plain data, for checkpoints. */
export interface SavedSums {
  readonly loss: number;
  readonly samples: number;
  readonly statistics: readonly (readonly number[])[];
}

/** Totals of an epoch. Throws OptionError when two metrics have one name: a result would hide another. */
export class RunningSums {
  /** Totals of each metric's statistics. */
  readonly statistics: readonly Float64Array[];
  readonly #metrics: readonly Metric[];
  #loss: number;
  #samples: number;

  constructor(metrics: readonly Metric[], saved?: SavedSums) {
    const names = ["loss", ...metrics.map(({ name }) => name)];
    const repeated = names.find((name, i) => names.indexOf(name) !== i);
    if (repeated !== undefined)
      throw new OptionError(`two results are named "${repeated}"; rename a metric: { ...metric, name: "other" }`);
    this.#metrics = metrics;
    this.#loss = saved?.loss ?? 0;
    this.#samples = saved?.samples ?? 0;
    this.statistics = metrics.map((metric, i) =>
      Float64Array.from(saved?.statistics[i] ?? new Float64Array(metric.size)),
    );
  }

  get samples(): number {
    return this.#samples;
  }

  /** Adds a batch: its mean loss, its size, each metric's statistics. */
  add(loss: number, samples: number, statistics: readonly ArrayLike<number>[]): void {
    this.#loss += loss * samples;
    this.#samples += samples;
    for (const [i, total] of this.statistics.entries())
      for (let k = 0; k < total.length; k++) total[k] = (total[k] ?? 0) + (statistics[i]?.[k] ?? 0);
  }

  /** Mean loss and every metric, by name. */
  results(): EpochResult {
    const values = this.#metrics.map((metric, i) => [
      metric.name,
      metric.result(this.statistics[i] ?? new Float64Array()),
    ]);
    return { loss: this.#loss / this.#samples, ...Object.fromEntries(values) };
  }

  save(): SavedSums {
    return { loss: this.#loss, samples: this.#samples, statistics: this.statistics.map((total) => [...total]) };
  }
}
