/** Order in which values are computed, where it decides how much is held at once. */
import { size } from "../core/shape.ts";
import type { Value } from "../graph/ir.ts";
import { cast } from "./cast.ts";
import { add, mul } from "./elementwise.ts";
import { reshape } from "./movement.ts";
import { slice } from "./slicing.ts";

/**
 * x, a number of any type, computed after a float value: 0 times its first element is added, so that no engine can do otherwise, nor take a value that was
 * computed before. An element that is not finite makes x NaN.
 */
export function after(x: Value, earlier: Value): Value {
  const first = slice(reshape(earlier, [size(earlier.shape)]), { axis: 0, start: 0, end: 1 });
  return add(x, cast(mul(first, 0), x.dtype));
}
