/** Keras's layers that only move elements: reshaping, padding, cropping, repeating. */
import * as z from "zod";
import { ShapeError } from "../../../../core/errors.ts";
import { type Shape, showShape } from "../../../../core/shape.ts";
import type { Value } from "../../../../graph/ir.ts";
import { Module, reshape } from "../../../../nn/index.ts";
import { expand, flatten, pad, resize, slice, transpose, unsqueeze } from "../../../../ops/index.ts";
import { count } from "../../../config-fields.ts";
import { channelsLast } from "../../channels.ts";
import { extents, type Layout, layout } from "../config.ts";
import { type LayerClasses, plainLayer } from "../layer.ts";
import { interpolationOf } from "./resizing.ts";

/** Moves elements by a function. */
abstract class Moving extends Module {
  override readonly kind = "reshape";
  readonly #move: (x: Value) => Value;
  constructor(move: (x: Value) => Value) {
    super();
    this.#move = move;
  }
  protected call(x: Value): Value {
    return this.#move(x);
  }
}

class Flatten extends Moving {}
class Permute extends Moving {}
class RepeatVector extends Moving {}
class ZeroPadding extends Moving {}
class Cropping extends Moving {}
class UpSampling extends Moving {}

/** Elements before and after each of `rank` axes: one number for all, one for each axis, or a pair for each. */
function sides(rank: number) {
  const error = `a whole number from 0, a list of ${rank}, or a list of ${rank} pairs`;
  const one = count(0);
  const pair = z.tuple([one, one]);
  // Along one axis a list of two is a pair.
  const forms = rank === 1 ? [pair.transform((value) => [value])] : [];
  return z.union([...forms, one, z.array(z.union([one, pair])).length(rank)], { error }).transform((value) => {
    const list = typeof value === "number" ? new Array<number>(rank).fill(value) : value;
    return list.map((item): readonly [number, number] => (typeof item === "number" ? [item, item] : item));
  });
}

/** f of x with its channels on the second axis. Throws ShapeError unless there are `rank` axes between batch and channels. */
const spatially =
  (rank: number, own: Layout, f: (x: Value) => Value): ((x: Value) => Value) =>
  (x) => {
    if (x.rank !== rank + 2)
      throw new ShapeError(
        `input ${showShape(x.shape)} has rank ${x.rank}, expected ${rank + 2}: batch, channels and ${rank} between`,
      );
    return own.back(f(own.into(x)));
  };

const zeroPadding = (rank: number) =>
  plainLayer(
    z.object({ padding: sides(rank).default(new Array(rank).fill([1, 1])), data_format: layout }),
    ({ padding, data_format }) =>
      new ZeroPadding(spatially(rank, data_format, (x) => pad(x, [[0, 0], [0, 0], ...padding]))),
  );

const cropping = (rank: number) =>
  plainLayer(
    z.object({
      cropping: sides(rank).default(new Array(rank).fill(rank === 2 ? [0, 0] : [1, 1])),
      data_format: layout,
    }),
    ({ cropping: cut, data_format }) =>
      new Cropping(spatially(rank, data_format, (x) => slice(x, ...cut.map((pair, i) => rangeLeft(x, i + 2, pair))))),
  );

/** What a pair of croppings leaves of an axis. Throws ShapeError when that is nothing. */
function rangeLeft({ shape }: Value, axis: number, [before, after]: readonly [number, number]) {
  const end = (shape[axis] ?? 0) - after;
  if (end <= before)
    throw new ShapeError(`cropping ${showShape([before, after])} leaves nothing of ${shape[axis]} elements; crop less`);
  return { axis, start: before, end };
}

const upSampling = (rank: number) =>
  plainLayer(
    z.object({
      size: extents(rank).default(new Array<number>(rank).fill(2)),
      data_format: layout,
      interpolation: z.string().default("nearest"),
    }),
    ({ size, data_format, interpolation }) => {
      const mode = interpolationOf(interpolation);
      const grown = (x: Value): Shape => size.map((factor, i) => factor * (x.shape[i + 2] ?? 1));
      return new UpSampling(spatially(rank, data_format, (x) => resize(x, grown(x), { mode })));
    },
  );

const targetError = "a list of whole numbers, one of them maybe -1 or null";
/** TensorFlow.js writes null for the extent that is left open. */
const target = z
  .int({ error: targetError })
  .min(-1, { error: targetError })
  .nullable()
  .transform((extent) => extent ?? -1);
const axesError = "a list of axes from 1";

export const shapeClasses: LayerClasses = {
  // The channels become the fastest axis, whatever their place, so that the dense layers after it may be moved between both.
  Flatten: plainLayer(
    z.object({ data_format: layout }),
    ({ data_format }) => new Flatten((x) => flatten(data_format.isLast ? x : channelsLast(x), 1)),
  ),
  Reshape: plainLayer(z.object({ target_shape: z.array(target, { error: targetError }) }), ({ target_shape }) =>
    reshape(target_shape),
  ),
  Permute: plainLayer(
    z.object({ dims: z.array(count(), { error: axesError }) }),
    ({ dims }) => new Permute((x) => transpose(x, [0, ...dims])),
  ),
  // [N, F] → [N, n, F]
  RepeatVector: plainLayer(
    z.object({ n: count() }),
    ({ n }) =>
      new RepeatVector((x) => {
        const [batch = 1, features = 1] = x.shape;
        if (x.rank !== 2)
          throw new ShapeError(`input ${showShape(x.shape)} is no batch of vectors; pass [batch, features]`);
        return expand(unsqueeze(x, [1]), [batch, n, features]);
      }),
  ),
  ZeroPadding1D: zeroPadding(1),
  ZeroPadding2D: zeroPadding(2),
  ZeroPadding3D: zeroPadding(3),
  Cropping1D: cropping(1),
  Cropping2D: cropping(2),
  Cropping3D: cropping(3),
  UpSampling1D: upSampling(1),
  UpSampling2D: upSampling(2),
  UpSampling3D: upSampling(3),
};
