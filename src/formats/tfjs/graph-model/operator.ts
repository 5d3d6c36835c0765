/** What an operator of TensorFlow is here: how a node of it becomes values of ours. */
import { UnsupportedError } from "../../../core/errors.ts";
import type { Value } from "../../../graph/ir.ts";
import type { OpDef } from "../../../graph/op.ts";
import type { NodeAttributes } from "./attributes.ts";

/** A node with its operands. */
export interface Applied {
  readonly inputs: readonly Value[];
  readonly attributes: NodeAttributes;
  /** How many of its results others read. */
  readonly outputs: number;
  /** Operand i. Throws FileError when the node has fewer. */
  operand(i: number): Value;
  /** The elements of operand i, which determine shapes. Throws UndeterminedError when they are only known later. */
  known(i: number): readonly number[];
}

export interface Operator {
  /** What it is like, where a node of it is only named and counted. */
  readonly op: OpDef;
  /** Its results. Throws UnsupportedError for a form that is not supported. */
  build(node: Applied): Value | readonly Value[];
}

/** Operators by TensorFlow's names. */
export type Operators = Readonly<Record<string, Operator>>;

/** Shapes that depend on elements which are known when the model runs, or lie in files that are not there. */
export class UndeterminedError extends UnsupportedError {}

/** Two numbers for each axis, of a list of them all. */
export const pairsOf = (numbers: readonly number[]): readonly (readonly number[])[] =>
  Array.from({ length: Math.ceil(numbers.length / 2) }, (_, i) => numbers.slice(2 * i, 2 * i + 2));

/** The first operand's result under a function. */
export const unary = (f: (x: Value) => Value, op: OpDef): Operator => ({
  op,
  build: (node) => f(node.operand(0)),
});
