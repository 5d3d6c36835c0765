/**
 * Randomness inside graphs: bits from an explicit key and a counter, so that equal keys give equal draws.
 * A key is uint32 [2]. The mixer is MurmurHash3's finalizer (Appleby 2008) with the key entering twice.
 */
import { UnsupportedError } from "../core/errors.ts";
import type { Key } from "../core/random.ts";
import { type Shape, size } from "../core/shape.ts";
import { Tensor } from "../core/tensor.ts";
import type { Value } from "../graph/ir.ts";
import { defineOp, type OpDef } from "../graph/op.ts";
import { cast } from "./cast.ts";
import { constant, requireConstant, scalar } from "./constant.ts";
import { add, mul, where } from "./elementwise.ts";
import { cos, log, sqrt } from "./functions.ts";
import { bitwiseXor, greaterOrEqual, shiftRight } from "./logic.ts";
import { concat, expand, reshape } from "./movement.ts";
import { storedNode, without } from "./reading.ts";
import { samplesBeside } from "./samples.ts";
import { slice } from "./slicing.ts";
import { range } from "./static-values.ts";

/**
 * x as it is, and the mask of what is kept: dropout outside training. The rate and whether to train may be operands;
 * training with it is `dropout`, whose randomness has a key.
 */
export const Dropout: OpDef = defineOp("Dropout", {
  arity: "1-3",
  attributes: { seed: "int" },
  settings: [1],
  infer: ([x, , training]) => {
    if (training && requireConstant("Dropout", "training_mode", training)[0])
      throw new UnsupportedError("Dropout: ONNX's training_mode has randomness without a key; use dropout");
    return [x, { dtype: "bool", shape: x.shape }];
  },
  grad: ({ gs: [g] }) => [g],
  flops: () => 0,
  samples: ({ axes }) => samplesBeside(axes, [], 2),
  requiredOutputs: 1,
  simplify: ({ inputs: [x] }) => [x, expand(scalar(1, "bool"), x.shape)],
  // The mask had the dtype of x before operator set 10.
  read: ({ version, inputs, attributes }, op) => {
    const [x, rate, training] = inputs;
    // In training, but with nothing to drop, as torchvision's Swin transformers are exported for inference.
    const isTraining = training && requireConstant("Dropout", "training_mode", training)[0] === 1;
    if (x && isTraining && rate && requireConstant("Dropout", "ratio", rate)[0] === 0)
      return [x, expand(scalar(1, "bool"), x.shape)];
    const { is_test = version < 7 ? 0 : 1 } = attributes;
    if (is_test === 0)
      throw new UnsupportedError("Dropout: the file has it as in training; export the model for inference");
    const kept = without(attributes, ["ratio", "is_test", "consumed_inputs"]);
    const [y, mask] = storedNode(op, inputs, kept).outputs as readonly [Value, Value];
    return [y, version < 10 ? cast(mask, y.dtype) : mask];
  },
});

/** What the counter of a draw is multiplied by: 2^32 by the golden ratio. */
const counterStep = 0x9e3779b9;

/** A host key as the tensor that graphs take. */
export const keyTensor = (key: Key): Tensor<"uint32"> => new Tensor("uint32", [2], Uint32Array.from(key));

/** A key for another random site of the same call. */
export const deriveKey = (key: Value, site: number): Value => {
  const words = Uint32Array.of(Math.imul(site + 1, 0x9e3779b1) >>> 0, Math.imul(site + 1, 0x85ebca77) >>> 0);
  return add(key, constant(new Tensor("uint32", [2], words)));
};

/** The key whose draws begin where those of `key` are after `count` numbers, uint32 []; of normal numbers and of keys derived from it alike. */
export const advanceKey = (key: Value, count: Value): Value => add(key, words(mul(count, counterStep), 0));

/** A key of another stream for each number, uint32 []. */
export const divideKey = (key: Value, number: Value): Value => add(key, words(0, mul(number, 0x85ebca77)));

/** Two words, uint32 [2]. */
const words = (...both: readonly [Value | number, Value | number]): Value =>
  concat(
    both.map((word) => reshape(typeof word === "number" ? scalar(word, "uint32") : word, [1])),
    0,
  );

/** Uniform random uint32 of a shape. */
export function randomBits(key: Value, shape: Shape): Value {
  const word = (i: number) => slice(key, { axis: 0, start: i, end: i + 1 });
  const mixShift = (x: Value, bits: number) => bitwiseXor(x, shiftRight(x, bits));
  const counter = cast(range(size(shape)), "uint32");
  let bits = add(mul(counter, counterStep), word(0));
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
