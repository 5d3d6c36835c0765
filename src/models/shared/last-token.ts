/** The last token of a sequence that takes part, and its state. */
import type { Shape } from "../../core/shape.ts";
import type { Value } from "../../graph/ir.ts";
import { cast, expand, matmul, mul, oneHot, range, reduceMax, reshape } from "../../ops/index.ts";

/** The number of the last of the tokens [N, T] for which `real` holds, int64 [N]; default the last of all. */
export function lastOf(real: Value | undefined, [batch = 1, time = 1]: Shape): Value {
  const numbers = expand(range(time), [batch, time]);
  return reduceMax(real ? mul(numbers, cast(real, "int64")) : numbers, 1);
}

/** The state of one token of each sequence: [N, T, W] and its number [N] → [N, W]. */
export function stateAt(states: Value, at: Value): Value {
  const [batch = 1, time = 1, width = 1] = states.shape;
  const chosen = reshape(oneHot(at, time), [batch, 1, time]);
  return reshape(matmul(chosen, states), [batch, width]);
}
