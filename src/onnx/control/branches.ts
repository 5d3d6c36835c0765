/** If: the branch that a known condition takes, else a choice between the results of both. */
import { sameShape, size } from "../../core/shape.ts";
import { constantOf, nodesOf, type Value } from "../../graph/ir.ts";
import { ComputedError } from "../../ops/constant.ts";
import { choice } from "../../ops/control/if.ts";
import { where } from "../../ops/elementwise.ts";
import { reshape } from "../../ops/movement.ts";
import type { FileGraph } from "../model-file.ts";
import { type Computed, isValue, Names } from "../names.ts";
import { describeNode } from "../sort.ts";
import { type ControlNode, graphAttribute } from "./node.ts";

/**
 * The outputs of an If: those of the branch that a constant condition takes. Else a node of which one branch runs, or an elementwise
 * choice between both, which needs no more than operators that compute each sample by itself. Throws ComputedError for branches whose
 * outputs differ in type.
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
  const made = reader.keepsBranches ? kept({ node, names, reader }, condition, [yes, no]) : undefined;
  if (made) return made;
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

/**
 * The choice as a node; `undefined` where results differ in type, and where a branch holds what is asked for by its node: operators that
 * are not known, and running statistics.
 */
function kept(
  { names, reader }: ControlNode,
  condition: Value,
  branches: readonly [readonly Computed[], readonly Computed[]],
): readonly Value[] | undefined {
  const [yes, no] = [branches[0].filter(isValue), branches[1].filter(isValue)];
  const isSame = ({ dtype, shape }: Value, i: number) => no[i]?.dtype === dtype && sameShape(no[i]?.shape ?? [], shape);
  const results = branches.flat();
  if (yes.length + no.length !== results.length || yes.length !== no.length || !yes.every(isSame)) return undefined;
  const outer = new Set(names.values());
  const boundary = { has: (value: Value) => outer.has(value) && !constantOf(value) };
  const nodes = nodesOf([...yes, ...no], boundary);
  if (nodes.some((node) => reader.isUnknown(node) || node.op.statistics.length > 0)) return undefined;
  return choice(condition, [yes, no], (value) => outer.has(value));
}
