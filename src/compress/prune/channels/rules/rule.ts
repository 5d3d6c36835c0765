/** What a rule says of an operator: how units run through it, and how a node is made again when some are cut. */
import type { Attributes } from "../../../../graph/attributes.ts";
import type { Node, Value } from "../../../../graph/ir.ts";
import type { AxisUnits, Units, ValueUnits } from "../units.ts";

/** What a rule sees as it follows units through a node. */
export interface Following {
  readonly node: Node;
  /** The units of the operands; those of a constant are of this use of it. */
  readonly inputs: readonly (ValueUnits | undefined)[];
  readonly units: Units;
  /** `Softmax of "h.0.attn"`, for reasons. */
  readonly place: string;
  /** The node makes the units of an axis by the operand at a position: where that is a weight, they are channels of its layer. */
  makes(axis: AxisUnits, operand: number): void;
  /** The multiply-adds of the node are in proportion to the extents of these axes. */
  costs(axes: readonly AxisUnits[]): void;
}

/** What a rule sees as it makes a node again. */
export interface Cutting {
  readonly node: Node;
  /** The operands as they are now. */
  readonly inputs: readonly (Value | undefined)[];
  /** The units of the operands before the cut. */
  readonly operands: readonly (ValueUnits | undefined)[];
  /** The units of the outputs before the cut. */
  readonly outputs: readonly ValueUnits[];
  /** Whether a unit stays. */
  stays(unit: number): boolean;
}

/** Operands and attributes of the node that takes the place of another; default those that it has. */
export interface Remade {
  readonly inputs?: readonly (Value | undefined)[];
  readonly attributes?: Attributes;
}

/** The rule of an operator. */
export interface ChannelRule {
  /** The units of the outputs. */
  follow(following: Following): readonly ValueUnits[];
  /** What is another in the node once units are cut; default nothing but the operands themselves. */
  remake?(cutting: Cutting): Remade;
}

/** How many indices of an axis stay. */
export const extentOf = (axis: AxisUnits, { stays }: Pick<Cutting, "stays">): number =>
  axis.reduce((count, unit) => count + Number(stays(unit)), 0);

/** The extents of a value once units are cut. */
export const shapeOf = (value: ValueUnits, cutting: Pick<Cutting, "stays">): number[] =>
  value.map((axis) => extentOf(axis, cutting));

/** For each index of an axis how many before it stay: where it is afterwards, if it stays itself. */
export function placesOf(axis: AxisUnits, { stays }: Pick<Cutting, "stays">): Int32Array {
  let next = 0;
  return axis.map((unit) => (stays(unit) ? next++ : next));
}

/** Units of what an operator makes anew, all of which stay. */
export const wholeAxes = (shape: readonly number[], units: Units, reason: string): AxisUnits[] =>
  shape.map((extent) => units.whole(extent, reason));
