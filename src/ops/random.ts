/**
 * Randomness inside graphs: bits from an explicit key and a counter, so that equal keys give equal draws.
 * A key is uint32 [2]. The mixer is MurmurHash3's finalizer (Appleby 2008) with the key entering twice.
 */
import type { Key } from "../core/random.ts";
import { type Shape, size } from "../core/shape.ts";
import { Tensor } from "../core/tensor.ts";
import type { Value } from "../graph/ir.ts";
import { apply } from "../graph/op.ts";
import { constant, scalar } from "./constant.ts";
import { add, cast, mul, where } from "./elementwise.ts";
import { cos, log, sqrt } from "./functions.ts";
import { Range } from "./known.ts";
import { bitwiseXor, greaterOrEqual, shiftRight } from "./logic.ts";
import { reshape } from "./movement.ts";
import { slice } from "./slicing.ts";

/** A host key as the tensor that graphs take. */
export const keyTensor = (key: Key): Tensor<"uint32"> => new Tensor("uint32", [2], Uint32Array.from(key));

/** A key for another random site of the same call. */
export const deriveKey = (key: Value, site: number): Value => {
  const words = Uint32Array.of(Math.imul(site + 1, 0x9e3779b1) >>> 0, Math.imul(site + 1, 0x85ebca77) >>> 0);
  return add(key, constant(new Tensor("uint32", [2], words)));
};

/** Uniform random uint32 of a shape. */
export function randomBits(key: Value, shape: Shape): Value {
  const word = (i: number) => slice(key, { axis: 0, start: i, end: i + 1 });
  const mixShift = (x: Value, bits: number) => bitwiseXor(x, shiftRight(x, bits));
  const counter = cast(apply(Range, [scalar(0, "int64"), scalar(size(shape), "int64"), scalar(1, "int64")]), "uint32");
  let bits = add(mul(counter, 0x9e3779b9), word(0));
  bits = mul(mixShift(bits, 16), 0x85ebca6b);
  bits = mul(mixShift(add(bits, word(1)), 13), 0xc2b2ae35);
  return reshape(mixShift(bits, 16), shape);
}

/** Uniform float32 in [0, 1) of a shape, multiples of 2^-24. */
export const randomUniform = (key: Value, shape: Shape): Value =>
  mul(cast(shiftRight(randomBits(key, shape), 8), "float32"), 2 ** -24);

/** Standard normal float32 of a shape (Box and Muller 1958). */
export function randomNormal(key: Value, shape: Shape): Value {
  const radius = sqrt(mul(-2, log(add(randomUniform(deriveKey(key, 1), shape), 2 ** -25))));
  return mul(radius, cos(mul(2 * Math.PI, randomUniform(deriveKey(key, 2), shape))));
}

/** Zeroes each element of x with probability `rate` and scales the others by 1 / (1 - rate). */
export const dropout = (x: Value, rate: number, key: Value): Value => {
  const threshold = scalar(Math.round(rate * 2 ** 32), "uint32");
  return where(greaterOrEqual(randomBits(key, x.shape), threshold), mul(x, 1 / (1 - rate)), 0);
};
