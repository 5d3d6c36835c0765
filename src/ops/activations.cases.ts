/** Cases of the activation functions. */
import { apply } from "../graph/op.ts";
import * as a from "./activations.ts";
import { distinct, given, normal, opCase, positive, type UnaryRow, unaryCase } from "./define.cases.ts";
import { Mul, mul } from "./elementwise.ts";
import { Log } from "./functions.ts";

const shape = [2, 5];
const rows: readonly UnaryRow[] = [
  [a.Sigmoid, a.sigmoid, normal(shape), "x.sigmoid()"],
  [a.Softplus, a.softplus, normal(shape), "F.softplus(x, threshold=100)"],
  [a.Relu, a.relu, distinct(shape), "x.relu()"],
  [a.Gelu, (x) => a.gelu(x), normal(shape), "F.gelu(x)", "Erf runs in float32 only"],
  [a.Gelu, (x) => a.gelu(x, "tanh"), normal(shape), "F.gelu(x, approximate='tanh')"],
  [a.LeakyRelu, (x) => a.leakyRelu(x), distinct(shape), "F.leaky_relu(x)"],
  [a.LeakyRelu, (x) => a.leakyRelu(x, 0.3), distinct(shape), "F.leaky_relu(x, 0.3)"],
  [a.Elu, (x) => a.elu(x), distinct(shape), "F.elu(x)"],
  [a.Elu, (x) => a.elu(x, 0.5), distinct(shape), "F.elu(x, 0.5)"],
  [Mul, a.silu, normal(shape), "F.silu(x)"],
  [Log, a.log1pExp, distinct(shape), "F.softplus(x, threshold=100)"],
  [a.Selu, a.selu, distinct(shape), "F.selu(x)"],
  [a.Celu, (x) => a.celu(x), distinct(shape), "F.celu(x)"],
  [a.Celu, (x) => a.celu(x, 0.7), distinct(shape), "F.celu(x, 0.7)"],
  [a.Softsign, a.softsign, distinct(shape), "F.softsign(x)"],
  [a.HardSigmoid, (x) => a.hardSigmoid(x), distinct(shape), "(0.2 * x + 0.5).clamp(0, 1)"],
  [a.HardSigmoid, (x) => a.hardSigmoid(x, 0.6, 0.3), distinct(shape), "(0.6 * x + 0.3).clamp(0, 1)"],
  [a.HardSwish, (x) => a.hardSwish(mul(x, 3)), distinct(shape), "F.hardswish(3 * x)"],
  [a.Mish, a.mish, normal(shape), "F.mish(x)"],
  [a.ThresholdedRelu, (x) => a.thresholdedRelu(x), distinct(shape), "F.threshold(x, 1, 0)"],
  [a.ThresholdedRelu, (x) => a.thresholdedRelu(x, 0.3), distinct(shape), "F.threshold(x, 0.3, 0)"],
];

const special = [
  opCase(a.PRelu, "a slope for each channel", {
    inputs: { x: distinct([2, 3, 2]), slope: positive([3, 1]) },
    build: ({ x, slope }) => a.prelu(x, slope),
    torch: "F.prelu(x, slope[:, 0])",
  }),
  opCase(a.PRelu, "one slope", {
    inputs: { x: distinct([2, 3]), slope: given([-0.5], [1]) },
    build: ({ x, slope }) => a.prelu(x, slope),
    torch: "F.prelu(x, slope)",
  }),
  opCase(a.Shrink, "soft", {
    inputs: { x: distinct(shape) },
    build: ({ x }) => apply(a.Shrink, [x], { lambd: 0.7, bias: 0.7 }),
    torch: "F.softshrink(x, 0.7)",
    derivative: "none",
  }),
  opCase(a.Relu, "at zero", {
    inputs: { x: given([0, 1, -1], [3]) },
    build: ({ x }) => a.relu(x),
    torch: "x.relu()",
    derivative: "convention",
  }),
];

export const activationCases = [...rows.map(unaryCase), ...special];
