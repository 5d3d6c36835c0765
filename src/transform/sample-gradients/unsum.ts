/** Takes gradients apart that are summed over samples: finds where samples are added up, and what each adds. */
import { InternalError } from "../../core/errors.ts";
import { normalizeAxis } from "../../core/shape.ts";
import { constantOf, type Node, nodesOf, type Value } from "../../graph/ir.ts";
import { makeNode } from "../../graph/op.ts";
import type { SampleTerms } from "../../graph/sample-terms.ts";
import { add, concat, expand, iota, mul, pad, reshape, ScatterND, split, transpose } from "../../ops/index.ts";
import { elementwiseOps, isView } from "../../ops/registry.ts";
import { type AxesOfValues, axesOfNode, MixedSamplesError } from "./sample-axes.ts";
import { SampleSum, type SampleWay } from "./sample-sums.ts";

/** What samples add to a value, in parts, in the order of its elements. */
type Parts = readonly SampleTerms[];

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
  const sums = new Map<Value, Parts>(Array.from(known, ([value, terms]) => [value, [{ kind: "each", terms }]]));
  const boundary = { has: (value: Value) => axes.has(value) || known.has(value) };
  for (const node of nodesOf(gradients, boundary)) {
    const operands = node.inputs.filter((value) => value !== undefined);
    const isSampled = operands.some((value) => own.has(value));
    const isSummed = operands.some((value) => sums.has(value));
    if (isSampled && isSummed) throw new MixedSamplesError(node);
    if (isSummed)
      for (const [i, parts] of partsBehind(node, sums, count).entries()) sums.set(node.outputs[i] as Value, parts);
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
    sums.set(node.outputs[0], [terms]);
  }
  const parts = gradients.flatMap((gradient) => {
    const found = sums.get(gradient);
    if (!found) throw new InternalError(`a gradient ${gradient} is no sum over samples`);
    return found;
  });
  return new SampleSum(parts, { count, shape: gradients[0]?.shape ?? [], way });
}

/** What samples add to the outputs of a node that is linear in sums. Throws MixedSamplesError for a node of which that is not known. */
function partsBehind(node: Node, sums: ReadonlyMap<Value, Parts>, count: number): readonly Parts[] {
  const { op, inputs, attributes } = node;
  const [first, second] = inputs;
  const partsOf = (value: Value | undefined) => (value && sums.get(value)) ?? [];
  const operands = inputs.filter((value) => value !== undefined);
  if (isView(op)) return [partsOf(first)];
  const [y] = node.outputs;
  if (op.type === "Add" && operands.every((value) => sums.has(value) && value.shape.join() === y.shape.join()))
    return [[...partsOf(first), ...partsOf(second)]];
  const [only] = partsOf(first);
  if (op.type === "Transpose" && first?.rank === 2 && partsOf(first).length === 1 && only?.kind === "products")
    return [[{ ...only, left: only.right, right: only.left }]];
  const factor = op.type === "Mul" && !sums.has(second as Value) ? constantOf(second) : undefined;
  if (factor?.data.length === 1) return [partsOf(first).map((part) => scaled(part, factor.item()))];
  // Whatever else, on what each sample adds.
  const each = (value: Value) => {
    const known = sums.get(value);
    if (!known) return undefined;
    return new SampleSum(known, { count, shape: value.shape, way: "each" }).terms;
  };
  const lifted = operands.map((value) => each(value));
  const terms = liftedNode(node, operands, lifted, count, attributes);
  if (!terms) throw new MixedSamplesError(node);
  return terms.map((own) => [{ kind: "each", terms: own }]);
}

const scaled = (part: SampleTerms, factor: number): SampleTerms => {
  if (part.kind === "each") return { ...part, terms: mul(part.terms, factor) };
  if (part.kind === "rows") return { ...part, rows: mul(part.rows, factor) };
  return { ...part, left: mul(part.left, factor) };
};

/** Elementwise operators that are linear in each operand. */
const linear: ReadonlySet<string> = new Set(["Add", "Sub", "Mul", "Neg", "Cast"]);

/** The outputs of a node on operands [N, …] of those that are sums; `undefined` for one that is not known to be linear. */
function liftedNode(
  node: Node,
  operands: readonly Value[],
  lifted: readonly (Value | undefined)[],
  count: number,
  attributes: Node["attributes"],
): readonly Value[] | undefined {
  const { op, outputs } = node;
  const [y] = outputs;
  const [first] = lifted;
  const whole = (i: number) => {
    const [own, value] = [lifted[i], operands[i] as Value];
    return own ?? expand(reshape(value, [1, ...value.shape]), [count, ...value.shape]);
  };
  if (op.type === "Transpose" && first) {
    const perm = (attributes["perm"] as readonly number[] | undefined) ?? [...y.shape.keys()].reverse();
    return [transpose(first, [0, ...perm.map((axis) => axis + 1)])];
  }
  if (op.type === "Concat") {
    const axis = (attributes["axis"] as number | undefined) ?? 0;
    return [
      concat(
        operands.map((_, i) => whole(i)),
        axis < 0 ? axis : axis + 1,
      ),
    ];
  }
  if (op.type === "Split" && first) {
    const axis = normalizeAxis((attributes["axis"] as number | undefined) ?? 0, y.rank);
    const lengths = outputs.map(({ shape }) => shape[axis] ?? 0);
    return split(first, lengths, axis + 1);
  }
  if (op.type === "Pad" && first && operands.length <= 3) {
    const widths = constantOf(operands[1])?.toNumbers();
    return (
      widths && [pad(first, [[0, 0], ...y.shape.map((_, axis) => [widths[axis] ?? 0, widths[axis + y.rank] ?? 0])])]
    );
  }
  // Rows of a table that are the same for all samples, such as those of positions.
  if (op === ScatterND && attributes["reduction"] === "add" && lifted[2] && !lifted[0] && operands[1]?.shape[1] === 1) {
    const [table, indices] = operands as [Value, Value];
    const [rows = 1] = indices.shape;
    const [tableRows = 1, ...width] = table.shape;
    const first = reshape(mul(iota(count), tableRows), [count, 1, 1]);
    const places = reshape(add(reshape(indices, [1, rows, 1]), first), [count * rows, 1]);
    const zeros = expand(reshape(table, [1, ...table.shape]), [count, ...table.shape]);
    const wide = [reshape(zeros, [count * tableRows, ...width]), places, reshape(lifted[2], [count * rows, ...width])];
    return [reshape(makeNode(op, wide, attributes, node.scope).outputs[0], [count, ...table.shape])];
  }
  if (!elementwiseOps.has(op) || !linear.has(op.type)) return undefined;
  const summed = lifted.filter((own) => own !== undefined);
  if (op.type === "Mul" && summed.length > 1) return undefined;
  if ((op.type === "Add" || op.type === "Sub") && summed.length < 2) return undefined;
  const aligned = operands.map((value, i) => {
    const own = lifted[i];
    return own ? reshape(own, [count, ...new Array<number>(y.rank - value.rank).fill(1), ...value.shape]) : value;
  });
  return makeNode(op, aligned, attributes, node.scope).outputs;
}
