/** Running totals of losses and figures over the batches of an epoch. */
import { FileError, OptionError } from "../../core/errors.ts";
import type { Communicator } from "../../distributed/communicator.ts";
import { type BoundStep, resultName } from "./objectives.ts";

/** Results of an epoch: `loss`, and each figure by its name. */
export type EpochResult = Readonly<Record<string, number>>;

/** What is known of a batch. */
export interface Measurement {
  /** Mean loss. */
  readonly loss: number;
  /** What the mean stands for. */
  readonly weight: number;
  /** Statistics of each figure, in the order of the objective's figures. */
  readonly statistics: readonly ArrayLike<number>[];
}

/** Totals as plain data, for checkpoints, by the names of steps. */
export type SavedSums = Readonly<
  Record<
    string,
    { readonly loss: number; readonly weight: number; readonly statistics: readonly (readonly number[])[] }
  >
>;

interface Totals {
  loss: number;
  weight: number;
  statistics: Float64Array[];
}

/** The names of an epoch's results, as far as they are known. Throws OptionError when one would hide another. */
export function resultNames(steps: readonly BoundStep[]): readonly string[] {
  const names = steps.flatMap(({ name, objective }) =>
    ["loss", ...objective.figures.map((figure) => figure.name)].map((own) => resultName(name, own)),
  );
  const repeated = names.find((name, i) => names.indexOf(name) !== i);
  if (repeated !== undefined)
    throw new OptionError(`two results are named "${repeated}"; rename a metric: { ...metric, name: "other" }`);
  return names;
}

/** Totals of an epoch. */
export class RunningSums {
  readonly #steps: readonly BoundStep[];
  readonly #totals: Map<string, Totals>;

  constructor(steps: readonly BoundStep[], saved: SavedSums = {}) {
    resultNames(steps);
    this.#steps = steps;
    this.#totals = new Map(
      steps.map(({ name }) => {
        const { loss = 0, weight = 0, statistics = [] } = saved[name] ?? {};
        return [name, { loss, weight, statistics: statistics.map((own) => Float64Array.from(own)) }];
      }),
    );
  }

  /** Adds a batch of a step. */
  add(step: string, { loss, weight, statistics }: Measurement): void {
    const totals = this.#totals.get(step) as Totals;
    if (totals.statistics.length === 0) {
      // An objective's figures are known once it was traced.
      resultNames(this.#steps);
      totals.statistics = statistics.map(({ length }) => new Float64Array(length));
    }
    if (totals.statistics.some(({ length }, i) => length !== statistics[i]?.length))
      throw new FileError(
        "the sums of the epoch in the checkpoint are of other metrics; resume with those that the run was begun with",
      );
    totals.loss += loss * weight;
    totals.weight += weight;
    for (const [i, total] of totals.statistics.entries())
      for (let k = 0; k < total.length; k++) total[k] = (total[k] ?? 0) + (statistics[i]?.[k] ?? 0);
  }

  /** Adds what other ranks summed, and gives the sum of `count` over them. */
  async addTogether(communicator: Communicator, count: number): Promise<number> {
    const parts = this.#steps.map(({ name, objective }) => {
      const totals = this.#totals.get(name) as Totals;
      // A rank without a batch has none.
      if (totals.statistics.length === 0)
        totals.statistics = objective.figures.map(({ size }) => new Float64Array(size));
      return totals;
    });
    const numbers = parts.flatMap(({ loss, weight, statistics }) => [
      loss,
      weight,
      ...statistics.flatMap((own) => [...own]),
    ]);
    const all = Float64Array.of(count, ...numbers);
    await communicator.sum(all);
    let next = 1;
    for (const totals of parts) {
      totals.loss = all[next++] ?? 0;
      totals.weight = all[next++] ?? 0;
      for (const own of totals.statistics) {
        own.set(all.subarray(next, next + own.length));
        next += own.length;
      }
    }
    return all[0] ?? 0;
  }

  /** Mean loss and every figure, by name. */
  results(): EpochResult {
    return Object.fromEntries(
      this.#steps.flatMap(({ name, objective }) => {
        const { loss, weight, statistics } = this.#totals.get(name) as Totals;
        return [
          [resultName(name, "loss"), loss / weight],
          ...objective.figures.map((figure, i) => [
            resultName(name, figure.name),
            figure.result(statistics[i] ?? new Float64Array(figure.size)),
          ]),
        ];
      }),
    );
  }

  /** Each figure's totals, by name. */
  statistics(): Readonly<Record<string, Float64Array>> {
    return Object.fromEntries(
      this.#steps.flatMap(({ name, objective }) =>
        objective.figures.map((figure, i) => [
          resultName(name, figure.name),
          this.#totals.get(name)?.statistics[i] ?? new Float64Array(figure.size),
        ]),
      ),
    );
  }

  save(): SavedSums {
    return Object.fromEntries(
      [...this.#totals].map(([name, { loss, weight, statistics }]) => [
        name,
        { loss, weight, statistics: statistics.map((total) => [...total]) },
      ]),
    );
  }
}
