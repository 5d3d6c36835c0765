/** Rates and decay that fall with depth: the deeper a layer lies, the less it is changed (Howard and Ruder 2018, sec. 3.2). */
import { nonNegative, positive } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import type { AnyModule } from "../../nn/index.ts";
import type { ParameterGroup } from "../../train/index.ts";
import { layerGroups } from "./layer-groups.ts";

/** Options of `discriminativeGroups`. */
export interface DiscriminativeOptions {
  /** By how much the rate of a block is smaller than that of the next one; default 2.6, as in the paper. */
  readonly factor?: number;
  /** By how much its weight decay is; default 1: the same everywhere. */
  readonly decayFactor?: number;
  /** The smallest share of the rate that any block has; default 0. */
  readonly least?: number;
}

const checkOptions = optionsOf<DiscriminativeOptions>("discriminativeGroups", {
  factor: positive,
  decayFactor: positive,
  least: nonNegative,
});

/**
 * Groups for the option `training.groups`: the head has the optimizer's rate η, the block before it η / factor, and so on down to the stem.
 * @example
 * await fit(model, data, { loss, optimizer: adamW({ learningRate: 1e-3 }), training: { groups: discriminativeGroups(model) } });
 */
export function discriminativeGroups(model: AnyModule, options: DiscriminativeOptions = {}): readonly ParameterGroup[] {
  const { factor = 2.6, decayFactor = 1, least = 0 } = checkOptions(options);
  const groups = layerGroups(model);
  return groups.map(({ paths }, i) => {
    const above = groups.length - 1 - i;
    const own = new Set(paths);
    return {
      parameters: (path: string) => own.has(path),
      learningRateScale: Math.max(least, factor ** -above),
      weightDecayScale: decayFactor ** -above,
    };
  });
}
