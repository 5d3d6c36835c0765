/** Parts of a file that stand for other nodes: functions, and the branches of an If. */
import { ShapeError } from "../core/errors.ts";
import { sameShape, size } from "../core/shape.ts";
import { constantOf, nodesOf, type Scope, type Value } from "../graph/ir.ts";
import { where } from "../ops/elementwise.ts";
import { reshape } from "../ops/movement.ts";
import type { GraphReader } from "./import.ts";
import { type FileAttribute, type FileNode, functionKey } from "./model-file.ts";
import { Names } from "./names.ts";
import { describeNode, isFileGraph } from "./sort.ts";

/** The outputs of a function that the model defines, its body in place; `undefined` when the node calls none. */
export function inlineFunction(
  node: FileNode,
  names: Names,
  scope: Scope,
  reader: GraphReader,
): readonly Value[] | undefined {
  const body = reader.file.functions.get(functionKey(node.domain, node.type));
  if (!body) return undefined;
  const inner = new Names();
  for (const [i, name] of body.inputs.entries()) {
    const entry = names.get(node.inputs[i] ?? "");
    if (entry) inner.set(name, entry);
  }
  const bind = (attribute: FileAttribute): FileAttribute | undefined =>
    typeof attribute === "object" && "reference" in attribute
      ? (node.attributes.get(attribute.reference) ?? body.defaults.get(attribute.reference))
      : attribute;
  const nodes = body.nodes.map((own) => ({
    ...own,
    attributes: new Map(
      [...own.attributes].flatMap(([name, attribute]) => {
        const bound = bind(attribute);
        return bound === undefined ? [] : [[name, bound] as const];
      }),
    ),
  }));
  reader.nodes(nodes, { names: inner, declared: new Map(), scope });
  return body.outputs.map((name) => reader.operand(name, inner, describeNode(node)));
}

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
 * The outputs of an If: those of the branch that a constant condition takes, else an elementwise choice between both, or those
 * of the branch that costs more where the reader asks for one. `undefined` for other nodes, and for branches whose outputs
 * differ in type where both are needed.
 */
export function inlineBranches(node: FileNode, names: Names, reader: GraphReader): readonly Value[] | undefined {
  const branches = branchNames.map((name) => node.attributes.get(name));
  if (!branches.every((branch) => branch !== undefined && isFileGraph(branch))) return undefined;
  const condition = reader.operand(node.inputs[0] ?? "", names, describeNode(node));
  const known = constantOf(condition)?.data[0];
  const read = (branch: FileAttribute | undefined) =>
    branch && isFileGraph(branch) ? reader.graph(branch, new Names(names)) : [];
  if (known !== undefined) return read(branches[known ? 0 : 1]);
  if (reader.leaveOut) {
    const actions = branches.map((branch) => () => read(branch));
    return costlier(node, actions, names, reader.leaveOut);
  }
  if (condition.dtype !== "bool" || size(condition.shape) !== 1) return undefined;
  const [yes, no] = branches.map(read) as [readonly Value[], readonly Value[]];
  const fits = yes.every((value, i) => {
    const other = no[i];
    return (
      other?.dtype === value.dtype &&
      sameShape(other.shape, value.shape) &&
      ![value, other].some((item) => reader.isUnshaped(item))
    );
  });
  if (!fits) return undefined;
  // As it is where it fits: so it may be one for each sample of a batch.
  const chosen = (rank: number) => (condition.rank <= rank ? condition : reshape(condition, []));
  return yes.map((value, i) => where(chosen(value.rank), value, no[i] as Value));
}

/** The outputs of the branch with more multiply-adds, of equal ones of the first; of one that cannot take these shapes, of the other. */
function costlier(
  node: FileNode,
  read: readonly (() => readonly Value[])[],
  names: Names,
  leaveOut: (branch: Branch) => void,
): readonly Value[] {
  const attempts = read.map(attempted);
  const [first, second] = attempts as [readonly Value[] | ShapeError, readonly Value[] | ShapeError];
  if (first instanceof ShapeError && second instanceof ShapeError) throw first;
  // What is computed around the If is computed whichever branch runs.
  const around = new Set(names.values());
  const [yes, no] = attempts.map((own, i): Omit<Branch, "where" | "taken"> => {
    const name = branchNames[i] as string;
    if (own instanceof ShapeError) return { name, outputs: [], macs: undefined };
    return {
      name,
      outputs: own,
      macs: nodesOf(own, around).reduce((sum, inner) => sum + (inner.op.macs(inner) || 0), 0),
    };
  }) as [Omit<Branch, "where" | "taken">, Omit<Branch, "where" | "taken">];
  const [taken, other] = (no.macs ?? -1) > (yes.macs ?? -1) ? [no, yes] : [yes, no];
  leaveOut({ ...other, where: describeNode(node), taken: { name: taken.name, macs: taken.macs ?? 0 } });
  return taken.outputs;
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
