/** The memory of a training step: what is computed again on the way back, so that it takes less. */
import { byteSize, byteSizeType } from "../../core/byte-size.ts";
import { OptionError } from "../../core/errors.ts";
import { byteText } from "../../core/number-text.ts";
import { pathPatternsType } from "../../core/option-types.ts";
import type { OptionTypes } from "../../core/options.ts";
import type { PathPatterns } from "../../core/path-pattern.ts";
import { graphOf } from "../../graph/ir.ts";
import { optimize } from "../../jit/compile.ts";
import { engineMemory, trainedMemory } from "../../jit/run-memory.ts";
import type { StepMemory } from "../../transform/derive-step.ts";
import type { Budget } from "../../transform/memory-budget.ts";
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

export const memoryTypes: OptionTypes<MemoryOptions> = {
  memory: byteSizeType,
  checkpoint: pathPatternsType,
};

/** Throws OptionError for options that say twice what is computed again. */
export function requireOneChoice({ memory, checkpoint }: MemoryOptions): void {
  if (memory !== undefined && checkpoint !== undefined)
    throw new OptionError(
      "training: memory chooses what is computed again, and checkpoint names it; pass one of the two",
    );
}

/** What came of a budget, in a sentence. */
export function memoryText({ bytes, addedWork, segments, hasPieces }: StepMemory): string {
  const again = [
    ...(segments.again > 0
      ? [segments.all > 1 ? `results in ${segments.again} of ${segments.all} blocks` : "results"]
      : []),
    ...(hasPieces ? ["scores of classes, a piece at a time,"] : []),
  ].join(" and ");
  const what =
    again === ""
      ? "nothing is computed twice"
      : `${again} are computed again on the way back, about ${Math.round(100 * addedWork)} % more work`;
  return `a step takes ${byteText(bytes)} of memory as estimated; ${what}`;
}

/** What a step holds beside the values that it computes. */
export interface StepSizes {
  /** Bytes of all parameters and buffers. */
  readonly weights: number;
  /** Elements of what is trained. */
  readonly trainable: number;
  /** Bytes of what optimizers and transforms remember. */
  readonly remembered: number;
}

/** What a step must fit into; `undefined` without a bound. Throws OptionError for text that names no bytes. */
export function budgetOf({ memory }: MemoryOptions, { weights, trainable, remembered }: StepSizes): Budget | undefined {
  if (memory === undefined) return undefined;
  const held = weights + remembered + trainedMemory({ trainable, slots: 0 }).gradients;
  return {
    bytes: byteSize(memory, "memory"),
    measure: (results) => held + engineMemory(optimize(graphOf([...inputsOf(results)], results))),
  };
}
