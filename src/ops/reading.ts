/**
 * How nodes of model files are read whose form is not ours: older operator sets, and operators that others compose.
 * It uses no operator itself, so that every family may use it while the modules load.
 */
import { UnsupportedError } from "../core/errors.ts";
import { numbersOf } from "../graph/attributes.ts";
import { type Node, nodesOf, type Value } from "../graph/ir.ts";
import {
  type Arity,
  type AttributeSchema,
  type Attributes,
  defineOp,
  makeNode,
  type NodeView,
  type OpDef,
  type OpKind,
  type StoredNode,
} from "../graph/op.ts";
import { int64s, scalar } from "./constant.ts";

/** A node of `op` as a file has it. Throws UnsupportedError for an attribute that the operator does not know. */
export function storedNode(op: OpDef, inputs: readonly (Value | undefined)[], attributes: Attributes): Node {
  const foreign = Object.keys(attributes).find((name) => !Object.hasOwn(op.schema, name));
  if (foreign !== undefined) throw new UnsupportedError(`${op.type}: its attribute ${foreign} is not supported`);
  return makeNode(op, inputs, attributes);
}

/**
 * Reads what older operator sets have as attributes and ours as operands.
 * @example attributesToOperands({ axes: 1 }) // the attribute `axes` becomes operand 1
 */
export const attributesToOperands =
  (positions: Readonly<Record<string, number>>) =>
  ({ inputs, attributes }: StoredNode, op: OpDef): readonly Value[] | undefined => {
    const moved = Object.keys(positions).filter((name) => attributes[name] !== undefined);
    if (moved.length === 0) return undefined;
    const operands = [...inputs];
    for (const name of moved) {
      const position = positions[name] as number;
      const numbers = numbersOf(op.type, attributes, name) ?? [];
      while (operands.length < position) operands.push(undefined);
      operands[position] = op.settings.includes(position) ? scalar(numbers[0] ?? 0, inputs[0]?.dtype) : int64s(numbers);
    }
    return storedNode(op, operands, without(attributes, moved)).outputs;
  };

/** Attributes without some. */
export const without = (attributes: Attributes, names: readonly string[]): Attributes =>
  Object.fromEntries(Object.entries(attributes).filter(([name]) => !names.includes(name)));

/** Reads a node as the simplest form that its operator gives it. */
export const readSimplified = ({ inputs, attributes }: StoredNode, op: OpDef): readonly Value[] => {
  const node = storedNode(op, inputs, attributes);
  return op.simplify(node) ?? node.outputs;
};

interface Composition<A extends Arity, S extends AttributeSchema> {
  readonly arity: A;
  readonly attributes?: S;
  readonly domain?: string;
  readonly kind?: OpKind;
  readonly settings?: readonly number[];
  readonly requiredOutputs?: number;
  readonly since?: number;
  /** The outputs, in operators that are not compositions. */
  build(view: Pick<NodeView<A, S>, "inputs" | "attributes">): readonly Value[];
}

/** An operator of files that is an expression of other operators here: where a file has it, the expression is read. */
export function defineComposition<A extends Arity, const S extends AttributeSchema = Readonly<Record<never, never>>>(
  type: string,
  { build, ...rules }: Composition<A, S>,
): OpDef {
  return defineOp<A, S>(type, {
    ...rules,
    isComposed: true,
    infer: (inputs, attributes) => build({ inputs, attributes }),
    grad: "none",
    flops: (view) =>
      nodesOf(build(view), new Set(view.inputs.filter((value) => value !== undefined))).reduce(
        (sum, node) => sum + node.op.flops(node),
        0,
      ),
    simplify: build,
    lower: build,
    read: readSimplified,
  });
}
