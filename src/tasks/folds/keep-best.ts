/** The best of several candidates, and of their epochs, by the samples that members have not seen. */
import * as z from "zod";
import { count, nonNegative, oneOf } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import type { CandidateNetwork } from "../../models/shared/candidate-network.ts";
import { type Callback, resultOf } from "../../train/callbacks/callback.ts";
import { type SavedParameters, savedParametersSchema, saveParameters } from "../../train/callbacks/saved-parameters.ts";
import { choiceLoss } from "./folded-objective.ts";

/** A network of candidates, what may be chosen of them, and their shares as its buffer `mix`. */
type ChosenNetwork = Pick<CandidateNetwork, "choices"> & { readonly candidates: object };

/** Options of `keepBestCandidate`. */
export interface KeepBestOptions {
  /** Epochs without improvement before the run ends; default it goes on. */
  readonly patience?: number;
  /** Whether the least loss of all epochs counts, or that of the last, where a rate that falls to 0 has settled; default "best". */
  readonly epoch?: "best" | "last";
  /** Seconds of training after which it ends, those of all stages together, counted anew when the run is resumed; default none. */
  readonly seconds?: number;
}

const checkOptions = optionsOf<KeepBestOptions>("keepBestCandidate", {
  patience: count(),
  epoch: oneOf("best", "last"),
  seconds: nonNegative,
});

const stateSchema = z.object({
  best: z.custom<number>((value) => typeof value === "number"),
  waited: z.number().int().nonnegative(),
  /** What the model is to end with. */
  kept: z.optional(savedParametersSchema),
  /** Which candidates and epoch that is of. */
  chosen: z.string().optional(),
});
type State = z.infer<typeof stateSchema>;

/** The share of each candidate in a choice. */
const mixOf = ({ candidates, choices }: ChosenNetwork, choice: string): Float32Array => {
  const names = choices[choice] ?? [];
  return Float32Array.from(Object.keys(candidates), (name) => (names.includes(name) ? 1 / names.length : 0));
};

/**
 * Gives a network, at the end of a run, the parameters of the epoch and the shares of its candidates with the least validation loss, which its
 * objective gives as a figure named by `choiceLoss`; ends the run when that no longer improves, or when its time is over. A stage goes on from
 * the best of those before it.
 */
export function keepBestCandidate(network: ChosenNetwork, options: KeepBestOptions = {}): Callback {
  const {
    patience = Number.POSITIVE_INFINITY,
    epoch = "best",
    seconds = Number.POSITIVE_INFINITY,
  } = checkOptions(options);
  const fresh: State = { best: Number.POSITIVE_INFINITY, waited: 0 };
  let state = fresh;
  let began: number | undefined;
  const reason = `no choice of networks has improved for ${patience} epochs`;
  return {
    name: "keepBestCandidate",
    keepsBest: true,
    onStart(run) {
      began ??= performance.now();
      // The run was cut off after the decision, before its end.
      if (state.waited >= patience) run.stop(reason);
    },
    onEpoch(run, results) {
      const losses = Object.keys(network.choices).map((choice) => ({
        choice,
        loss: resultOf(results, `validation_${choiceLoss(choice)}`),
      }));
      const least = losses.reduce((best, own) => (own.loss < best.loss ? own : best));
      if (epoch === "last" || least.loss < state.best) {
        const kept: SavedParameters = { ...saveParameters(run.model), mix: mixOf(network, least.choice) };
        state = { best: least.loss, waited: 0, kept, chosen: `${least.choice}, after epoch ${run.epoch}` };
      } else state = { ...state, waited: state.waited + 1 };
      if (state.waited >= patience) run.stop(reason);
      else if (performance.now() - (began ?? 0) > 1000 * seconds)
        run.stop(`its ${Math.round(seconds)} seconds are over`);
    },
    deliver: () => state.kept,
    notes: () =>
      state.chosen === undefined
        ? []
        : [`samples that were not trained on chose ${state.chosen}: loss ${Number(state.best.toPrecision(4))}`],
    state: () => state,
    restore(saved) {
      if (saved === undefined) began = undefined;
      state = saved === undefined ? fresh : stateSchema.parse(saved);
    },
    nextStage: (saved) => ({ ...stateSchema.parse(saved), waited: 0 }),
  };
}
