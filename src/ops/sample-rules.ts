/** Where samples lie behind any operator: its own rule, or that of broadcasting. */
import type { Node } from "../graph/ir.ts";
import type { SampleAxes, SampledNode } from "../graph/op.ts";
import { elementwiseOps } from "./registry.ts";
import { commonAxis } from "./samples.ts";

/** Where the samples of a node's outputs lie, by where those of its operands do; `undefined` when it may mix them. */
export const ruleOf = (node: Node, axes: SampleAxes, count: number): SampledNode | undefined =>
  elementwiseOps.has(node.op) ? elementwiseRule(node, axes) : node.op.samples(node, axes, count);

/** Under broadcasting the samples of all operands must meet, and what is the same for all must be repeated along them. */
function elementwiseRule({ inputs, outputs }: Node, axes: SampleAxes): SampledNode | undefined {
  const [{ rank }] = outputs;
  const at = commonAxis(axes.map((axis, i) => (axis !== undefined ? axis + rank - (inputs[i]?.rank ?? 0) : undefined)));
  if (at === undefined) return undefined;
  const isRepeated = inputs.every((value, i) => {
    if (!value || axes[i] !== undefined) return true;
    const own = at - rank + value.rank;
    return own < 0 || value.shape[own] === 1;
  });
  return isRepeated ? { outputs: outputs.map(() => at) } : undefined;
}
