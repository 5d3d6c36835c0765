/** The part of a training step that depends on nothing that is trained and on nothing random: the same for a sample each time. */
import { constantOf, input, type Node, nodesOf, type Value } from "../graph/ir.ts";
import { rewrite } from "../graph/rewrite.ts";
import { ruleOf } from "../ops/sample-rules.ts";

/** What a step reads. */
export interface StepInputs {
  /** Tensors of the batch, whose samples lie along the first axis. */
  readonly data: readonly Value[];
  /** Everything that changes from step to step: what is trained, keys of randomness. */
  readonly varying: ReadonlySet<Value>;
  /** Samples of the batch. */
  readonly count: number;
}

/** A step in two parts. */
export interface CutStep {
  /** What the first part gives, each sample's along the first axis. */
  readonly kept: readonly Value[];
  /** Graph inputs that stand for it in the second. */
  readonly entering: readonly Value[];
  /** The outputs, computed by the second part. */
  readonly outputs: readonly Value[];
  /** Multiply-adds of the first part, and of both without gradients. */
  readonly macs: { readonly kept: number; readonly all: number };
}

/** Of a prefix that makes less of the work than this it is not worth to keep the results. */
const leastShare = 0.05;

/**
 * Cuts off the frozen prefix of a step: values are kept behind sums of products, of which each sample's follow from that sample alone, as the
 * operators' rules about samples show. Returns why there is none, in words that follow "since".
 */
export function cutFrozenPrefix(outputs: readonly Value[], { data, varying, count }: StepInputs): CutStep | string {
  const nodes = nodesOf(outputs);
  const axes = new Map<Value, number>(data.map((value) => [value, 0]));
  const isVarying = new Set(varying);
  /** Values behind a sum of products of data. */
  const heavy = new Set<Value>();
  const first = new Set<Node>();
  for (const node of nodes) {
    const operands = node.inputs.filter((value) => value !== undefined);
    if (operands.some((value) => isVarying.has(value))) {
      for (const output of node.outputs) isVarying.add(output);
      continue;
    }
    if (!operands.some((value) => axes.has(value))) continue;
    const own = node.inputs.map((value) => value && axes.get(value));
    const rule = ruleOf(node, own, count);
    const isPlaced = rule?.operands?.every((axis, i) => axis === own[i]) ?? true;
    const known = rule && isPlaced ? rule.outputs : [];
    if (known.some((axis) => axis !== undefined)) first.add(node);
    const isHeavy = node.op.contracts || operands.some((value) => heavy.has(value));
    for (const [i, output] of node.outputs.entries()) {
      const axis = known[i];
      // What mixes samples is different in each batch, and so are the places of maxima, which count through it.
      if (axis === undefined) isVarying.add(output);
      else axes.set(output, axis);
      if (axis !== undefined && isHeavy) heavy.add(output);
    }
  }
  const kept = boundary(nodes, outputs, { first, axes, heavy, count });
  if (kept.length === 0) return "nothing that is computed before the trained layers takes much work";
  const before = nodesOf(kept);
  const macs = (some: readonly Node[]) => some.reduce((sum, node) => sum + node.op.macs(node), 0);
  const [ofFirst, all] = [macs(before), macs(nodes)];
  if (ofFirst < leastShare * all)
    return `what is frozen makes only ${((100 * ofFirst) / all).toFixed(1)} % of the work before the trained layers`;
  const entering = kept.map((value, i) => input(value.dtype, value.shape, `kept.${i}`));
  const given = new Map(kept.map((value, i) => [value, entering[i] as Value]));
  const cut = rewrite(outputs, () => undefined, given).outputs.map((value) => given.get(value) ?? value);
  return { kept, entering, outputs: cut, macs: { kept: ofFirst, all } };
}

interface Sampled {
  readonly first: ReadonlySet<Node>;
  readonly axes: ReadonlyMap<Value, number>;
  readonly heavy: ReadonlySet<Value>;
  readonly count: number;
}

/** The values behind which the first part ends: as late as samples lie along the first axis. */
function boundary(
  nodes: readonly Node[],
  outputs: readonly Value[],
  { first, axes, heavy, count }: Sampled,
): readonly Value[] {
  const found = new Set<Value>();
  const pending = new Set<Value>();
  for (const node of nodes) if (!first.has(node)) for (const value of node.inputs) if (value) pending.add(value);
  for (const value of outputs) pending.add(value);
  for (const value of pending) {
    if (!heavy.has(value) || found.has(value)) continue;
    const isKept = axes.get(value) === 0 && (value.shape[0] ?? 0) % count === 0 && !constantOf(value);
    if (isKept) found.add(value);
    // A set goes on to what is added while it is walked.
    else for (const operand of value.producer?.inputs ?? []) if (operand) pending.add(operand);
  }
  return [...found];
}
