/** Functions that compute element by element, along axes, and products. */
import type { Value } from "../../../../graph/ir.ts";
import * as ops from "../../../../ops/index.ts";
import { elementwise } from "../../channels.ts";
import { kerasActivation } from "../activations.ts";
import { type Given, type Operation, type Operations, promoted } from "./operation.ts";

const unary = (f: (x: Value, given: Given) => Value): Operation => ({
  parameters: ["x"],
  kind: "arithmetic",
  compute: (given) => elementwise((x: Value) => f(x, given), given.value("x")),
});

/** A function that Keras has as an activation too. */
const activation = (name: string): Operation => ({
  parameters: ["x"],
  kind: "activation",
  compute: (given) => {
    const x = given.value("x");
    return kerasActivation(name, given.keras)(x, (given.integers("axis") ?? [-1])[0] ?? -1);
  },
});

const binary = (f: (a: Value | number, b: Value | number) => Value): Operation => ({
  parameters: ["x1", "x2"],
  kind: "arithmetic",
  compute: (given) => {
    const [a, b] = promoted(given.operand("x1"), given.operand("x2"));
    if (typeof a === "number" && typeof b === "number") return f(given.value("x1"), b);
    if (typeof a === "number") return elementwise((y: Value) => f(a, y), b as Value);
    if (typeof b === "number") return elementwise((x: Value) => f(x, b), a);
    return elementwise((x: Value, y: Value) => f(x, y), a, b);
  },
});

type Reduce = (x: Value, axes?: readonly number[], options?: ops.ReduceOptions) => Value;

/** Along axes, all of them unless some are named. */
const reduction = (reduce: Reduce): Operation => ({
  parameters: ["x", "axis", "keepdims"],
  kind: "arithmetic",
  compute: (given) => reduce(given.value("x"), given.integers("axis"), { keepDims: given.flag("keepdims") }),
});

/** The place of an extremum along one axis, as int32. */
const position = (find: (x: Value, axis: number) => Value): Operation => ({
  parameters: ["x", "axis", "keepdims"],
  kind: "arithmetic",
  compute: (given) => {
    const x = given.value("x");
    const [axis] = given.integers("axis") ?? [];
    const found = ops.cast(axis === undefined ? find(ops.reshape(x, [-1]), 0) : find(x, axis), "int32");
    return given.flag("keepdims") && axis !== undefined
      ? ops.unsqueeze(found, [axis < 0 ? axis + x.rank : axis])
      : found;
  },
});

/** a b over the last axis of a and the last but one of b; vectors are rows before, and columns behind. */
function product(a: Value, b: Value): Value {
  const [left, right] = [a.rank === 1 ? ops.unsqueeze(a, [0]) : a, b.rank === 1 ? ops.unsqueeze(b, [1]) : b];
  const y = ops.matmul(left, right);
  const gone = [...(a.rank === 1 ? [y.rank - 2] : []), ...(b.rank === 1 ? [y.rank - 1] : [])];
  return gone.length > 0 ? ops.squeeze(y, gone) : y;
}

const lastTwo = (x: Value): Value => ops.swapAxes(x, x.rank - 2, x.rank - 1);

