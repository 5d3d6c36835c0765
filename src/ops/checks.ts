/** Checks of tensors before they are fed to a graph: indices in range, labels that exist. */
import { DataError } from "../core/errors.ts";
import { size } from "../core/shape.ts";
import type { Tensor } from "../core/tensor.ts";
import type { InputCheck, Node, Value } from "../graph/ir.ts";
import { Cast } from "./cast.ts";
import { Identity } from "./elementwise.ts";
import { Flatten, Reshape, Squeeze, Unsqueeze } from "./movement.ts";

/** Operators that leave every element as it is, and in its order. */
const keepsElements = ({ op }: Node): boolean => [Cast, Reshape, Flatten, Identity, Squeeze, Unsqueeze].includes(op);

/** The graph input whose elements a value has, as they are fed. */
function fedBy(value: Value): Value | undefined {
  let source: Value | undefined = value;
  while (source?.producer && keepsElements(source.producer)) source = source.producer.inputs[0];
  return source?.producer ? undefined : source;
}

/**
 * Checks what is fed to the graph input behind a value, each time before the graph runs. `about` says what is checked: a
 * second check about the same replaces the first. A value that is computed in the graph is not checked.
 */
export function checkFed(value: Value, about: string, check: InputCheck): void {
  const source = fedBy(value);
  if (!source) return;
  source.checks ??= new Map();
  source.checks.set(about, check);
}

/** `row 3` of a vector's element, `row 3, place 5` of a matrix's. */
export function placeOf({ shape }: Tensor, index: number): string {
  const width = size(shape.slice(1));
  const row = `row ${Math.floor(index / width)}`;
  return width === 1 ? row : `${row}, place ${index % width}`;
}

/** Which whole numbers are fed. */
export interface IndexRange {
  /** The least; default 0. */
  readonly least?: number;
  /** One more than the largest. */
  readonly count: number;
  /** Another number that may stand there. */
  readonly ignored?: number | undefined;
  readonly mend: string;
}

/**
 * Checks that every element fed to the input behind a value is a whole number in [least, count), or `ignored`. The error names
 * the row, the element and `mend`.
 */
export function checkIndices(value: Value, what: string, { least = 0, count, ignored, mend }: IndexRange): void {
  checkFed(value, aboutIndices(what, least, count, ignored), (tensor, name) => {
    const { data } = tensor;
    for (let i = 0; i < data.length; i++) {
      const element = Number(data[i]);
      if (element === ignored || (Number.isInteger(element) && element >= least && element < count)) continue;
      throw new DataError(
        `${name}: the ${what} of ${placeOf(tensor, i)} is ${element}, expected a whole number from ${least} to ${count - 1}; ${mend}`,
      );
    }
  });
}

/** More rows than a table has may be read where something else reads the others: what is fed as an index goes up to `count`. */
export function widenIndices(value: Value, { from, to, mend }: { from: number; to: number; mend: string }): void {
  const checks = fedBy(value)?.checks;
  for (const least of [0, -from]) checks?.delete(aboutIndices("index", least, from));
  checkIndices(value, "index", { count: to, mend });
}

const aboutIndices = (what: string, least: number, count: number, ignored?: number): string =>
  `${what} ${least} ${count} ${ignored}`;

/** Checks the positions along an axis of `extent` elements that are fed; negative ones count from its end. */
export const checkPositions = (indices: Value, extent: number): void =>
  checkIndices(indices, "index", {
    least: -extent,
    count: extent,
    mend: `the axis that it reads has ${extent} elements: correct the row`,
  });

/**
 * Checks that every element fed to the input behind a value is a finite number from 0, up to `high` if that is given. The error
 * names the row, the element and `mend`.
 */
export function checkNumbers(
  value: Value,
  what: string,
  { high, mend }: { readonly high?: number; readonly mend: string },
): void {
  const limit = high ?? Number.MAX_VALUE;
  checkFed(value, `${what} ${high}`, (tensor, name) => {
    const data = tensor.dtype === "float16" ? tensor.toNumbers() : tensor.data;
    for (let i = 0; i < data.length; i++) {
      const element = Number(data[i]);
      if (element >= 0 && element <= limit) continue;
      throw new DataError(
        `${name}: the ${what} of ${placeOf(tensor, i)} is ${element}, expected a number from 0${high === undefined ? "" : ` to ${high}`}; ${mend}`,
      );
    }
  });
}
