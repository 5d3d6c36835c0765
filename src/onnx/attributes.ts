/** Attributes of a file's nodes as our operators take them. */

import { FileError } from "../core/errors.ts";
import type { Tensor } from "../core/tensor.ts";
import type { Attributes, OpDef } from "../graph/op.ts";
import type { FileAttribute } from "./model-file.ts";
import type { StoredTensor } from "./tensor.ts";

/** The engine cuts whole numbers beyond this to 32 bits, and takes them for others. */
const largest = 2 ** 31 - 1;

/** Throws FileError for a whole number that is none to the engine, such as a switch of 2^53 that it reads as 0. */
export function requireWhole(attributes: Attributes, declared: OpDef["schema"]): void {
  for (const [name, value] of Object.entries(attributes))
    if (declared[name] === "int" && typeof value === "number" && Math.abs(value) > largest)
      throw new FileError(
        `its attribute ${name} is ${value}, expected a whole number from ${-largest} to ${largest}; write the model anew`,
      );
}

/** The attributes, or the name of one that is of no kind that an operator takes; `read` gives the elements of tensors. */
export function readAttributes(
  attributes: ReadonlyMap<string, FileAttribute>,
  read: (stored: StoredTensor) => Tensor,
): Attributes | string {
  const found: Record<string, Attributes[string]> = {};
  for (const [name, value] of attributes) {
    if (typeof value !== "object") found[name] = value;
    else if (Array.isArray(value)) found[name] = value as Attributes[string];
    else if ("read" in value) found[name] = read(value);
    else return name;
  }
  return found;
}
