/** Networks that say what each action is worth (Mnih et al. 2015), plain or with dueling heads (Wang et al. 2016). */
import { count, flag, having } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import type { Value } from "../../graph/ir.ts";
import { type Context, dense, Module } from "../../nn/index.ts";
import { add, gatherElements, reduceMean, reshape, sub } from "../../ops/index.ts";

/** Options of `QNetwork`. */
export interface QNetworkOptions {
  /** From observations to features [N, F]. */
  readonly body: Module;
  /** Number of actions. */
  readonly actions: number;
  /** Value of the state and advantage of each action apart: Q = V + A - mean A (Wang et al. 2016, eq. 9); default false. */
  readonly dueling?: boolean;
}

const checkQNetwork = optionsOf<QNetworkOptions>("QNetwork", {
  body: required(having("apply", "a module")),
  actions: required(count()),
  dueling: flag,
});

/** What a network of action values takes. */
export type QInputs = {
  /** Observations, [N, …]. */
  readonly x: Value;
  /** The actions whose values are asked for, int32 [N]; default all. */
  readonly action?: Value | undefined;
};

/** Observations [N, …] → values of all actions [N, actions], or with `action` (int32 [N]) of those alone, [N]. */
export class QNetwork extends Module<QInputs> {
  override readonly inputs = { x: "required", action: "optional" } as const;
  readonly body: Module;
  readonly advantage: Module;
  readonly value: Module | undefined;
  constructor(options: QNetworkOptions) {
    super();
    const { body, actions, dueling = false } = checkQNetwork(options);
    this.body = body;
    this.advantage = dense(actions);
    this.value = dueling ? dense(1) : undefined;
  }
  protected call({ x, action }: QInputs, context: Context): Value {
    const features = this.body.apply(x, context);
    const advantages = this.advantage.apply(features, context);
    const values = this.value
      ? add(this.value.apply(features, context), sub(advantages, reduceMean(advantages, 1, { keepDims: true })))
      : advantages;
    if (!action) return values;
    const rows = x.shape[0] ?? 1;
    return reshape(gatherElements(values, reshape(action, [rows, 1]), 1), [rows]);
  }
}
