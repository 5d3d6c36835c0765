/** Attributes of a file's nodes as our operators take them. */
import type { Attributes } from "../graph/op.ts";
import type { FileAttribute } from "./model-file.ts";

/** The attributes, or the name of one that is of no kind that an operator takes. */
export function readAttributes(attributes: ReadonlyMap<string, FileAttribute>): Attributes | string {
  const read: Record<string, Attributes[string]> = {};
  for (const [name, value] of attributes) {
    if (typeof value !== "object") read[name] = value;
    else if (Array.isArray(value)) read[name] = value as Attributes[string];
    else if ("read" in value) read[name] = value.read();
    else return name;
  }
  return read;
}
