/** Whether a graph computes each sample of a batch by itself, so that copies of one sample can be computed together. */
import { nodesOf, type Value } from "../graph/ir.ts";
import { Expand } from "../ops/index.ts";
import { ruleOf } from "../ops/sample-rules.ts";

/**
 * Whether the samples of `output`, along its first axis, follow each from its own sample of `x` alone, as the operators' rules about samples
 * show. What they do not show is false.
 */
export function samplesApart(x: Value, output: Value): boolean {
  const count = x.shape[0] ?? 1;
  /** Where samples lie; `undefined` where they may be mixed. */
  const axes = new Map<Value, number | undefined>([[x, 0]]);
  for (const node of nodesOf([output])) {
    const sampled = node.inputs.filter((value) => value !== undefined && axes.has(value)) as readonly Value[];
    if (sampled.length === 0) continue;
    const own = node.inputs.map((value) => value && axes.get(value));
    const rule = sampled.some((value) => axes.get(value) === undefined) ? undefined : ruleOf(node, own, count);
    const isPlaced = rule?.operands?.every((axis, i) => axis === own[i] || isRepeated(node.inputs[i], axis)) ?? true;
    for (const [i, value] of node.outputs.entries()) axes.set(value, isPlaced ? rule?.outputs[i] : undefined);
  }
  return axes.get(output) === 0;
}

/** Whether a value is the same for all samples along an axis, such as the class token of a transformer that stands before each image. */
function isRepeated(value: Value | undefined, axis: number | undefined): boolean {
  const { op, inputs } = value?.producer ?? {};
  const source = op === Expand ? inputs?.[0] : undefined;
  if (!value || !source || axis === undefined) return false;
  return (source.shape[axis - value.rank + source.rank] ?? 1) === 1;
}
