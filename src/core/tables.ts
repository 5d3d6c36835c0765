/** Tables that are computed while a graph is built, of extents that a file may have made up. */
import { ShapeError, UnsupportedError } from "./errors.ts";
import { showShape, size } from "./shape.ts";

/** Elements of such a table: 0.5 GB as JavaScript's numbers. Those of published models have some million. */
const mostElements = 2 ** 26;

/**
 * Refuses a table of more elements than fit well into memory. Throws UnsupportedError, and ShapeError for extents that are none.
 * @param what has it: "STFT: its windows"
 */
export function requireTable(what: string, ...extents: readonly number[]): void {
  if (!extents.every((extent) => Number.isInteger(extent) && extent >= 0))
    throw new ShapeError(`${what} would have the extents ${showShape(extents)}; pass whole numbers from 0`);
  if (size(extents) > mostElements)
    throw new UnsupportedError(
      `${what} would take a table ${showShape(extents)} of ${size(extents)} elements, expected ${mostElements} at most; pass smaller extents`,
    );
}
