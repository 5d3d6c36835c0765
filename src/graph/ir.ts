/**
 * The intermediate representation, which is ONNX: graphs of operator nodes over typed values.
 *
 *   Graph  ::= inputs: Value*, outputs: Value*, nodes: Node*     topological order, single assignment
 *   Value  ::= dtype, shape, producer?: Node, name?              no producer: an input
 *   Node   ::= op: OpDef, inputs: Value?*, attributes, outputs: Value+
 *
 * Tensors are inputs; everything else (axes of a softmax, strides, the branches of a choice …) is an attribute. Building a value builds the
 * graph behind it, so tracing needs no global state: a graph is what its outputs reach.
 */

import { bytesPerElement, type DType } from "../core/dtype.ts";
import { matching } from "../core/option-types.ts";
import { type Shape, showShape, size } from "../core/shape.ts";
import type { Tensor } from "../core/tensor.ts";
import type { Attributes, OpDef } from "./op.ts";

/** What is known of a tensor before it runs. */
export interface TensorType {
  /** Type of its elements. */
  readonly dtype: DType;
  /** Its extents, outermost first. */
  readonly shape: Shape;
}

/** Bytes of a tensor of a type. */
export const bytesOf = ({ dtype, shape }: TensorType): number => size(shape) * bytesPerElement(dtype);

/** What must hold of a tensor that is fed to a graph input of a name. Throws SardonyxError that says which element does not. */
export type InputCheck = (tensor: Tensor, name: string) => void;

/**
 * A tensor in a graph: its type, and the node that computes it. Operators take values and give values; none is computed
 * before the graph is compiled and run.
 */
export class Value implements TensorType {
  readonly dtype: DType;
  readonly shape: Shape;
  /** The node that computes it; none for a graph input. */
  readonly producer: Node | undefined;
  /** Name of a graph input, if it has one. */
  readonly name: string | undefined;
  /** Of a graph input: what must hold of what is fed to it, by what it is about; put there by those who read it. */
  checks: Map<string, InputCheck> | undefined = undefined;

  constructor(type: TensorType, producer?: Node, name?: string) {
    this.dtype = type.dtype;
    this.shape = type.shape;
    this.producer = producer;
    this.name = name;
  }

  /** Number of axes. */
  get rank(): number {
    return this.shape.length;
  }

  toString(): string {
    return `${this.dtype}${showShape(this.shape)}`;
  }
}

/** A graph value as an option. */
export const valueType = matching<Value>("a graph value", (value) => value instanceof Value);

/** What made a node, such as one run of a layer. Two runs of one layer are two scopes of the same path. */
export interface Scope {
  /** Path of the layer: `layers.0`. */
  readonly path: string;
}

/** One application of an operator. */
export class Node {
  readonly op: OpDef;
  /** Operands in ONNX order; `undefined` where an optional one is left out. */
  readonly inputs: readonly (Value | undefined)[];
  readonly attributes: Attributes;
  readonly outputs: readonly [Value, ...Value[]];
  /** What made it, for reports, profiles and messages; set once by whoever knows it. */
  scope: Scope | undefined;

  constructor(
    op: OpDef,
    inputs: readonly (Value | undefined)[],
    attributes: Attributes,
    types: readonly TensorType[],
    scope?: Scope,
  ) {
    this.op = op;
    this.inputs = inputs;
    this.attributes = attributes;
    this.outputs = types.map((type) => new Value(type, this)) as [Value, ...Value[]];
    this.scope = scope;
  }
}

/** A graph of operators: what computes its outputs from its inputs. Make one with `graphOf`. */
export interface Graph {
  /** What is fed, in this order. */
  readonly inputs: readonly Value[];
  /** What is computed, in this order. */
  readonly outputs: readonly Value[];
  /** Every node that an output needs, operands before users. */
  readonly nodes: readonly Node[];
}

/** A graph input of a type, under a name for messages and files. For functions `jit` makes them. */
export const input = (dtype: DType, shape: Shape, name?: string): Value => new Value({ dtype, shape }, undefined, name);

/**
 * Nodes that `outputs` need, operands first, in an order that depends only on the graph. Values in `boundary` count
 * as inputs. Iterative: graphs are deep.
 */
export function nodesOf(outputs: readonly (Value | undefined)[], boundary?: Pick<ReadonlySet<Value>, "has">): Node[] {
  const order: Node[] = [];
  const seen = new Set<Node>();
  const open: Node[] = [];
  /** The operand at which each open node is. */
  const next: number[] = [];
  const visit = (value: Value | undefined) => {
    const node = value?.producer;
    if (!node || seen.has(node) || boundary?.has(value)) return;
    seen.add(node);
    open.push(node);
    next.push(0);
  };
  for (const output of outputs) {
    visit(output);
    for (let top = open.at(-1); top; top = open.at(-1)) {
      const operand = next[next.length - 1] as number;
      if (operand < top.inputs.length) {
        next[next.length - 1] = operand + 1;
        visit(top.inputs[operand]);
      } else {
        order.push(top);
        open.pop();
        next.pop();
      }
    }
  }
  return order;
}

/** The graph that computes `outputs` from `inputs`, with every node on the way. */
export const graphOf = (inputs: readonly Value[], outputs: readonly Value[]): Graph => ({
  inputs,
  outputs,
  nodes: nodesOf(outputs),
});

/** The tensor behind a constant, `undefined` for any other value. */
export function constantOf(value: Value | undefined): Tensor | undefined {
  const node = value?.producer;
  return node?.op.type === "Constant" ? (node.attributes.value as Tensor) : undefined;
}
