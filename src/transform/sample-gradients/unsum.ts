/** Takes gradients apart that are summed over samples: finds where samples are added up, and what each adds. */
import { InternalError } from "../../core/errors.ts";
import { normalizeAxis, sameShape } from "../../core/shape.ts";
import { constantOf, type Node, nodesOf, type Value } from "../../graph/ir.ts";
import { makeNode } from "../../graph/op.ts";
import { add, concat, expand, iota, mul, pad, reshape, ScatterND, split } from "../../ops/index.ts";
import { elementwiseOps, isView } from "../../ops/registry.ts";
import { type AxesOfValues, axesOfNode, MixedSamplesError } from "./sample-axes.ts";
import { SampleSum, type SampleWay, wholeSum } from "./sample-sums.ts";

/** How gradients are taken apart. */
export interface UnsumOptions {
  /** Axes of the samples in what the gradients are computed from. */
  readonly axes: AxesOfValues;
  readonly count: number;
  readonly way: SampleWay;
  /** Values of which it is known what each sample adds, [N, …value]. */
  readonly known: ReadonlyMap<Value, Value>;
}

/** The sum of gradients of one parameter over samples. Throws MixedSamplesError where samples are not only added up. */
export function unsum(gradients: readonly Value[], { axes, count, way, known }: UnsumOptions): SampleSum {
  const own = new Map(axes);
  const sums = new Map<Value, SampleSum>(Array.from(known, ([value, terms]) => [value, wholeSum(terms, value.shape)]));
  const boundary = { has: (value: Value) => axes.has(value) || known.has(value) };
  for (const node of nodesOf(gradients, boundary)) {
    const operands = node.inputs.filter((value) => value !== undefined);
    const isSampled = operands.some((value) => own.has(value));
    const isSummed = operands.some((value) => sums.has(value));
    if (isSampled && isSummed) throw new MixedSamplesError(node);
    if (isSummed)
      for (const [i, own] of sumsBehind(node, sums, count).entries()) sums.set(node.outputs[i] as Value, own);
    if (!isSampled) continue;
    const found = axesOfNode(node, own, count);
    if (found?.[0] !== undefined) {
      for (const [i, output] of node.outputs.entries()) if (found[i] !== undefined) own.set(output, found[i]);
      continue;
    }
    const terms = node.op.sampleTerms(
      node,
      node.inputs.map((value) => value && own.get(value)),
      count,
    );
    if (!terms) throw new MixedSamplesError(node);
    sums.set(node.outputs[0], new SampleSum(count, [terms], node.outputs[0].shape));
  }
  const [shape = []] = gradients.map((gradient) => gradient.shape);
  const found = gradients.map((gradient) => {
    const sum = sums.get(gradient);
    // A parameter with a row for each sample has no gradient that samples add up to.
    if (!sum && own.has(gradient) && gradient.producer) throw new MixedSamplesError(gradient.producer, false);
    if (!sum) throw new InternalError(`a gradient ${gradient} is no sum over samples`);
    return sum;
  });
  return found.reduce((sum, next) => sum.plus(next, shape)).by(way, shape);
}

/**
 * What each sample adds to a number that is computed of a batch, [N]. Throws MixedSamplesError for one to which samples add nothing by themselves: `isKnown` where it
 * is computed across samples, such as of pairs.
 */
export function sampleTerms(
  total: Value,
  { data, count }: { readonly data: readonly Value[]; readonly count: number },
): Value {
  const axes = new Map(data.map((value) => [value, 0]));
  return reshape(unsum([total], { axes, count, way: "each", known: new Map() }).terms, [count]);
}

