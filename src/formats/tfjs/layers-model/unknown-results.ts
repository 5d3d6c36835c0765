/** Values whose shapes are not known, since they come from layers that are not: in each trace. */
import type { Value } from "../../../graph/ir.ts";
import type { Context } from "../../../nn/index.ts";

const found = new WeakMap<Context, Set<Value>>();

/** Those of a trace, which may be added to. */
export function unknownResults(context: Context): Set<Value> {
  const own = found.get(context) ?? new Set<Value>();
  found.set(context, own);
  return own;
}
