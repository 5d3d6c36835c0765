/** A choice between two graphs, of which one runs. */
import { DTypeError, ShapeError } from "../../core/errors.ts";
import { sameShape, showShape, size } from "../../core/shape.ts";
import { constantOf, type Graph, graphOf, input, type Node, nodesOf, Value } from "../../graph/ir.ts";
import { defineOp, makeNode, type OpDef } from "../../graph/op.ts";
import { rewrite } from "../../graph/rewrite.ts";
import { scalar } from "../constant.ts";
import { expand } from "../movement.ts";

interface Branches {
  readonly then_branch?: Graph;
  readonly else_branch?: Graph;
}

/** The two graphs. Throws ShapeError where one is missing, or they do not take what is given and give the same types. */
function branchesOf({ then_branch, else_branch }: Branches, operands: readonly Value[]): readonly [Graph, Graph] {
  if (!then_branch || !else_branch) throw new ShapeError("If: it needs two graphs, then_branch and else_branch");
  const show = (values: readonly Value[]) => values.map(String).join(", ") || "nothing";
  const differ = (a: readonly Value[], b: readonly Value[]) =>
    a.length !== b.length ||
    a.some(({ dtype, shape }, i) => dtype !== b[i]?.dtype || !sameShape(shape, b[i]?.shape ?? []));
  for (const branch of [then_branch, else_branch])
    if (differ(branch.inputs, operands))
      throw new ShapeError(`If: a branch takes ${show(branch.inputs)}, and is given ${show(operands)}`);
  if (differ(then_branch.outputs, else_branch.outputs))
    throw new ShapeError(
      `If: its branches give ${show(then_branch.outputs)} and ${show(else_branch.outputs)}; make them give the same types`,
    );
  return [then_branch, else_branch];
}

/** The most that a branch costs. */
const costliest = (attributes: Branches, costOf: (node: Node) => number): number =>
  Math.max(
    ...[attributes.then_branch, attributes.else_branch].map((branch) =>
      (branch?.nodes ?? []).reduce((sum, node) => sum + costOf(node), 0),
    ),
  );

/** The outputs of a graph for values in the place of its inputs. */
const inlined = ({ inputs, outputs }: Graph, values: readonly Value[]): readonly Value[] =>
  rewrite(outputs, () => undefined, new Map(inputs.map((value, i) => [value, values[i] as Value]))).outputs;

/** The outputs of then_branch where a bool is true, else those of else_branch; both take all operands behind it. */
export const If: OpDef = defineOp("If", {
  arity: "1-",
  attributes: { then_branch: "graph", else_branch: "graph" },
  captures: 1,
  infer: ([condition, ...operands], attributes) => {
    if (condition.dtype !== "bool") throw new DTypeError(`If: its condition is ${condition.dtype}; pass a bool`);
    if (size(condition.shape) !== 1)
      throw new ShapeError(`If: its condition is ${showShape(condition.shape)}; pass one element`);
    const [then] = branchesOf(attributes, operands);
    return then.outputs.map(({ dtype, shape }) => ({ dtype, shape }));
  },
  // Of the branch that ran, each operand's gradient is that of the formal input in its place.
  grad: ({ gs, inputs: [condition, ...operands], attributes, needs, vjp }) => {
    const wanted = operands.flatMap((_, i) => (needs[i + 1] ? [i] : []));
    const given = gs.flatMap((g, i) => (g ? [{ i, g }] : []));
    const derived = branchesOf(attributes, operands).map(({ inputs, outputs }) => {
      const seeds = given.map(({ g }) => input(g.dtype, g.shape));
      const wrt = wanted.map((i) => inputs[i] as Value);
      const found = vjp(
        given.map(({ i }) => outputs[i] as Value),
        seeds,
        wrt,
      );
      const slopes = found.map((slope, k) => slope ?? zerosLike(wrt[k] as Value));
      return graphOf([...inputs, ...seeds], slopes);
    });
    const [then_branch, else_branch] = derived as [Graph, Graph];
    const seeds = given.map(({ g }) => g);
    const slopes = makeNode(If, [condition, ...operands, ...seeds], { then_branch, else_branch }).outputs;
    return [undefined, ...operands.map((_, i) => slopes[wanted.indexOf(i)])];
  },
  flops: ({ attributes }) => costliest(attributes, (node) => node.op.flops(node)),
  macs: ({ attributes }) => costliest(attributes, (node) => node.op.macs(node)),
  simplify: ({ inputs: [condition, ...operands], attributes }) => {
    const known = constantOf(condition)?.data[0];
    if (known === undefined) return undefined;
    const [then, otherwise] = branchesOf(attributes, operands);
    return inlined(known ? then : otherwise, operands);
  },
});

const zerosLike = ({ dtype, shape }: Value): Value => expand(scalar(0, dtype), shape);

/**
 * A choice between results that are built already: what leads to them from the values that `isOuter` tells of runs only where it is
 * chosen.
 */
export function choice(
  condition: Value,
  branches: readonly [readonly Value[], readonly Value[]],
  isOuter: (value: Value) => boolean,
): readonly Value[] {
  const boundary = { has: (value: Value) => isOuter(value) && !constantOf(value) };
  const captured = new Set<Value>();
  for (const outputs of branches) {
    const nodes = nodesOf(outputs, boundary);
    const made = new Set(nodes.flatMap((node) => node.outputs));
    for (const value of [...outputs, ...nodes.flatMap((node) => node.inputs)])
      if (value && !made.has(value)) captured.add(value);
  }
  const operands = [...captured];
  const [then_branch, else_branch] = branches.map((outputs) => {
    const formals = operands.map(({ dtype, shape, name }) => input(dtype, shape, name));
    const inside = new Map(operands.map((value, i) => [value, formals[i] as Value]));
    return graphOf(formals, rewrite(outputs, () => undefined, inside).outputs);
  }) as [Graph, Graph];
  return makeNode(If, [condition, ...operands], { then_branch, else_branch }).outputs;
}

/**
 * What `then` gives where a condition, one bool, is true, else what `otherwise` gives; only that is computed. Both take the operands and
 * give the same types; what else they read must be constant. Gradients pass through the branch that ran. Throws ShapeError and DTypeError.
 * @example const y = cond(greater(reduceSum(x), 0), (x) => exp(x), (x) => neg(x), [x]);
 */
export function cond<A extends readonly Value[], R extends Value | readonly Value[]>(
  condition: Value,
  then: (...operands: A) => R,
  otherwise: (...operands: A) => R,
  operands: readonly [...A],
): R {
  const traced = [then, otherwise].map((branch) => {
    const formals = operands.map(({ dtype, shape, name }) => input(dtype, shape, name));
    const result: Value | readonly Value[] = branch(...(formals as readonly Value[] as A));
    const graph = graphOf(formals, result instanceof Value ? [result] : result);
    const known = new Set([...formals, ...graph.nodes.flatMap((node) => node.outputs)]);
    const stray = [...graph.outputs, ...graph.nodes.flatMap((node) => node.inputs)].find(
      (value) => value && !known.has(value),
    );
    if (stray)
      throw new ShapeError(
        `cond: a branch reads ${stray.name ?? "a value"} (${stray}), which is none of its operands; pass it as one`,
      );
    return { graph, isOne: result instanceof Value };
  });
  const [{ graph: then_branch, isOne }, { graph: else_branch }] = traced as [(typeof traced)[0], (typeof traced)[0]];
  const { outputs } = makeNode(If, [condition, ...operands], { then_branch, else_branch });
  return (isOne ? outputs[0] : outputs) as Value | readonly Value[] as R;
}
