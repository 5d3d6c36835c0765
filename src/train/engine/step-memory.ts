/** The memory of a training step: what is computed again on the way back, so that it takes less. */
import { differentiate, orZeros } from "../../autodiff/gradients.ts";
import { byteSize, byteSizeType } from "../../core/byte-size.ts";
import { OptionError } from "../../core/errors.ts";
import { eitherOf, listOf, matching } from "../../core/option-types.ts";
import type { OptionTypes } from "../../core/options.ts";
import { size } from "../../core/shape.ts";
import { graphOf, type Value } from "../../graph/ir.ts";
import { simplify } from "../../graph/passes.ts";
import { optimize } from "../../jit/compile.ts";
import { engineMemory, trainedMemory } from "../../jit/run-memory.ts";
import { scoresInPieces } from "../../ops/training/label-scores.ts";
import { checkpointed, segmentsOfModules } from "../../transform/checkpointing.ts";
import { type FittedStep, stepWithin } from "../../transform/memory-budget.ts";
import { computedAgain, recomputed, type Step, stepOf } from "../../transform/recompute.ts";
import { inputsOf } from "./kept-part.ts";

/** How much memory steps may take; the gradients are the same numbers. */
export interface MemoryOptions {
  /**
   * What a step may take in bytes, or as text such as "2GB": parameters, gradients, what the optimizer remembers, and the values that are alive
   * together. As much is computed again on the way back as that needs, what takes least work first. Default: no bound.
   */
  readonly memory?: number | string | undefined;
  /**
   * Modules by their paths, `*` for any letters, such as "h.*": their outputs are kept, and what is inside them is computed again on the
   * way back (Chen et al. 2016). Default: none.
   */
  readonly checkpoint?: PathPatterns | undefined;
}

type PathPatterns = string | RegExp | readonly (string | RegExp)[];

const pathPattern = matching<string | RegExp>(
  "a path such as layers.0",
  (value) => typeof value === "string" || value instanceof RegExp,
);

export const memoryTypes: OptionTypes<MemoryOptions> = {
  memory: byteSizeType,
  checkpoint: eitherOf(pathPattern, listOf(pathPattern, "paths"), 'paths of modules, such as "h.*"'),
};

/** Throws OptionError for options that say twice what is computed again. */
export function requireOneChoice({ memory, checkpoint }: MemoryOptions): void {
  if (memory !== undefined && checkpoint !== undefined)
    throw new OptionError(
      "training: memory chooses what is computed again, and checkpoint names it; pass one of the two",
    );
}

/** What a step holds beside the values that it computes. */
export interface StepSizes {
  /** Bytes of all parameters and buffers. */
  readonly weights: number;
  /** Bytes of what optimizers and transforms remember. */
  readonly remembered: number;
}

/** What came of a budget: the bytes of a step as estimated, and what is computed again for it. */
export type StepMemory = Pick<FittedStep, "bytes" | "addedWork" | "segments" | "hasPieces">;

/** A loss with its gradients, and with what is computed beside it. */
export interface DerivedStep {
  /** The loss first. */
  readonly forward: readonly Value[];
  readonly gradients: readonly Value[];
  /** Of a step with a budget. */
  readonly memory: StepMemory | undefined;
}

/**
 * The gradients of the first of `forward` with respect to `wrt`, with what the options want computed again. Throws OptionError for a budget
 * that cannot be met, and for paths that no module has.
 */
export function deriveStep(
  forward: readonly Value[],
  wrt: readonly Value[],
  { memory, checkpoint }: MemoryOptions,
  { weights, remembered }: StepSizes,
): DerivedStep {
  const differentiated = (hasPieces: boolean): Step => {
    const [loss, ...others] = hasPieces ? scoresInPieces(simplify(forward)) : forward;
    const derived = differentiate(loss as Value, { wrt, others });
    const gradients = derived.gradients.map((gradient, i) => orZeros(gradient, wrt[i] as Value));
    return stepOf([derived.loss, ...derived.others], gradients);
  };
  if (memory === undefined) {
    const step = differentiated(false);
    if (checkpoint === undefined) return { ...step, gradients: recomputed(step), memory: undefined };
    const segments = segmentsOfModules(step, Array.isArray(checkpoint) ? checkpoint : [checkpoint]);
    const groups = checkpointed(step, segments, () => Number.POSITIVE_INFINITY);
    return { ...step, gradients: computedAgain(step, groups), memory: undefined };
  }
  const trainable = wrt.reduce((sum, { shape }) => sum + size(shape), 0);
  const held = weights + remembered + trainedMemory({ trainable, slots: 0 }).gradients;
  const fitted = stepWithin(differentiated, {
    bytes: byteSize(memory, "memory"),
    measure: (results) => held + engineMemory(optimize(graphOf([...inputsOf(results)], results))),
  });
  return { ...fitted, memory: fitted };
}
