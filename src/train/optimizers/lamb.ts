/** LAMB: Adam's direction, as long for each parameter as the parameter itself. */
import { fraction, nonNegative } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { add, div, mul, sqrt, square, sub } from "../../ops/index.ts";
import type { Schedule } from "../schedules.ts";
import { gradientsName, parametersName } from "../store/shard.ts";
import { required } from "./elementwise.ts";
import { defineOptimizer, learningRateType, type Optimizer } from "./optimizer.ts";

/** Options of `lamb`. */
export interface LambOptions {
  /** Step size, a number or a schedule; default 0.001. */
  readonly learningRate?: number | Schedule;
  /** Decay of the first moment; default 0.9. */
  readonly beta1?: number;
  /** Decay of the second moment; default 0.999. */
  readonly beta2?: number;
  /** Added to the root of the second moment; default 1e-6. */
  readonly epsilon?: number;
  /** Share of the weight in the direction; default 0.01. */
  readonly weightDecay?: number;
}

const checkOptions = optionsOf<LambOptions>("lamb", {
  learningRate: learningRateType,
  beta1: fraction,
  beta2: fraction,
  epsilon: nonNegative,
  weightDecay: nonNegative,
});

/**
 * LAMB, for large batches (You et al. 2020, algorithm 2): r = m̂ / (√v̂ + ε) + λ w; w -= rate · (‖w‖ / ‖r‖) · r, with
 * the norms of each parameter; the quotient is 1 where either is 0. Throws OptionError for options that make no sense.
 * @example
 * lamb({ learningRate: 0.002, weightDecay: 0.01 });
 */
export function lamb(options: LambOptions = {}): Optimizer {
  const {
    learningRate = 0.001,
    beta1 = 0.9,
    beta2 = 0.999,
    epsilon = 1e-6,
    weightDecay = 0.01,
  } = checkOptions(options);
  const settings = { beta1, beta2, epsilon, weightDecay };
  const slots = ["moment1", "moment2"];
  return defineOptimizer({
    name: "lamb",
    slots,
    learningRate,
    settings,
    bind(shard) {
      // The direction takes the place of the gradient.
      const direction = shard.loop([parametersName, gradientsName, ...slots], 4, ([p, raw, m, v], scalars) => {
        const [first, second, decay, scale] = scalars;
        const g = mul(required(raw), required(scale));
        const moment1 = add(mul(required(m), beta1), mul(g, 1 - beta1));
        const moment2 = add(mul(required(v), beta2), mul(square(g), 1 - beta2));
        const root = add(sqrt(mul(moment2, required(second))), epsilon);
        const adapted = div(mul(moment1, required(first)), root);
        const moved = weightDecay > 0 ? add(adapted, mul(required(p), required(decay))) : adapted;
        return { results: [undefined, moved, moment1, moment2] };
      });
      const squares = (name: string) => shard.loop([name], 0, ([x]) => ({ results: [], sum: square(required(x)) }));
      const [ofParameters, ofDirections] = [squares(parametersName), squares(gradientsName)];
      const move = shard.loop([parametersName, gradientsName], 1, ([p, r], [rate]) => ({
        results: [sub(required(p), mul(required(r), required(rate)))],
      }));
      return {
        async update({ start, end, slots: parameters }, { step, learningRate: rate, decayScale, scale }) {
          const corrections = [1 / (1 - beta1 ** step), 1 / (1 - beta2 ** step)];
          await direction(start, end, [...corrections, weightDecay * decayScale, scale]);
          for (const { offset, length } of parameters) {
            const weight = Math.sqrt(await ofParameters(offset, offset + length, []));
            const change = Math.sqrt(await ofDirections(offset, offset + length, []));
            await move(offset, offset + length, [rate * (weight > 0 && change > 0 ? weight / change : 1)]);
          }
        },
      };
    },
  });
}
