/** What may be done at the events of a run. */
import { unknownName } from "../../core/errors.ts";
import type { EpochResult } from "../engine/running-sums.ts";
import type { StepResult } from "../engine/trainer.ts";
import type { Run } from "../fit.ts";
import type { SavedParameters } from "./saved-parameters.ts";

/**
 * Functions that a run calls at its events, in the order of the callbacks. All but the name may be left out.
 * @example
 * const printing: Callback = {
 *   name: "printing",
 *   onEpoch: ({ epoch }, results) => console.log(epoch, results.loss),
 * };
 */
export interface Callback {
  /** Under which its state is saved. */
  readonly name: string;
  /** Whether what it delivers is of the run's best epoch: it has the last word then. */
  readonly keepsBest?: boolean;
  /** Whether it writes or prints, which rank 0 alone does of the processes that train together. */
  readonly leads?: boolean;
  /**
   * Whether it will ask for the run's progress after this batch, which all processes that train together have to bring together before;
   * default false.
   */
  saves?(run: Run): boolean;
  /** Before the first batch, after `restore`. */
  onStart?(run: Run): void | Promise<void>;
  /** After each batch, with the result of its step. */
  onBatch?(run: Run, result: StepResult): void | Promise<void>;
  /** Around the evaluation on validation data, which `validate` makes. */
  aroundValidation?(run: Run, validate: () => Promise<void>): Promise<void>;
  /** Before the evaluation on validation data, with the parameters that are measured. */
  onValidation?(run: Run): void | Promise<void>;
  /** After each epoch and its validation, with its results. */
  onEpoch?(run: Run, result: EpochResult): void | Promise<void>;
  /** The parameters and buffers that the model ends with, by path; default those of the last batch. */
  deliver?(run: Run): SavedParameters | undefined;
  /** What whoever started the run should know of it, at its end. */
  notes?(): readonly string[];
  /** Not called when the run fails. */
  onEnd?(run: Run): void | Promise<void>;
  /** What to save in a checkpoint: plain data, and Float32Arrays in it. */
  state?(): unknown;
  /** Takes what `state` gave, or `undefined` in a new run. */
  restore?(state: unknown): void;
  /** Of a recipe's run in stages: what it takes up in the next one, of what `state` gave at the end of the one before; default it begins anew. */
  nextStage?(state: unknown): unknown;
}

/** 1 where a larger value of a result is better, -1 where a smaller one is: a loss, or what its figure says. */
export const signOf = (run: Run, name: string): 1 | -1 => (run.directionOf(name) === "up" ? 1 : -1);

/**
 * The value of a result. Throws OptionError, with the nearest name, unless the results have it.
 * @param results of an epoch
 */
export function resultOf(results: EpochResult, name: string): number {
  const value = results[name];
  if (value === undefined) throw unknownName("result", name, Object.keys(results));
  return value;
}

/** As `resultOf`, before the first batch: names that only an objective knows are left to the first epoch. */
export function requireResult({ resultNames, trainer }: Run, name: string): void {
  if (!resultNames.includes(name) && trainer.knowsFigures) throw unknownName("result", name, resultNames);
}
