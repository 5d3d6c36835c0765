/** A training step of a loss: its gradients, with what is computed again on the way back. */
import { type DifferentiateOptions, differentiate } from "../autodiff/gradients.ts";
import type { PathPatterns } from "../core/path-pattern.ts";
import type { Value } from "../graph/ir.ts";
import { simplify } from "../graph/passes.ts";
import { scoresInPieces } from "../ops/training/label-scores.ts";
import { checkpointed, segmentsOfModules } from "./checkpointing.ts";
import { type Budget, type FittedStep, stepWithin } from "./memory-budget.ts";
import { computedAgain, recomputed, type Step, stepOf } from "./recompute.ts";

/** What came of a budget: the bytes of a step as estimated, and what is computed again for it. */
export type StepMemory = Pick<FittedStep, "bytes" | "addedWork" | "segments" | "hasPieces">;

/** How a step is derived of its loss. */
export interface StepOptions extends Pick<DifferentiateOptions, "wrt" | "onStop"> {
  /** Modules whose outputs alone are kept (Chen et al. 2016); default none. */
  readonly checkpoint?: PathPatterns | undefined;
  /** What the step must fit into; then nothing else says what is computed again. Default: nothing. */
  readonly budget?: Budget | undefined;
}

/** A loss with its gradients, and with what is computed beside it. */
export interface DerivedStep {
  /** The loss first. */
  readonly forward: readonly Value[];
  /** For each value of `wrt`; `undefined` where the loss does not depend on it. */
  readonly gradients: readonly (Value | undefined)[];
  /** Of a step with a budget. */
  readonly memory: StepMemory | undefined;
}

/**
 * The gradients of the first of `forward`. Throws OptionError for a budget that cannot be met, and for paths that no module has, GradientError
 * as `differentiate` does.
 */
export function deriveStep(forward: readonly Value[], { wrt, onStop, checkpoint, budget }: StepOptions): DerivedStep {
  const derive = (results: readonly Value[], stops: StepOptions["onStop"]) => {
    const [loss, ...others] = results;
    const derived = differentiate(loss as Value, { wrt, others, ...(stops && { onStop: stops }) });
    const found = derived.gradients.filter((gradient) => gradient !== undefined);
    return { step: stepOf([derived.loss, ...derived.others], found), reached: derived.gradients.map(Boolean) };
  };
  const { step, reached } = derive(forward, onStop);
  const inPieces = (): Step | undefined => {
    const whole = simplify(forward);
    const pieces = scoresInPieces(whole);
    // What stops gradients was reported once.
    return pieces.every((value, i) => value === whole[i])
      ? undefined
      : derive(pieces, onStop && (() => undefined)).step;
  };
  const fitted = budget && stepWithin(step, inPieces, budget);
  const found = fitted?.gradients ?? (checkpoint === undefined ? recomputed(step) : byModules(step, checkpoint));
  const left = found.values();
  return {
    forward: fitted?.forward ?? step.forward,
    gradients: reached.map((isReached) => (isReached ? left.next().value : undefined)),
    memory: fitted,
  };
}

function byModules(step: Step, checkpoint: PathPatterns): readonly Value[] {
  const segments = segmentsOfModules(step, [checkpoint].flat());
  return computedAgain(
    step,
    checkpointed(step, segments, () => Number.POSITIVE_INFINITY),
  );
}
