/** Groups of parameters that are trained otherwise than the rest. */
import { unknownName } from "../../core/errors.ts";
import { matching, nonNegative } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import { matchesPath } from "../../core/path-pattern.ts";
import type { Parameter } from "../../nn/parameter.ts";
import { learningRateType, type Optimizer, optimizerType } from "../optimizers/optimizer.ts";
import type { Schedule } from "../schedules.ts";
import type { Named } from "../store/parameter-store.ts";

/** Parameters by path, as `freeze` takes them, by several such patterns, or by a function. */
export type ParameterPattern =
  | string
  | RegExp
  | readonly (string | RegExp)[]
  | ((path: string, parameter: Parameter) => boolean);

const isPath = (value: unknown): boolean => typeof value === "string" || value instanceof RegExp;

export const patternType = matching<ParameterPattern>(
  'a path such as "layers.0", a pattern, a list of them, or a function of the path',
  (value) => isPath(value) || typeof value === "function" || (Array.isArray(value) && value.every(isPath)),
);

/**
 * How the updates of some parameters differ from the others'.
 * @example
 * training: { groups: [{ parameters: "backbone", learningRateScale: 0.1 }, { parameters: /bias$/, weightDecayScale: 0 }] }
 */
export interface ParameterGroup {
  /** Which; the first group that matches counts. */
  readonly parameters: ParameterPattern;
  /** In place of the optimizer's rate; default that. */
  readonly learningRate?: number | Schedule;
  /** Factor of the learning rate; default 1. */
  readonly learningRateScale?: number;
  /** Factor of the weight decay; default 1. */
  readonly weightDecayScale?: number;
  /** In place of the run's optimizer; default that. */
  readonly optimizer?: Optimizer;
}

export const checkGroup = optionsOf<ParameterGroup>("a group of parameters", {
  parameters: required(patternType),
  learningRate: learningRateType,
  learningRateScale: nonNegative,
  weightDecayScale: nonNegative,
  optimizer: optimizerType,
});

/** How one parameter is updated. */
export interface UpdateSettings {
  readonly learningRate: number | Schedule;
  readonly learningRateScale: number;
  readonly weightDecayScale: number;
}

/** Whether a pattern takes a parameter. */
export const takes = (pattern: ParameterPattern, [path, parameter]: Named<Parameter>): boolean =>
  typeof pattern === "function"
    ? pattern(path, parameter)
    : [pattern].flat().some((own: string | RegExp) => matchesPath(path, own));

/** Throws OptionError, with the nearest path, for a pattern of paths that takes none. */
export function requireTaken(pattern: ParameterPattern, members: Iterable<Named<Parameter>>): void {
  const all = [...members];
  if (typeof pattern === "function") return;
  for (const own of [pattern].flat())
    if (!all.some(([path]) => matchesPath(path, own)))
      throw unknownName(
        "parameter",
        String(own),
        all.map(([path]) => path),
      );
}

/** The optimizer of a parameter, and how it is updated. */
export function settingsOf(
  member: Named<Parameter>,
  optimizer: Optimizer,
  groups: readonly ParameterGroup[],
): { readonly optimizer: Optimizer; readonly settings: UpdateSettings } {
  const group = groups.find(({ parameters }) => takes(parameters, member));
  const chosen = group?.optimizer ?? optimizer;
  const own = chosen.others?.(member[1].shape) ?? chosen;
  const { learningRate = own.learningRate, learningRateScale = 1, weightDecayScale = 1 } = group ?? {};
  return { optimizer: own, settings: { learningRate, learningRateScale, weightDecayScale } };
}
