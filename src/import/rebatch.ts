/**
 * Graphs of files that are written for one batch size, as graphs for another. Every node must compute each sample by itself, which
 * the operators' rules about samples show; so the result for many samples is that of each alone.
 */
import { ShapeError, UnsupportedError } from "../core/errors.ts";
import { type Shape, showShape } from "../core/shape.ts";
import { constantOf, type Node, nodesOf, type Value } from "../graph/ir.ts";
import { makeNode, type SampledNode } from "../graph/op.ts";
import { int64s } from "../ops/constant.ts";
import { tile } from "../ops/movement.ts";
import { elementwiseOps } from "../ops/registry.ts";
import { ruleOf } from "../ops/sample-rules.ts";

/** A value, and the axis along which its samples lie; none where it is the same for all. */
export interface Sampled {
  readonly value: Value;
  readonly axis: number | undefined;
}

/** Samples in the graph of the file, and in the one that is made. */
export interface BatchSizes {
  readonly from: number;
  readonly to: number;
}

/**
 * The outputs of a graph for another number of samples.
 * @param entering for graph inputs, what takes their place: where the samples of the input lie, there those of the value do
 * Throws UnsupportedError, which names the node, where samples are mixed or no rule says that they are not.
 */
export function rebatch(
  outputs: readonly Value[],
  entering: ReadonlyMap<Value, Sampled>,
  sizes: BatchSizes,
): readonly Sampled[] {
  const known = new Map(entering);
  /** Outputs that are not computed sample by sample. */
  const mixed = new Set<Value>();
  const sampledOf = (value: Value): Sampled => known.get(value) ?? { value, axis: undefined };
  for (const node of nodesOf(outputs, entering)) {
    const operands = node.inputs.map((value) => value && sampledOf(value));
    if (operands.every((operand, i) => operand?.value === node.inputs[i])) continue;
    const dependent = node.inputs.find((value) => value && mixed.has(value));
    if (dependent) throw refusal(node, sizes);
    const axes = operands.map((operand) => operand?.axis);
    const rule = axes.some((axis) => axis !== undefined) ? ruleOf(node, axes, sizes.from) : shared(node);
    if (!rule) throw refusal(node, sizes);
    const made = remade(node, operands, rule, sizes);
    for (const [i, output] of node.outputs.entries()) {
      if (i >= rule.outputs.length) mixed.add(output);
      else known.set(output, { value: made.outputs[i] as Value, axis: rule.outputs[i] });
    }
  }
  const lost = outputs.find((output) => mixed.has(output));
  if (lost?.producer) throw refusal(lost.producer, sizes);
  return outputs.map(sampledOf);
}

/** A node behind inputs that are replaced, of which none has samples. */
const shared = ({ outputs }: Node): SampledNode => ({ outputs: outputs.map(() => undefined) });

/** The node for the other batch size. Throws UnsupportedError when its shapes are not those that the samples make. */
function remade(node: Node, operands: readonly (Sampled | undefined)[], rule: SampledNode, sizes: BatchSizes): Node {
  const { op, inputs, attributes, scope } = node;
  const extents = new Set<number | undefined>();
  const given = operands.map((operand, i) => {
    const axis = rule.operands ? rule.operands[i] : operand?.axis;
    const value = inputs[i];
    if (!operand || !value || axis === undefined) return operand?.value;
    extents.add(value.shape[axis]);
    return operand.axis === undefined ? repeated(operand.value, axis, sizes) : operand.value;
  });
  if (extents.size > 1 || given.some((value, i) => value === undefined && inputs[i])) throw refusal(node, sizes);
  const wanted = node.outputs.map(({ shape }, i) => scaled(shape, rule.outputs[i], sizes));
  const { target } = op;
  const listed = target === undefined ? undefined : constantOf(given[target])?.shape[0];
  if (target !== undefined && listed === wanted[0]?.length) given[target] = int64s(wanted[0] ?? []);
  const made = attempt(node, sizes, () => makeNode(op, given, attributes, scope));
  const wrong = made.outputs.findIndex(
    (output, i) => i < rule.outputs.length && showShape(output.shape) !== showShape(wanted[i] ?? []),
  );
  if (wrong >= 0) throw refusal(node, sizes);
  return made;
}

function attempt<T>(node: Node, sizes: BatchSizes, make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw error instanceof ShapeError ? refusal(node, sizes, error) : error;
  }
}

/** A shape of the file with another number of samples along an axis. */
const scaled = (shape: Shape, axis: number | undefined, { from, to }: BatchSizes): Shape =>
  shape.map((extent, i) => (i === axis ? (extent / from) * to : extent));

/** What is the same for all samples, once for each; `undefined` where the file has it for several. */
function repeated(value: Value, axis: number, { from, to }: BatchSizes): Value | undefined {
  if (from !== 1) return undefined;
  return tile(
    value,
    value.shape.map((_, i) => (i === axis ? to : 1)),
  );
}

function refusal({ op, scope, outputs: [y] }: Node, { from, to }: BatchSizes, cause?: unknown): UnsupportedError {
  const place = `${op.type} ${showShape(y.shape)}${scope ? ` of "${scope.path}"` : ""}`;
  const isKnown = op.hasSampleRule || elementwiseOps.has(op);
  return new UnsupportedError(
    `the file is written for a batch of ${from}, got ${to}: ${place} ${isKnown ? "computes across samples or drops their axis" : "has no rule about samples"}, so that ${to} would not be computed as each alone; pass batches of ${from}`,
    { cause },
  );
}
