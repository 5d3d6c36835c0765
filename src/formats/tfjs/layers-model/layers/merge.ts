/** Keras's layers that make one tensor of several: sums, products, extrema, concatenation, dot products. */
import { z } from "zod";
import { ShapeError } from "../../../../core/errors.ts";
import { normalizeAxis, showShape } from "../../../../core/shape.ts";
import type { Value } from "../../../../graph/ir.ts";
import { type LayerKind, Module } from "../../../../nn/index.ts";
import {
  add,
  concat,
  div,
  einsum,
  maximum,
  minimum,
  mul,
  reciprocal,
  reduceSum,
  sqrt,
  square,
  sub,
  unsqueeze,
} from "../../../../ops/index.ts";
import { alongAxes, elementwise } from "../../channels.ts";
import { integer, toggle } from "../config.ts";
import { type LayerClass, type LayerClasses, listOf, type OneOrMore, plainLayer } from "../layer.ts";

/** Computes with all its operands. */
abstract class Merge extends Module<OneOrMore> {
  override readonly kind: LayerKind;
  override readonly inputs = "tree";
  readonly #merge: (values: readonly Value[]) => Value;
  constructor(kind: LayerKind, merge: (values: readonly Value[]) => Value) {
    super();
    this.kind = kind;
    this.#merge = merge;
  }
  protected call(inputs: OneOrMore): Value {
    return this.#merge(listOf(inputs));
  }
}

class Add extends Merge {}
class Subtract extends Merge {}
class Multiply extends Merge {}
class Average extends Merge {}
class Maximum extends Merge {}
class Minimum extends Merge {}
class Concatenate extends Merge {}
class Dot extends Merge {}

type Kind = new (kind: LayerKind, merge: (values: readonly Value[]) => Value) => Merge;

/** Folds operands by an elementwise function; smaller ones get axes after the batch, as in Keras. */
function folding(Kind: Kind, f: (a: Value, b: Value) => Value, end = (y: Value, _count: number) => y): LayerClass {
  const merge = (values: readonly Value[]) => {
    const rank = Math.max(...values.map((value) => value.rank));
    const aligned = values.map((value) =>
      value.rank === rank
        ? value
        : unsqueeze(
            value,
            Array.from({ length: rank - value.rank }, (_, i) => i + 1),
          ),
    );
    return elementwise((...own) => end(own.reduce(f), own.length), ...aligned);
  };
  return plainLayer(z.object({}), () => new Kind("arithmetic", merge));
}

/** Sums over one axis of each operand of products of elements, sample by sample. */
function dot(values: readonly Value[], axes: readonly [number, number], normalize: boolean): Value {
  const [a, b] = values;
  if (!a || !b || values.length > 2)
    throw new ShapeError(`dot takes two operands, got ${values.length}; connect two layers`);
  const [i, j] = [normalizeAxis(axes[0], a.rank), normalizeAxis(axes[1], b.rank)];
  if (i === 0 || j === 0 || a.shape[i] !== b.shape[j])
    throw new ShapeError(
      `dot over axis ${i} of ${showShape(a.shape)} and ${j} of ${showShape(b.shape)}; name axes of one extent after the batch`,
    );
  const unit = (x: Value, axis: number) =>
    mul(x, reciprocal(sqrt(maximum(reduceSum(square(x), axis, { keepDims: true }), 1e-12))));
  const [x, y] = normalize ? [unit(a, i), unit(b, j)] : [a, b];
  // The batch is n, the summed axis s, the others have letters of their own.
  const letters = (rank: number, summed: number, from: string) =>
    Array.from({ length: rank }, (_, axis) => (axis === 0 ? "n" : axis === summed ? "s" : (from[axis] ?? "")));
  const [left, right] = [letters(a.rank, i, "abcdef"), letters(b.rank, j, "ghijkl")];
  const kept = [...left, ...right.slice(1)].filter((letter) => letter !== "s");
  const product = einsum(`${left.join("")},${right.join("")}->${kept.join("")}`, x, y);
  return product.rank === 1 ? unsqueeze(product, [1]) : product;
}

const axesError = "an axis, or a list of two";

export const mergeClasses: LayerClasses = {
  Add: folding(Add, add),
  Subtract: folding(Subtract, sub),
  Multiply: folding(Multiply, mul),
  Average: folding(Average, add, (y, count) => div(y, count)),
  Maximum: folding(Maximum, maximum),
  Minimum: folding(Minimum, minimum),
  Concatenate: plainLayer(
    z.object({ axis: integer().default(-1) }),
    ({ axis }) => new Concatenate("reshape", (values) => alongAxes(values, (at, ...own) => concat(own, at(axis)))),
  ),
  Dot: plainLayer(
    z.object({
      axes: z.union([integer().transform((axis) => [axis, axis] as const), z.tuple([integer(), integer()])], {
        error: axesError,
      }),
      normalize: toggle(false),
    }),
    ({ axes, normalize }) => new Dot("arithmetic", (values) => dot(values, [axes[0], axes[1]], normalize)),
  ),
};