/** What samples add to the outputs of a node that is linear in sums. Throws MixedSamplesError for a node of which that is not known. */
function sumsBehind(node: Node, sums: ReadonlyMap<Value, SampleSum>, count: number): readonly SampleSum[] {
  const { op, inputs, outputs } = node;
  const [y] = outputs;
  const [first, second] = inputs;
  const [a, b] = [first && sums.get(first), second && sums.get(second)];
  if (isView(op) && a) return [a.reshaped(y.shape)];
  if (op.type === "Transpose" && a) return [a.transposed(permOf(node), y.shape)];
  if (op.type === "Add" && a && b && sameShape(first?.shape ?? [], second?.shape ?? [])) return [a.plus(b, y.shape)];
  const factor = op.type === "Mul" && a && !b ? constantOf(second) : undefined;
  if (factor?.data.length === 1 && sameShape(first?.shape ?? [], y.shape))
    return [(a as SampleSum).scaled(factor.item())];
  // Whatever else, on what each sample adds.
  const operands = inputs.filter((value) => value !== undefined);
  const terms = liftedNode(
    node,
    operands.map((value) => ({ value, lifted: sums.get(value)?.terms })),
    count,
  );
  if (!terms) throw new MixedSamplesError(node, false);
  return terms.map((own, i) => wholeSum(own, outputs[i]?.shape ?? []));
}

const permOf = ({ attributes, outputs: [y] }: Node): readonly number[] =>
  (attributes["perm"] as readonly number[] | undefined) ?? [...y.shape.keys()].reverse();

/** Elementwise operators that are linear in each operand. */
const linear: ReadonlySet<string> = new Set(["Add", "Sub", "Mul", "Neg", "Cast"]);

/** An operand, and what each sample adds to it, [N, …], where it is a sum. */
interface LiftedOperand {
  readonly value: Value;
  readonly lifted: Value | undefined;
}

/** The outputs of a node for each sample, [N, …]; `undefined` for one that is not known to be linear in sums. */
function liftedNode(
  { op, attributes, outputs, scope }: Node,
  operands: readonly LiftedOperand[],
  count: number,
): readonly Value[] | undefined {
  const [y] = outputs;
  const [first, second, third] = operands;
  const { axis = 0 } = attributes as { readonly axis?: number };
  if (op.type === "Concat") {
    const whole = ({ value, lifted }: LiftedOperand) =>
      lifted ?? expand(reshape(value, [1, ...value.shape]), [count, ...value.shape]);
    return [concat(operands.map(whole), axis < 0 ? axis : axis + 1)];
  }
  if (op.type === "Split" && first?.lifted) {
    const along = normalizeAxis(axis, y.rank);
    const lengths = outputs.map(({ shape }) => shape[along] ?? 0);
    return split(first.lifted, lengths, along + 1);
  }
  if (op.type === "Pad" && first?.lifted && operands.length <= 3) {
    const widths = constantOf(second?.value)?.toNumbers();
    const own = y.shape.map((_, i) => [widths?.[i] ?? 0, widths?.[i + y.rank] ?? 0]);
    return widths && [pad(first.lifted, [[0, 0], ...own])];
  }
  // Rows of a table that are the same for all samples, such as those of positions.
  if (op === ScatterND && attributes["reduction"] === "add" && first && second && third?.lifted && !first.lifted) {
    const [table, indices] = [first.value, second.value];
    if (indices.rank !== 2 || indices.shape[1] !== 1) return undefined;
    const [rows = 1] = indices.shape;
    const [tableRows = 1, ...width] = table.shape;
    const begins = reshape(mul(iota(count), tableRows), [count, 1, 1]);
    const places = reshape(add(reshape(indices, [1, rows, 1]), begins), [count * rows, 1]);
    const tables = expand(reshape(table, [1, ...table.shape]), [count, ...table.shape]);
    const wide = [
      reshape(tables, [count * tableRows, ...width]),
      places,
      reshape(third.lifted, [count * rows, ...width]),
    ];
    return [reshape(makeNode(op, wide, attributes, scope).outputs[0], [count, ...table.shape])];
  }
  if (!elementwiseOps.has(op) || !linear.has(op.type)) return undefined;
  const sums = operands.filter(({ lifted }) => lifted).length;
  if ((op.type === "Mul" && sums > 1) || ((op.type === "Add" || op.type === "Sub") && sums < 2)) return undefined;
  const aligned = operands.map(
    ({ value, lifted }) =>
      lifted && reshape(lifted, [count, ...new Array<number>(y.rank - value.rank).fill(1), ...value.shape]),
  );
  const given = operands.map(({ value }, i) => aligned[i] ?? value);
  return makeNode(op, given, attributes, scope).outputs;
}
