/** Which layers adapters stand beside. */
import { matchesPath } from "../core/path-pattern.ts";

/**
 * Layers by paths with `*`, by the last parts of their paths (`q_proj`), or by regular expressions; several in a list. `"all-linear"` is every
 * dense layer but those that give the scores.
 */
export type AdapterTargets = string | RegExp | readonly (string | RegExp)[];

/** A layer that an adapter can stand beside. */
export interface AdapterSite {
  /** Its path, or the weight's where a layer has several; others by which it is known after it. */
  readonly names: readonly [string, ...string[]];
  /** Whether it is a dense layer. */
  readonly isDense: boolean;
  /** Whether outputs are scores of it. */
  readonly givesScores: boolean;
}

/**
 * Last parts of the names of the layers that PEFT adapts where nothing is said: the query and value projections, in the
 * families' own words (peft.utils.constants, TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING).
 */
export const defaultTargets = ["q_proj", "v_proj", "query", "value", "q_lin", "v_lin", "q", "v", "c_attn", "in_proj"];

const allLinear = "all-linear";

/** Whether a name is a target: as a path, or by its last parts. */
export const isNamed = (names: readonly string[], target: string | RegExp): boolean =>
  names.some((name) => matchesPath(name, target) || (typeof target === "string" && name.endsWith(`.${target}`)));

/** The targets as a list; default those of `defaultTargets`. */
export const targetList = (targets: AdapterTargets = defaultTargets): readonly (string | RegExp)[] => [targets].flat();

/** Whether a layer is one of the targets. */
export const isTarget = ({ names, isDense, givesScores }: AdapterSite, targets: AdapterTargets | undefined): boolean =>
  targetList(targets).some((target) => (target === allLinear ? isDense && !givesScores : isNamed(names, target)));
