/** Keeping a single batch from throwing the parameters far away. */
import { OptionError } from "../../core/errors.ts";
import { maximum, minimum, mul } from "../../ops/index.ts";
import { gradientsName } from "../store/shard.ts";
import type { GradientTransform, Transformed } from "./transform.ts";

/**
 * Scales all gradients down to the Euclidean norm `limit` when they are longer (Pascanu et al. 2013, sec. 3.2). Throws
 * OptionError unless the limit is positive.
 * @example
 * training: { transforms: [clipNorm(1)] } // or, in short, training: { clipNorm: 1 }
 */
export function clipNorm(limit: number): GradientTransform {
  if (!(limit > 0)) throw new OptionError(`clipNorm is ${limit}; pass a positive norm`);
  return {
    name: "clipNorm",
    bind: () => ({
      async apply(gradients): Promise<Transformed> {
        gradients.scale *= Math.min(1, limit / ((await gradients.norm()) + 1e-6));
        return "unchanged";
      },
    }),
  };
}

/** Cuts every element of the gradients off at -limit and limit. Throws OptionError unless the limit is positive. */
export function clipValue(limit: number): GradientTransform {
  if (!(limit > 0)) throw new OptionError(`clipValue is ${limit}; pass a positive number`);
  return {
    name: "clipValue",
    bind(shards) {
      const loops = shards.map((shard) => ({
        length: shard.length,
        clip: shard.loop([gradientsName], 1, ([g], [scale]) => ({
          results: [g && scale && maximum(minimum(mul(g, scale), limit), -limit)],
        })),
      }));
      return {
        async apply(gradients): Promise<Transformed> {
          for (const { length, clip } of loops) await clip(0, length, [gradients.scale]);
          gradients.scale = 1;
          return "changed";
        },
      };
    },
  };
}
