/** Several small batches as one large one. */
import { OptionError } from "../../core/errors.ts";
import { add, mul, scalar } from "../../ops/index.ts";
import { gradientsName } from "../store/shard.ts";
import type { GradientTransform, Transformed } from "./transform.ts";

const slot = "accumulated";

/**
 * Updates once for `batches` batches, by the mean of their gradients, each weighted by what its loss is a mean over; what is held
 * at the end of an epoch makes an update of its own. Throws OptionError unless `batches` is a whole number from 1.
 */
export function accumulate(batches: number): GradientTransform {
  if (!Number.isInteger(batches) || batches < 1)
    throw new OptionError(`accumulate is ${batches}; pass a whole number of batches, at least 1`);
  return {
    name: "accumulate",
    slots: [slot],
    bind(shards, memory) {
      const loops = shards.map((shard) => ({
        length: shard.length,
        add: shard.loop([slot, gradientsName], 1, ([total, g], [weight]) => ({
          results: [total && g && weight && add(total, mul(g, weight))],
        })),
        handOn: shard.loop([slot, gradientsName], 1, ([total, g], [weight]) => ({
          results: [scalar(0), total && g && weight && add(total, mul(g, weight))],
        })),
      }));
      const { held = 0, total = 0, unit = 1 } = memory;
      // Weights are counted in those of the first batch: equal batches then add up as they are.
      Object.assign(memory, { held, total, unit });
      const sums = memory as { held: number; total: number; unit: number };
      const reset = () => {
        const scale = sums.total > 0 ? 1 / sums.total : 1;
        Object.assign(sums, { held: 0, total: 0, unit: 1 });
        return scale;
      };
      return {
        async apply(gradients, { weight }): Promise<Transformed> {
          if (sums.held === 0) sums.unit = weight > 0 ? weight : 1;
          const share = weight / sums.unit;
          sums.held++;
          sums.total += share;
          const isLast = sums.held === batches;
          for (const { length, add, handOn } of loops)
            await (isLast ? handOn : add)(0, length, [share * gradients.scale]);
          if (!isLast) return "held";
          gradients.scale = reset();
          return "changed";
        },
        async flush(gradients): Promise<Transformed> {
          if (sums.held === 0) return "held";
          for (const { length, handOn } of loops) await handOn(0, length, [0]);
          gradients.scale = reset();
          return "changed";
        },
      };
    },
  };
}
