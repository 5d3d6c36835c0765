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

/**
 * Checks that every element fed to the input behind a value is a whole number in [0, count), or `ignored`. The error names the
 * row, the element and `mend`.
 */
export function checkIndices(
  value: Value,
  what: string,
  { count, ignored, mend }: { readonly count: number; readonly ignored?: number | undefined; readonly mend: string },
): void {
  checkFed(value, `${what} ${count} ${ignored}`, (tensor, name) => {
    const { data } = tensor;
    for (let i = 0; i < data.length; i++) {
      const element = Number(data[i]);
      if (element === ignored || (Number.isInteger(element) && element >= 0 && element < count)) continue;
      throw new DataError(
        `${name}: the ${what} of ${placeOf(tensor, i)} is ${element}, expected a whole number from 0 to ${count - 1}; ${mend}`,
      );
    }
  });
}
