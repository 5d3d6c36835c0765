/** Operators of lists of tensors and of optional ones. Lists are known while the graph is built: what is left of them are their tensors. */
import { ShapeError, UnsupportedError } from "../../core/errors.ts";
import { normalizeAxis } from "../../core/shape.ts";
import type { Value } from "../../graph/ir.ts";
import { requireConstant, scalar } from "../../ops/constant.ts";
import { concat, reshape, split, stack } from "../../ops/movement.ts";
import { type Computed, isValue, Names, Nothing, nothing, Sequence } from "../names.ts";
import { describeNode } from "../sort.ts";
import { type ControlNode, type ControlReader, graphAttribute, isTensorEntry } from "./node.ts";

/** What operand `i` means; `undefined` when it is left out. */
function operandOf({ node, names, reader }: ControlNode, i: number): Computed | undefined {
  const name = node.inputs[i] ?? "";
  return name === "" ? undefined : reader.entry(name, names, describeNode(node));
}

function tensorOperand(at: ControlNode, i: number): Value {
  const found = operandOf(at, i);
  if (found && isValue(found)) return found;
  throw new UnsupportedError(`${at.node.type}: operand ${i} is no tensor`);
}

function listOperand(at: ControlNode, i: number): readonly Value[] {
  const found = operandOf(at, i);
  if (found instanceof Sequence) return found.items;
  throw new UnsupportedError(`${at.node.type}: operand ${i} is no sequence`);
}

/** The place that operand `i` says, of `count`; negative ones count from the end. */
function placeOperand(at: ControlNode, i: number, count: number, otherwise: number): number {
  const value = operandOf(at, i);
  const place = value ? (requireConstant(at.node.type, "its position", tensorOperand(at, i))[0] ?? 0) : otherwise;
  const own = place < 0 ? place + count : place;
  if (own >= 0 && own < Math.max(count, otherwise + 1)) return own;
  throw new ShapeError(`${describeNode(at.node)}: position ${place} is outside a sequence of ${count}`);
}

const attributeOf = ({ node }: ControlNode, name: string, otherwise: number): number => {
  const value = node.attributes.get(name);
  return typeof value === "number" ? value : otherwise;
};

/** The parts of a tensor along an axis, of one element each where no lengths are given. */
function splitOf(at: ControlNode): readonly Value[] {
  const x = tensorOperand(at, 0);
  const axis = normalizeAxis(attributeOf(at, "axis", 0), x.rank);
  const extent = x.shape[axis] ?? 0;
  const given = operandOf(at, 1) ? tensorOperand(at, 1) : undefined;
  const lengths = given && requireConstant("SplitToSequence", "its lengths", given);
  const [each = 1] = lengths ?? [];
  const equal = Array.from({ length: Math.ceil(extent / each) }, (_, i) => Math.min(each, extent - i * each));
  const parts = split(x, given?.rank === 1 && lengths ? lengths : equal, axis);
  if (given || attributeOf(at, "keepdims", 1) === 1) return parts;
  return parts.map((part) => reshape(part, part.shape.toSpliced(axis, 1)));
}

/** A graph applied to each element of a list: other lists give it their element at the same place, tensors themselves. */
function mapOf(at: ControlNode): readonly Computed[] {
  const { node, names, reader } = at;
  const body = graphAttribute(node.attributes, "body");
  if (!body) throw new UnsupportedError("SequenceMap: it has no body");
  const operands = node.inputs.map((_, i) => operandOf(at, i));
  const rows = listOperand(at, 0).map((_, place) => {
    const inner = new Names(names);
    for (const [i, { name }] of body.inputs.entries()) {
      const operand = operands[i];
      const own = operand instanceof Sequence ? operand.items[place] : operand;
      if (own) inner.set(name, own);
    }
    return reader.graph(body, inner);
  });
  return body.outputs.map((_, i) => new Sequence(rows.flatMap((row) => (row[i] && isValue(row[i]) ? [row[i]] : []))));
}

export const sequenceReaders: Readonly<Record<string, ControlReader>> = {
  SequenceEmpty: () => [new Sequence([])],
  SequenceConstruct: (at) => [new Sequence(at.node.inputs.map((_, i) => tensorOperand(at, i)))],
  SequenceInsert: (at) => {
    const items = listOperand(at, 0);
    return [new Sequence(items.toSpliced(placeOperand(at, 2, items.length, items.length), 0, tensorOperand(at, 1)))];
  },
  SequenceErase: (at) => {
    const items = listOperand(at, 0);
    return [new Sequence(items.toSpliced(placeOperand(at, 1, items.length, items.length - 1), 1))];
  },
  SequenceAt: (at) => {
    const items = listOperand(at, 0);
    return [items[placeOperand(at, 1, items.length, 0)] as Value];
  },
  SequenceLength: (at) => [scalar(listOperand(at, 0).length, "int64")],
  SplitToSequence: (at) => [new Sequence(splitOf(at))],
  ConcatFromSequence: (at) => {
    const join = attributeOf(at, "new_axis", 0) === 1 ? stack : concat;
    const items = listOperand(at, 0);
    const rank = (items[0]?.rank ?? 0) + (join === stack ? 1 : 0);
    return [join(items, normalizeAxis(attributeOf(at, "axis", 0), rank))];
  },
  SequenceMap: mapOf,
  Optional: (at) => [operandOf(at, 0) ?? nothing],
  OptionalHasElement: (at) => {
    const found = operandOf(at, 0);
    return [scalar(found && !(found instanceof Nothing) ? 1 : 0, "bool")];
  },
  OptionalGetElement: (at) => {
    const found = operandOf(at, 0) ?? nothing;
    if (found instanceof Nothing) throw new UnsupportedError("OptionalGetElement: its operand holds nothing");
    return [found];
  },
  // Of tensors it is an operator like any other.
  Identity: (at) => (isTensorEntry(at.names, at.node.inputs[0]) ? undefined : [operandOf(at, 0) ?? nothing]),
};
