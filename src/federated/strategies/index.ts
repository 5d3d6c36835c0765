/** The strategies by their names, under which clients are told of them. */
import { unknownName } from "../../core/errors.ts";
import { fedAdam } from "./fed-adam.ts";
import { fedAvg } from "./fed-avg.ts";
import { fedProx } from "./fed-prox.ts";
import { scaffold } from "./scaffold.ts";
import type { Strategy } from "./strategy.ts";

/** The strategies that are built in. */
export const strategies = { fedAvg, fedProx, scaffold, fedAdam } as const;

/** Name of a built-in strategy. */
export type StrategyName = keyof typeof strategies;

/** A strategy from its name and settings. Throws OptionError for a name that is not known, and for settings that it does not have. */
export function strategyOf({ name, settings }: Pick<Strategy, "name" | "settings">): Strategy {
  if (!Object.hasOwn(strategies, name)) throw unknownName("strategy", name, Object.keys(strategies));
  const make: (settings: Readonly<Record<string, number>>) => Strategy = strategies[name as StrategyName];
  return make(settings);
}
