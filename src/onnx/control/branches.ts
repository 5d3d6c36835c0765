/** If: the branch that a known condition takes, else a choice between the results of both, or the one that costs more. */
import { ShapeError } from "../../core/errors.ts";
import { sameShape, size } from "../../core/shape.ts";
import { constantOf, nodesOf, type Value } from "../../graph/ir.ts";
import { ComputedError } from "../../ops/constant.ts";
import { choice } from "../../ops/control/if.ts";
import { where } from "../../ops/elementwise.ts";
import { reshape } from "../../ops/movement.ts";
import type { FileGraph } from "../model-file.ts";
import { type Computed, isValue, Names, valuesIn } from "../names.ts";
import { describeNode } from "../sort.ts";
import { type ControlNode, graphAttribute } from "./node.ts";

/** One of the two branches of an If that is not taken where the other is counted. */
export interface Branch {
  /** The If, as messages call it. */
  readonly where: string;
  readonly name: string;
  /** `undefined` where its shapes do not fit the inputs. */
  readonly macs: number | undefined;
  readonly outputs: readonly Value[];
  /** The one that is counted. */
  readonly taken: { readonly name: string; readonly macs: number };
}

const branchNames = ["then_branch", "else_branch"] as const;

/**
 * The outputs of an If: those of the branch that a constant condition takes. Else, as the reader asks: a node of which one branch runs;
 * those of the branch that costs more; or an elementwise choice between both, which needs no more than operators that compute each
 * sample by itself. Throws ComputedError for branches whose outputs differ in type where both are needed.
 */
export function readBranches({ node, names, reader }: ControlNode): readonly Computed[] | undefined {
  const [then, otherwise] = branchNames.map((name) => graphAttribute(node.attributes, name));
  if (!then || !otherwise) return undefined;
  const condition = reader.operand(node.inputs[0] ?? "", names, describeNode(node));
  const known = constantOf(condition)?.data[0];
  const read = (branch: FileGraph) => reader.graph(branch, new Names(names));
  if (known !== undefined) return read(known ? then : otherwise);
  if (reader.leaveOut) {
    const actions = [then, otherwise].map((branch) => () => read(branch));
    return costlier(describeNode(node), actions, names, reader.leaveOut);
  }
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

/** The outputs of the branch with more multiply-adds, of equal ones of the first; of one that cannot take these shapes, of the other. */
function costlier(
  where: string,
  read: readonly (() => readonly Computed[])[],
  names: Names,
  leaveOut: (branch: Branch) => void,
): readonly Computed[] {
  const attempts = read.map(attempted);
  const [first, second] = attempts as [readonly Computed[] | ShapeError, readonly Computed[] | ShapeError];
  if (first instanceof ShapeError && second instanceof ShapeError) throw first;
  // What is computed around the If is computed whichever branch runs.
  const around = new Set(names.values());
  const sides = attempts.map((own, i) => {
    const name = branchNames[i] as string;
    if (own instanceof ShapeError) return { name, results: [], outputs: [], macs: undefined };
    const outputs = own.flatMap(valuesIn);
    const macs = nodesOf(outputs, around).reduce((sum, inner) => sum + (inner.op.macs(inner) || 0), 0);
    return { name, results: own, outputs, macs };
  });
  const [yes, no] = sides as [(typeof sides)[number], (typeof sides)[number]];
  const [taken, other] = (no.macs ?? -1) > (yes.macs ?? -1) ? [no, yes] : [yes, no];
  const { results: _, ...left } = other;
  leaveOut({ ...left, where, taken: { name: taken.name, macs: taken.macs ?? 0 } });
  return taken.results;
}

/** The result, or the ShapeError that it throws. */
function attempted<T>(action: () => T): T | ShapeError {
  try {
    return action();
  } catch (error) {
    if (error instanceof ShapeError) return error;
    throw error;
  }
}
