/** Optimizers whose update of an element depends on nothing but that element: one fused loop over all parameters. */
import { InternalError } from "../../core/errors.ts";
import { flag, nonNegative } from "../../core/option-types.ts";
import type { OptionTypes } from "../../core/options.ts";
import type { Value } from "../../graph/ir.ts";
import { add, mul, sub } from "../../ops/index.ts";
import { gradientsName, parametersName } from "../store/shard.ts";
import { defineOptimizer, type Optimizer, type OptimizerDefinition } from "./optimizer.ts";

/** How weights are drawn towards zero. */
export interface WeightDecayOptions {
  /** Share of the weight that is taken off, times the rate; default 0. */
  readonly weightDecay?: number;
  /**
   * Take it off the weight itself, apart from the gradient (Loshchilov and Hutter 2019); default false: weightDecay · w is
   * added to the gradient.
   */
  readonly decoupled?: boolean;
}

export const weightDecayTypes: OptionTypes<WeightDecayOptions> = { weightDecay: nonNegative, decoupled: flag };

/** What an update sees: equally long flat vectors, and the scalars of this step. */
export interface UpdateView {
  /** The gradient. */
  readonly g: Value;
  /** What is remembered, in the order of the definition's slots. */
  readonly slots: readonly Value[];
  /** What the definition's `scalars` give for this step. */
  readonly scalars: readonly Value[];
}

/** What defines an optimizer that looks at one element at a time; see `elementwise`. */
export interface ElementwiseDefinition extends Omit<OptimizerDefinition, "bind"> {
  /** How weights are drawn towards zero; default not at all. */
  readonly decay?: Required<WeightDecayOptions>;
  /** Scalars of update `step` (1 for the first), computed outside the loop; default the rate. */
  scalars?(step: number, learningRate: number): readonly number[];
  /** What is taken off the parameter, and what the slots become. */
  change(view: UpdateView): { readonly change: Value; readonly slots: readonly Value[] };
}

/**
 * An optimizer from the update of one element, of + - * /, sqrt, min, max and abs.
 * @example
 * const signed = elementwise({
 *   name: "signed", slots: [], learningRate: 0.001, settings: {},
 *   change({ g, scalars }) {
 *     const direction = ops.div(g, ops.add(ops.abs(g), 1e-12)); // 0 where g is 0
 *     return { change: ops.mul(direction, scalars[0] as Value), slots: [] };
 *   },
 * });
 */
export function elementwise(definition: ElementwiseDefinition): Optimizer {
  const { slots, decay, scalars: scalarsOf = (_, rate) => [rate], change: changeOf } = definition;
  const { weightDecay, decoupled } = decay ?? { weightDecay: 0, decoupled: false };
  return defineOptimizer({
    ...definition,
    bind(shard) {
      const names = [parametersName, gradientsName, ...slots];
      // The last two: what the decay does, and what the gradient is multiplied by.
      const count = scalarsOf(1, 0).length;
      const kernel = shard.loop(names, count + 2, ([p, raw, ...remembered], scalars) => {
        const [amount, scale] = scalars.slice(count);
        if (!p || !raw || !amount || !scale) throw new InternalError("an update needs parameters and gradients");
        const scaled = mul(raw, scale);
        const g = weightDecay > 0 && !decoupled ? add(scaled, mul(p, amount)) : scaled;
        const { change, slots: next } = changeOf({ g, slots: remembered, scalars: scalars.slice(0, count) });
        const kept = weightDecay > 0 && decoupled ? mul(p, amount) : p;
        return { results: [sub(kept, change), undefined, ...next] };
      });
      return {
        async update({ start, end }, { step, learningRate, decayScale, scale }) {
          const share = weightDecay * decayScale;
          const amount = decoupled ? 1 - learningRate * share : share;
          await kernel(start, end, [...scalarsOf(step, learningRate), amount, scale]);
        },
      };
    },
  });
}

/** A vector or scalar that the optimizer's own declaration promises. */
export function required(value: Value | undefined): Value {
  if (!value) throw new InternalError("optimizer: a slot or scalar that it declares is missing from its update");
  return value;
}
