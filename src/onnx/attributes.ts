/** Attributes of a file's nodes as our operators take them. */

import type { Tensor } from "../core/tensor.ts";
import type { Attributes } from "../graph/op.ts";
import type { FileAttribute } from "./model-file.ts";
import type { StoredTensor } from "./tensor.ts";

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
