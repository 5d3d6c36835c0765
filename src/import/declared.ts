/** What a file declares of its inputs, and the shapes that follow. */
import type { DType } from "../core/dtype.ts";
import { ShapeError } from "../core/errors.ts";
import type { Shape } from "../core/shape.ts";

/** An element type of a file: its name, its bits, and the dtype in which we compute with it. */
export interface ElementType {
  readonly name: string;
  readonly bits: number;
  readonly dtype: DType;
}

/** What a file says of a tensor: extents are numbers, names of symbols, or unknown. */
export interface Declared {
  readonly name: string;
  readonly type: ElementType | undefined;
  /** `undefined` when even the rank is unknown. */
  readonly extents: readonly (number | string | undefined)[] | undefined;
  /** It is a list of such tensors. */
  readonly isSequence?: boolean;
  /** It may be nothing. */
  readonly isOptional?: boolean;
}

/**
 * What an extent by name comes to, where it is one of known names, or sums and products of them: `past_sequence_length + 1`.
 * `undefined` where a name is not known.
 */
export function extentOf(text: string, known: (name: string) => number | undefined): number | undefined {
  const whole = known(text);
  if (whole !== undefined) return whole;
  const factors = (product: string): number | undefined =>
    product.split("*").reduce<number | undefined>((value, factor) => {
      const name = factor.trim();
      const own = /^\d+$/.test(name) ? Number(name) : /^[\w.]+$/.test(name) ? known(name) : undefined;
      return value === undefined || own === undefined ? undefined : value * own;
    }, 1);
  const terms = text.replaceAll("-", "+-").split("+");
  const sum = terms.reduce<number | undefined>((value, term) => {
    const isLess = term.trimStart().startsWith("-");
    const own = factors(term.replace("-", ""));
    return value === undefined || own === undefined ? undefined : isLess ? value - own : value + own;
  }, 0);
  return sum !== undefined && sum >= 0 ? sum : undefined;
}

/** The shape that a file declares. Throws ShapeError when an extent is left open. */
export function declaredShape({ name, extents }: Declared): Shape {
  if (extents?.every((extent) => typeof extent === "number")) return extents as Shape;
  const shown = extents ? `[${extents.map((extent) => extent ?? "?").join(", ")}]` : "unknown, even its rank";
  throw new ShapeError(`the shape of input "${name}" is ${shown}; pass the shape to use`);
}
