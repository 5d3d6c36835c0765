/** Cases of the activation functions. */
import * as a from "./activations.ts";
import { distinct, given, normal, opCase, type UnaryRow, unaryCase } from "./define.cases.ts";
import { Mul } from "./elementwise.ts";
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
];

const special = [
  opCase(a.Relu, "at zero", {
    inputs: { x: given([0, 1, -1], [3]) },
    build: ({ x }) => a.relu(x),
    torch: "x.relu()",
    derivative: "convention",
  }),
];

export const activationCases = [...rows.map(unaryCase), ...special];
