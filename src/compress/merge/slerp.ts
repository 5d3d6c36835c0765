/** Spherical linear interpolation between two models (Shoemake 1985, "Animating rotation with quaternion curves", section 3.3). */
import { OptionError } from "../../core/errors.ts";
import { plural } from "../../core/number-text.ts";
import { share } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { type MergeMethod, weightedSum } from "./method.ts";
import { productsOf } from "./products.ts";

/** Options of `slerp`. */
export interface SlerpOptions {
  /** How far from the first model to the second, in [0, 1]; default 0.5. */
  readonly t?: number;
}

const checkOptions = optionsOf<SlerpOptions>("slerp", { t: share });

/** Vectors whose cosine is larger in size point the same way, or opposite ways: sin Ω would be divided by. */
const nearlyParallel = 0.9995;

/**
 * Each tensor as one vector, turned from the first model's to the second's: sin((1 − t)Ω)/sin Ω · θ_1 + sin(tΩ)/sin Ω · θ_2, with Ω the
 * angle between them. Where they are nearly parallel (|cos Ω| above 0.9995), or one is zero, the interpolation is linear. Throws
 * OptionError for another number of models than two.
 * @example mergeModules([first, second], slerp({ t: 0.3 }))
 */
export function slerp(options: SlerpOptions = {}): MergeMethod {
  const { t = 0.5 } = checkOptions(options);
  return {
    name: "slerp",
    settings: { t },
    needsBase: false,
    requireModels(count) {
      if (count !== 2)
        throw new OptionError(
          `slerp: there ${count === 1 ? "is" : "are"} ${plural(count, "model")}; it turns one into another, pass 2`,
        );
    },
    combine({ values }) {
      const [[own = 0, both = 0] = [], [, other = 0] = []] = productsOf(values);
      const cosine = both / Math.sqrt(own * other);
      if (!(Math.abs(cosine) <= nearlyParallel)) return weightedSum(values, [1 - t, t]);
      const angle = Math.acos(cosine);
      return weightedSum(
        values,
        [Math.sin((1 - t) * angle), Math.sin(t * angle)].map((part) => part / Math.sin(angle)),
      );
    },
  };
}
