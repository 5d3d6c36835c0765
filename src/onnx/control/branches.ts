/** If: the branch that a known condition takes, else a choice between the results of both. */
import { sameShape, size } from "../../core/shape.ts";
import { constantOf, type Value } from "../../graph/ir.ts";
import { ComputedError } from "../../ops/constant.ts";
import { where } from "../../ops/elementwise.ts";
import { reshape } from "../../ops/movement.ts";
import type { FileGraph } from "../model-file.ts";
import { type Computed, isValue, Names } from "../names.ts";
import { describeNode } from "../sort.ts";
import { type ControlNode, graphAttribute } from "./node.ts";

/**
 * The outputs of an If: those of the branch that a constant condition takes, else an elementwise choice between both. Throws
 * ComputedError for branches whose outputs differ in type.
 */
export function readBranches({ node, names, reader }: ControlNode): readonly Computed[] | undefined {
  const [then, otherwise] = ["then_branch", "else_branch"].map((name) => graphAttribute(node.attributes, name));
  if (!then || !otherwise) return undefined;
  const condition = reader.operand(node.inputs[0] ?? "", names, describeNode(node));
  const known = constantOf(condition)?.data[0];
  const read = (branch: FileGraph) => reader.graph(branch, new Names(names));
  if (known !== undefined) return read(known ? then : otherwise);
  const unknown = () => new ComputedError("If", "its condition", condition);
  if (condition.dtype !== "bool" || size(condition.shape) !== 1) throw unknown();
  const [yes, no] = [read(then), read(otherwise)];
  // As it is where it fits: so it may be one for each sample of a batch.
  const chosen = (rank: number) => (condition.rank <= rank ? condition : reshape(condition, []));
  const choices = yes.map((value, i) => {
    const other = no[i];
    if (!isValue(value) || !other || !isValue(other)) return undefined;
    const fits = other.dtype === value.dtype && sameShape(other.shape, value.shape);
    return fits && ![value, other].some((item) => reader.isUnshaped(item))
      ? where(chosen(value.rank), value, other)
      : undefined;
  });
  if (!choices.every((value) => value !== undefined)) throw unknown();
  return choices as readonly Value[];
}
