/** Groups of parameters that are trained otherwise than the rest. */
import { OptionError, unknownName } from "../../core/errors.ts";
import { matchesPath } from "../../nn/module.ts";
import type { Parameter } from "../../nn/parameter.ts";
import { type Optimizer, requireRate } from "../optimizers/optimizer.ts";
import type { Schedule } from "../schedules.ts";
import type { Named } from "../store/parameter-store.ts";

/** Parameters by path, as `freeze` takes them, by several such patterns, or by a function. */
export type ParameterPattern =
  | string
  | RegExp
  | readonly (string | RegExp)[]
  | ((path: string, parameter: Parameter) => boolean);

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

/** Throws OptionError for a factor or rate that makes no sense. */
export function checkGroups(groups: readonly ParameterGroup[]): void {
  for (const [i, { parameters, learningRate, learningRateScale = 1, weightDecayScale = 1 }] of groups.entries()) {
    const where = `groups[${i}]`;
    if (parameters === undefined)
      throw new OptionError(
        `${where} names no parameters; pass { parameters: "layers.0", … }, or a function of the path`,
      );
    requireRate(where, learningRate);
    for (const [name, scale] of Object.entries({ learningRateScale, weightDecayScale }))
      if (!(scale >= 0 && Number.isFinite(scale)))
        throw new OptionError(`${where}: ${name} is ${scale}; pass a number from 0`);
  }
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
