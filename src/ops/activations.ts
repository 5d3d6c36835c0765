/** Activation functions of the literature, element by element. */
import { size } from "../core/shape.ts";
import type { Value } from "../graph/ir.ts";
import { apply, defineOp, type OpDef, requireFloat } from "../graph/op.ts";
import { add, cast, minimum, mul, sub, where } from "./elementwise.ts";
import { each, floatFunction, otherFloats } from "./float-function.ts";
import { abs, erf, exp, log, neg, tanh } from "./functions.ts";
import { greater } from "./logic.ts";

export const Sigmoid: OpDef = floatFunction("Sigmoid", (g, _, y) => mul(g, mul(y, sub(1, y))), {
  fold: (x) => 1 / (1 + Math.exp(-x)),
});
export const Softplus: OpDef = floatFunction("Softplus", (g, x) => mul(g, sigmoid(x)), {
  composite: (x) => log1pExp(x),
});
/** y = max(x, 0); since y > 0 exactly where x > 0, y tells the derivative and x need not be kept. A comparison and a
 * cast take a third of the time of ONNX Runtime's Sign. */
export const Relu: OpDef = floatFunction("Relu", (g, _, y) => mul(g, cast(greater(y, 0), y.dtype)), {
  fold: (x) => Math.max(x, 0),
});
/** y = x Φ(x) (Hendrycks and Gimpel 2016): dy/dx = Φ(x) + x φ(x). */
export const Gelu: OpDef = defineOp("Gelu", {
  arity: "1",
  attributes: { approximate: "string" },
  infer: ([x]) => requireFloat("Gelu", x),
  grad: ({ g, inputs: [x], attributes: { approximate } }) => {
    if (approximate === "tanh") {
      const t = tanh(mul(Math.sqrt(2 / Math.PI), add(x, mul(0.044715, mul(x, mul(x, x))))));
      const slope = mul(Math.sqrt(2 / Math.PI), add(1, mul(3 * 0.044715, mul(x, x))));
      return [mul(g, add(mul(0.5, add(1, t)), mul(mul(0.5, x), mul(sub(1, mul(t, t)), slope))))];
    }
    const cdf = mul(0.5, add(1, erf(mul(x, Math.SQRT1_2))));
    const pdf = mul(1 / Math.sqrt(2 * Math.PI), exp(mul(-0.5, mul(x, x))));
    return [mul(g, add(cdf, mul(x, pdf)))];
  },
  flops: ({ outputs: [y] }) => 8 * size(y.shape),
});
export const LeakyRelu: OpDef = defineOp("LeakyRelu", {
  arity: "1",
  attributes: { alpha: "float" },
  infer: ([x]) => requireFloat("LeakyRelu", x),
  grad: ({ g, inputs: [x], attributes: { alpha = 0.01 } }) => [where(greater(x, 0), g, mul(g, alpha))],
  flops: each,
  lower: ({ inputs: [x], attributes: { alpha = 0.01 } }) =>
    otherFloats(x, () => where(greater(x, 0), x, mul(x, alpha))),
});
export const Elu: OpDef = defineOp("Elu", {
  arity: "1",
  attributes: { alpha: "float" },
  infer: ([x]) => requireFloat("Elu", x),
  grad: ({ g, inputs: [x], outputs: [y], attributes: { alpha = 1 } }) => [
    where(greater(x, 0), g, mul(g, add(y, alpha))),
  ],
  flops: each,
  lower: ({ inputs: [x], attributes: { alpha = 1 } }) =>
    otherFloats(x, () => where(greater(x, 0), x, mul(alpha, sub(exp(minimum(x, 0)), 1)))),
});

const one = (op: OpDef) => (x: Value) => apply(op, [x]);

export const sigmoid = one(Sigmoid);
export const softplus = one(Softplus);
export const relu = one(Relu);
export const gelu = (x: Value, approximate: "none" | "tanh" = "none") => apply(Gelu, [x], { approximate });
export const leakyRelu = (x: Value, alpha = 0.01) => apply(LeakyRelu, [x], { alpha });
export const elu = (x: Value, alpha = 1) => apply(Elu, [x], { alpha });
/** x · sigmoid(x) (Ramachandran et al. 2017). */
export const silu = (x: Value) => mul(x, sigmoid(x));
/** max(x, 0) + log(1 + e^-|x|): log(1 + e^x) that does not overflow. */
export const log1pExp = (x: Value) => add(relu(x), log(add(1, exp(neg(abs(x))))));
