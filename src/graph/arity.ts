/** How many operands operators take. */
import type { Value } from "./ir.ts";

/** Number of operands, `min-max`, and the tuple in which a rule receives them. */
export interface OperandsOf {
  "0": readonly [];
  "0-": readonly (Value | undefined)[];
  "1": readonly [Value];
  "1-2": readonly [Value, Value?];
  "1-3": readonly [Value, Value?, Value?];
  "1-4": readonly [Value, Value?, Value?, Value?];
  "1-9": OneAndOthers;
  "1-10": OneAndOthers;
  "1-12": OneAndOthers;
  "2": readonly [Value, Value];
  "2-3": readonly [Value, Value, Value?];
  "2-4": readonly [Value, Value, Value?, Value?];
  "2-5": readonly [Value, Value, Value?, Value?, Value?];
  "2-7": readonly [Value, Value, Value?, Value?, Value?, Value?, Value?];
  "3": readonly [Value, Value, Value];
  "3-4": readonly [Value, Value, Value, Value?];
  "3-5": readonly [Value, Value, Value, Value?, Value?];
  "3-6": readonly [Value, Value, Value, Value?, Value?, Value?];
  "3-7": readonly [Value, Value, Value, Value?, Value?, Value?, Value?];
  "3-8": readonly [Value, Value, Value, Value?, Value?, Value?, Value?, Value?];
  "4": readonly [Value, Value, Value, Value];
  "4-7": readonly [Value, Value, Value, Value, Value?, Value?, Value?];
  "5": readonly [Value, Value, Value, Value, Value];
  "5-9": readonly [Value, Value, Value, Value, Value, Value?, Value?, Value?, Value?];
  "6-9": readonly [Value, Value, Value, Value, Value, Value, Value?, Value?, Value?];
  "8": readonly [Value, Value, Value, Value, Value, Value, Value, Value];
  "8-9": readonly [Value, Value, Value, Value, Value, Value, Value, Value, Value?];
  "1-": readonly [Value, ...Value[]];
}
/** Of many operands the first; any of the others may be left out. */
type OneAndOthers = readonly [Value, ...(Value | undefined)[]];
export type Arity = keyof OperandsOf;
