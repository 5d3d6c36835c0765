/** Ending a run in time, and with its best parameters. */
import * as z from "zod/mini";
import { count, flag, nonNegative, string } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import type { Run } from "../fit.ts";
import { type Callback, requireResult, resultOf, signOf } from "./callback.ts";
import { type SavedParameters, savedParametersSchema, saveParameters } from "./saved-parameters.ts";

/** Options of `earlyStopping`. */
export interface EarlyStoppingOptions {
  /** Result to watch; default validation_loss. */
  readonly monitor?: string;
  /** Epochs without improvement before the run ends; default 3. */
  readonly patience?: number;
  /** Least change that counts; default 0. */
  readonly minDelta?: number;
  /** At the end, whether the run was stopped or not, go back to the parameters of the best epoch; default true. */
  readonly restoreBest?: boolean;
  /** Seconds of training after which the run ends, counted anew when it is resumed; default none. */
  readonly seconds?: number;
}

const checkOptions = optionsOf<EarlyStoppingOptions>("earlyStopping", {
  monitor: string,
  patience: count(0),
  minDelta: nonNegative,
  restoreBest: flag,
  seconds: nonNegative,
});

const stateSchema = z.object({
  /** Which may be infinite. */
  best: z.custom<number>((value) => typeof value === "number"),
  waited: z.int().check(z.nonnegative()),
  /** Of the best epoch. */
  kept: z.optional(savedParametersSchema),
});
type State = z.infer<typeof stateSchema>;

/**
 * Ends a run when a result no longer improves (Prechelt 1998), and goes back to the best parameters. Throws OptionError
 * at the start of a run without that result.
 * @example
 * await fit(model, train, { loss: crossEntropy(), optimizer: adam(), epochs: 100, validation, callbacks: [earlyStopping()] });
 */
export function earlyStopping(options: EarlyStoppingOptions = {}): Callback {
  const { monitor = "validation_loss", patience = 3, minDelta = 0, restoreBest = true } = checkOptions(options);
  const { seconds = Number.POSITIVE_INFINITY } = options;
  const fresh: State = { best: Number.NEGATIVE_INFINITY, waited: 0 };
  let state = fresh;
  // What the epoch's validation measured, which need not be what is trained.
  let measured: SavedParameters | undefined;
  let began = performance.now();
  const end = (run: Run) => run.stop(`${monitor} has not improved for ${patience} epochs`);
  return {
    name: "earlyStopping",
    keepsBest: restoreBest,
    onStart(run) {
      began = performance.now();
      requireResult(run, monitor);
      // The run was cut off after the decision, before its end.
      if (state.waited >= patience) end(run);
    },
    onValidation(run) {
      if (restoreBest && monitor.startsWith("validation_")) measured = saveParameters(run.model);
    },
    onEpoch(run, results) {
      const value = signOf(run, monitor) * resultOf(results, monitor);
      if (value > state.best + minDelta) {
        const kept = restoreBest ? (measured ?? saveParameters(run.model)) : undefined;
        state = { best: value, waited: 0, kept };
      } else state = { ...state, waited: state.waited + 1 };
      measured = undefined;
      if (state.waited >= patience) end(run);
      else if (performance.now() - began > 1000 * seconds) run.stop(`its ${Math.round(seconds)} seconds are over`);
    },
    deliver: () => state.kept,
    state: () => state,
    restore(saved) {
      state = saved === undefined ? fresh : stateSchema.parse(saved);
    },
  };
}
