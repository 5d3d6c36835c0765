/** Attributes of operators: their kinds, and those of model files, which may be of any kind, checked before a rule reads them. */
import { UnsupportedError } from "../core/errors.ts";
import { Tensor } from "../core/tensor.ts";
import type { Graph, Node } from "./ir.ts";

/** Kinds of ONNX attributes and the TypeScript values that hold them. */
export interface AttributeTypes {
  int: number;
  ints: readonly number[];
  float: number;
  floats: readonly number[];
  string: string;
  strings: readonly string[];
  tensor: Tensor;
  graph: Graph;
}
export type AttributeKind = keyof AttributeTypes;
export type Attributes = Readonly<Record<string, AttributeTypes[AttributeKind] | undefined>>;
export type AttributeSchema = Readonly<Record<string, AttributeKind>>;

const isNumber = (value: unknown): boolean => typeof value === "number";
const isNumbers = (value: unknown): boolean => Array.isArray(value) && value.every(isNumber);
const isWhole = (value: unknown): boolean => isNumber(value) && Number.isInteger(value);

const kinds: Readonly<Record<AttributeKind, (value: unknown) => boolean>> = {
  int: isWhole,
  ints: (value) => Array.isArray(value) && value.every(isWhole),
  float: isNumber,
  floats: isNumbers,
  string: (value) => typeof value === "string",
  strings: (value) => Array.isArray(value) && value.every((item) => typeof item === "string"),
  tensor: (value) => value instanceof Tensor,
  graph: (value) => isGraph(value),
};

/** Whether an attribute is a graph. */
export const isGraph = (value: unknown): value is Graph =>
  typeof value === "object" && value !== null && "nodes" in value && "outputs" in value;

/** The graphs among a node's attributes, by name. */
export const graphsOf = ({ attributes }: Node): readonly (readonly [string, Graph])[] =>
  Object.entries(attributes).flatMap(([name, value]) => (isGraph(value) ? [[name, value] as const] : []));

/** Throws UnsupportedError for an attribute of another kind than the operator's. */
export function checkKinds(type: string, schema: AttributeSchema, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    const kind = Object.hasOwn(schema, name) ? schema[name] : undefined;
    if (kind && value !== undefined && !kinds[kind](value))
      throw new UnsupportedError(
        `${type}: its attribute ${name} is no ${kind}; the file is damaged, or of another operator`,
      );
  }
}

/**
 * The numbers of an attribute that the operator itself does not have, `undefined` when it is absent. Throws
 * UnsupportedError for one of another kind.
 */
export function numbersOf(type: string, attributes: Attributes, name: string): readonly number[] | undefined {
  const value = attributes[name];
  if (value === undefined) return undefined;
  if (isNumber(value)) return [value as number];
  if (isNumbers(value)) return value as readonly number[];
  throw new UnsupportedError(
    `${type}: its attribute ${name} is of no numbers; the file is damaged, or of another operator`,
  );
}
