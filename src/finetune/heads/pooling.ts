/** Vectors of whole texts and images, from the features of their tokens or places. */
import { ShapeError } from "../../core/errors.ts";
import { showShape } from "../../core/shape.ts";
import type { Value } from "../../graph/ir.ts";
import {
  add,
  cast,
  div,
  equal,
  maximum,
  mul,
  range,
  reduceMax,
  reduceMean,
  reduceSum,
  reshape,
  scalar,
  slice,
  sub,
} from "../../ops/index.ts";

/** How the features of tokens or of places become one vector. */
export type Pooling = "mean" | "first" | "last" | "max" | "none";

/** Where the channels of images lie: behind the batch, or behind the places. */
export type Channels = "first" | "last";

/** Of images [N, C, …] or [N, …, C] the vectors [N, C]. */
export function pooledPlaces(x: Value, pooling: Pooling, channels: Channels): Value {
  if (pooling === "none") return x;
  const axes = [...x.shape.keys()].slice(...(channels === "first" ? [2] : [1, -1]));
  if (pooling === "mean") return reduceMean(x, axes);
  if (pooling === "max") return reduceMax(x, axes);
  throw new ShapeError(`places ${showShape(x.shape)} have no ${pooling} one; pass { pooling: "mean" } or "max"`);
}

/** Of tokens [N, T, W] the vectors [N, W], without those that the mask [N, T] leaves out; vectors [N, W] stay as they are. */
export function pooledTokens(x: Value, pooling: Pooling, mask: Value | undefined): Value {
  if (pooling === "none" || x.rank < 3) return x;
  const [batch = 1, second = 1, third = 1] = x.shape;
  const axes = [1];
  const taking = (start: number) => reshape(slice(x, { axis: 1, start, end: start + 1 }), [batch, third]);
  if (pooling === "first") return taking(0);
  if (!mask) {
    if (pooling === "last") return taking(second - 1);
    return pooling === "mean" ? reduceMean(x, axes) : reduceMax(x, axes);
  }
  const present = reshape(cast(mask, x.dtype), [batch, second, 1]);
  if (pooling === "max") return reduceMax(add(x, mul(sub(present, 1), 1e30)), axes);
  const weights = pooling === "mean" ? present : lastOf(present, second);
  return div(reduceSum(mul(x, weights), axes), maximum(reduceSum(weights, axes), scalar(1e-9, x.dtype)));
}

/** 1 for the last token that takes part, 0 for the others: [N, T, 1]. */
function lastOf(present: Value, length: number): Value {
  const places = mul(present, reshape(add(cast(range(length), present.dtype), 1), [1, length, 1]));
  return cast(equal(places, reduceMax(places, [1], { keepDims: true })), present.dtype);
}
