/** Which runs can be asked together. */
import type { AskedInput } from "../shared/api.ts";

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, extent) => product * extent, 1);

/** Whether two runs take the same input: images of any size, rows with the same columns, as many numbers. */
export function takeSame(a: AskedInput, b: AskedInput): boolean {
  if (a.kind === "table" && b.kind === "table") {
    const names = new Set(a.columns.map(({ name }) => name));
    return names.size === b.columns.length && b.columns.every(({ name }) => names.has(name));
  }
  if (a.kind === "numbers" && b.kind === "numbers") return sizeOf(a.shape) === sizeOf(b.shape);
  return a.kind === b.kind;
}
