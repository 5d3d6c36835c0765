/** Keras's layers that make one tensor of several: sums, products, extrema, concatenation, dot products. */
import * as z from "zod";
import { ShapeError } from "../../../../core/errors.ts";
import { greatest } from "../../../../core/lists.ts";
import { normalizeAxis, showShape } from "../../../../core/shape.ts";
import type { Value } from "../../../../graph/ir.ts";
import type { LayerKind } from "../../../../nn/index.ts";
import {
  add,
  and,
  concat,
  div,
  einsum,
  flatten,
  isNan,
  maximum,
  minimum,
  mul,
  not,
  or,
  reciprocal,
  reduceSum,
  reshape,
  slice,
  sqrt,
  square,
  sub,
  unsqueeze,
} from "../../../../ops/index.ts";
import { alongAxes, elementwise } from "../../channels.ts";
import type { LayerCall, MaskRule } from "../calls.ts";
import { integer, toggle } from "../config.ts";
import { CallLayer, defineLayer, type LayerClass, type LayerClasses, plainLayer } from "../layer.ts";

/** Computes with all its operands. */
abstract class Merge extends CallLayer {
  override readonly kind: LayerKind;
  readonly #merge: (values: readonly Value[]) => Value;
  constructor(kind: LayerKind, merge: (values: readonly Value[]) => Value) {
    super();
    this.kind = kind;
    this.#merge = merge;
  }
  protected call({ inputs }: LayerCall): Value {
    if (inputs.length === 0) throw new ShapeError("it takes no tensor; connect layers");
    return this.#merge(inputs);
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
    const rank = greatest(values.map((value) => value.rank));
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
  return plainLayer(z.object({}), () => new Kind("arithmetic", merge), { masks: allCount });
}

/** A step counts where it does in every operand that has a mask. */
const allCount: MaskRule = ({ masks }) => {
  const there = masks.filter((mask) => mask !== undefined);
  return there.length === 0 ? [] : [there.reduce((all, mask) => and(all, mask))];
};

/** Steps put behind one another keep their masks; features put side by side count where all of them do. */
const joinedMasks =
  (axis: number): MaskRule =>
  ({ inputs, masks }) => {
    const [first] = inputs;
    const [known] = masks.filter((mask) => mask !== undefined);
    if (!first || !known) return [];
    const along = normalizeAxis(axis, first.rank);
    if (along >= known.rank) return allCount({ inputs, masks, named: {} }, []);
    // Without a mask every step counts: the elements of one are equal to themselves.
    const own = inputs.map((value, i) => {
      const elements = reshape(
        slice(flatten(value, known.rank), { axis: known.rank, start: 0, end: 1 }),
        value.shape.slice(0, known.rank),
      );
      return masks[i] ?? or(isNan(elements), not(isNan(elements)));
    });
    return [concat(own, along)];
  };

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
  Concatenate: defineLayer(z.object({ axis: integer().default(-1) }), ({ axis }) => ({
    module: new Concatenate("reshape", (values) => alongAxes(values, (at, ...own) => concat(own, at(axis)))),
    masks: joinedMasks(axis),
  })),
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
