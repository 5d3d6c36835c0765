/** Along which axes the samples of a batch lie in the values of a graph, where each is computed by itself. */
import { UnsupportedError } from "../../core/errors.ts";
import { type Node, nodesOf, type Value } from "../../graph/ir.ts";
import type { SampleAxes, SampledNode } from "../../graph/op.ts";
import { elementwiseOps } from "../../ops/registry.ts";
import { ruleOf } from "../../ops/sample-rules.ts";

/** The axes of values that depend on the data. */
export type AxesOfValues = ReadonlyMap<Value, number>;

/** Thrown where samples are mixed, or where no rule shows that they are not. */
export class MixedSamplesError extends UnsupportedError {
  /** Whether a rule says that the node mixes samples, rather than that there is none. */
  readonly isKnown: boolean;

  constructor(node: Node, isKnown = elementwiseOps.has(node.op) || node.op.hasSampleRule) {
    const layer = node.scope?.path ?? "the graph";
    super(
      `${layer}: ${node.op.type} ${isKnown ? "computes across the samples of a batch" : "has no rule about samples"}, so that a sample's own gradient is not known`,
    );
    this.isKnown = isKnown;
  }
}

/**
 * The axes of the values behind `outputs`, of data whose samples lie along the first axis. Throws MixedSamplesError for a node that does not compute each
 * sample by itself.
 */
export function sampleAxes(
  outputs: readonly Value[],
  { data, count }: { readonly data: readonly Value[]; readonly count: number },
): Map<Value, number> {
  const axes = new Map(data.map((value) => [value, 0]));
  for (const node of nodesOf(outputs)) {
    if (!node.inputs.some((value) => value && axes.has(value))) continue;
    const found = axesOfNode(node, axes, count);
    if (!found) throw new MixedSamplesError(node);
    for (const [i, output] of node.outputs.entries()) {
      const axis = found[i];
      if (axis !== undefined) axes.set(output, axis);
    }
    if (found[0] === undefined) throw new MixedSamplesError(node);
  }
  return axes;
}

/** Where the samples of a node's outputs lie; `undefined` when it may mix them. */
export function axesOfNode(node: Node, axes: AxesOfValues, count: number): SampleAxes | undefined {
  const own = node.inputs.map((value) => value && axes.get(value));
  const rule = ruleOf(node, own, count) ?? withOwnRows(node, own, count);
  // What is the same for all may stand where samples are wanted, if it has a row for each.
  const isPlaced = rule?.operands?.every(
    (axis, i) => axis === own[i] || own[i] === undefined || node.inputs[i] === undefined,
  );
  return isPlaced === false ? undefined : rule?.outputs;
}

/** The rule with operands that do not depend on data, and have a row for each sample: random masks, seeds of gradients. */
function withOwnRows(node: Node, own: SampleAxes, count: number): SampledNode | undefined {
  const { inputs, outputs } = node;
  const places = own.flatMap((axis, i) => (axis === undefined ? [] : [axis - (inputs[i]?.rank ?? 0)]));
  const at = Math.max(...places);
  const filled = inputs.map((value, i) => {
    if (!value || own[i] !== undefined || value.rank + at < 0) return own[i];
    const extent = value.shape[value.rank + at] ?? 1;
    const wanted = outputs[0].shape[outputs[0].rank + at];
    return extent > 1 && extent % count === 0 && extent === wanted ? value.rank + at : undefined;
  });
  return ruleOf(node, filled, count);
}