export const arithmetic: Operations = {
  add: binary(ops.add),
  subtract: binary(ops.sub),
  multiply: binary(ops.mul),
  divide: binary(ops.div),
  true_divide: binary(ops.div),
  power: binary(ops.pow),
  maximum: binary(ops.maximum),
  minimum: binary(ops.minimum),
  squared_difference: binary((a, b) => ops.square(ops.sub(a, b))),
  equal: binary(ops.equal),
  not_equal: binary((a, b) => ops.not(ops.equal(a, b))),
  greater: binary(ops.greater),
  greater_equal: binary(ops.greaterOrEqual),
  less: binary(ops.less),
  less_equal: binary(ops.lessOrEqual),
  logical_and: binary(ops.and),
  logical_or: binary(ops.or),
  logical_not: unary((x) => ops.not(x)),
  absolute: unary((x) => ops.abs(x)),
  abs: unary((x) => ops.abs(x)),
  negative: unary((x) => ops.neg(x)),
  exp: unary((x) => ops.exp(x)),
  expm1: unary((x) => ops.sub(ops.exp(x), 1)),
  log: unary((x) => ops.log(x)),
  log1p: unary((x) => ops.log(ops.add(x, 1))),
  sqrt: unary((x) => ops.sqrt(x)),
  rsqrt: unary((x) => ops.reciprocal(ops.sqrt(x))),
  square: unary((x) => ops.square(x)),
  reciprocal: unary((x) => ops.reciprocal(x)),
  sin: unary((x) => ops.sin(x)),
  cos: unary((x) => ops.cos(x)),
  erf: unary((x) => ops.erf(x)),
  floor: unary((x) => ops.floor(x)),
  ceil: unary((x) => ops.ceil(x)),
  round: unary((x) => ops.round(x)),
  sign: unary((x) => ops.sign(x)),
  stop_gradient: unary((x) => ops.stopGradient(x)),
  clip: {
    parameters: ["x", "x_min", "x_max"],
    kind: "arithmetic",
    compute: (given) =>
      elementwise((x: Value) => ops.clip(x, given.number("x_min"), given.number("x_max")), given.value("x")),
  },
  where: {
    parameters: ["condition", "x1", "x2"],
    kind: "arithmetic",
    compute: (given) => {
      const [a, b] = promoted(given.operand("x1"), given.operand("x2"));
      return ops.where(ops.cast(given.value("condition"), "bool"), a, b);
    },
  },
  relu: activation("relu"),
  relu6: activation("relu6"),
  sigmoid: activation("sigmoid"),
  tanh: activation("tanh"),
  softmax: activation("softmax"),
  log_softmax: activation("log_softmax"),
  softplus: activation("softplus"),
  softsign: activation("softsign"),
  silu: activation("silu"),
  swish: activation("silu"),
  selu: activation("selu"),
  mish: activation("mish"),
  hard_sigmoid: activation("hard_sigmoid"),
  hard_silu: activation("hard_silu"),
  hard_swish: activation("hard_silu"),
  hard_tanh: activation("hard_tanh"),
  log_sigmoid: activation("log_sigmoid"),
  glu: activation("glu"),
  elu: unary((x, given) => ops.elu(x, given.number("alpha", 1))),
  celu: unary((x, given) => ops.celu(x, given.number("alpha", 1))),
  leaky_relu: unary((x, given) => ops.leakyRelu(x, given.number("negative_slope", 0.2))),
  // The function of Keras 3 approximates unless it is told otherwise, TensorFlow's does not.
  gelu: unary((x, given) => ops.gelu(x, given.flag("approximate", given.keras === 3) ? "tanh" : "none")),
  sum: reduction(ops.reduceSum),
  mean: reduction(ops.reduceMean),
  max: reduction(ops.reduceMax),
  amax: reduction(ops.reduceMax),
  min: reduction(ops.reduceMin),
  amin: reduction(ops.reduceMin),
  prod: reduction(ops.reduceProd),
  logsumexp: reduction(ops.reduceLogSumExp),
  var: reduction(ops.variance),
  std: reduction((...rest) => ops.sqrt(ops.variance(...rest))),
  argmax: position(ops.argMax),
  argmin: position(ops.argMin),
  cumsum: {
    parameters: ["x", "axis"],
    kind: "arithmetic",
    compute: (given) => ops.cumulativeSum(given.value("x"), (given.integers("axis") ?? [0])[0]),
  },
  // x / |x| along an axis
  normalize: {
    parameters: ["x"],
    kind: "normalization",
    compute: (given) => {
      const x = given.value("x");
      const squares = ops.reduceSum(ops.square(x), given.integers("axis") ?? [-1], { keepDims: true });
      return ops.div(x, ops.sqrt(ops.maximum(squares, given.number("epsilon", 1e-12))));
    },
  },
  matmul: {
    parameters: ["x1", "x2"],
    kind: "arithmetic",
    compute: (given) => {
      const [a, b] = [given.value("x1"), given.value("x2")];
      return product(given.flag("transpose_a") ? lastTwo(a) : a, given.flag("transpose_b") ? lastTwo(b) : b);
    },
  },
};
