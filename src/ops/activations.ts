/** Activation functions of the literature, element by element. */
import { ShapeError } from "../core/errors.ts";
import { sameShape, showShape, size } from "../core/shape.ts";
import type { Value } from "../graph/ir.ts";
import { apply, defineOp, type OpDef, requireFloat } from "../graph/op.ts";
import { cast } from "./cast.ts";
import { add, broadcast, clip, div, minimum, mul, square, sub, where } from "./elementwise.ts";
import { each, floatFunction, otherFloats } from "./float-function.ts";
import { abs, erf, exp, log, neg, reciprocal, tanh } from "./functions.ts";
import { and, greater, less } from "./logic.ts";
import { perChannel } from "./normalization/normalization.ts";
import { defineComposition, storedNode } from "./reading.ts";
import { sumTo } from "./reduce.ts";

export const Sigmoid: OpDef = floatFunction("Sigmoid", (g, _, y) => mul(g, mul(y, sub(1, y))), {
  fold: (x) => 1 / (1 + Math.exp(-x)),
  // ONNX Runtime fuses x σ(x) of float64 to an operator that it then has no kernel of.
  composite: (x) => reciprocal(add(1, exp(neg(x)))),
  composed: ["float64"],
});
export const Softplus: OpDef = floatFunction("Softplus", (g, x) => mul(g, sigmoid(x)), {
  composite: (x) => log1pExp(x),
});
/** y = max(x, 0); since y > 0 exactly where x > 0, y gives the derivative and x need not be kept. A comparison and a
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
  // ONNX Runtime would write it with an Erf that it has no kernel of: said of this operator's own.
  lower: ({ inputs: [x], attributes: { approximate } }) =>
    x.dtype === "float64" && approximate !== "tanh" ? [mul(mul(0.5, x), add(1, erf(mul(x, Math.SQRT1_2))))] : undefined,
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

/** ONNX's defaults: the paper's, rounded to float32. */
const seluConstants = { alpha: 1.6732631921768188, gamma: 1.0507010221481323 };

/** γ x above 0, γ α (eˣ - 1) below, so that moments stay where they are (Klambauer et al. 2017). */
export const Selu: OpDef = defineOp("Selu", {
  arity: "1",
  attributes: { alpha: "float", gamma: "float" },
  infer: ([x]) => requireFloat("Selu", x),
  grad: ({ g, inputs: [x], outputs: [y], attributes }) => {
    const { alpha, gamma } = { ...seluConstants, ...attributes };
    return [mul(g, where(greater(x, 0), gamma, add(y, gamma * alpha)))];
  },
  flops: each,
  lower: ({ inputs: [x], attributes }) => {
    const { alpha, gamma } = { ...seluConstants, ...attributes };
    return otherFloats(x, () => mul(gamma, where(greater(x, 0), x, mul(alpha, sub(exp(minimum(x, 0)), 1)))));
  },
});

/** x above 0, α (e^(x/α) - 1) below: an Elu whose slope is 1 at 0 for every α (Barron 2017). */
export const Celu: OpDef = defineOp("Celu", {
  arity: "1",
  attributes: { alpha: "float" },
  infer: ([x]) => requireFloat("Celu", x),
  grad: ({ g, inputs: [x], outputs: [y], attributes: { alpha = 1 } }) => [
    mul(g, where(greater(x, 0), 1, add(div(y, alpha), 1))),
  ],
  flops: each,
  lower: ({ inputs: [x], attributes: { alpha = 1 } }) =>
    otherFloats(x, () => where(greater(x, 0), x, mul(alpha, sub(exp(div(minimum(x, 0), alpha)), 1)))),
});

/** x / (1 + |x|) (Turian et al. 2009); 1 - |y| is 1 / (1 + |x|). */
export const Softsign: OpDef = floatFunction("Softsign", (g, _, y) => mul(g, square(sub(1, abs(y)))), {
  fold: (x) => x / (1 + Math.abs(x)),
  composite: (x) => div(x, add(1, abs(x))),
});

/** max(0, min(1, α x + β)). */
export const HardSigmoid: OpDef = defineOp("HardSigmoid", {
  arity: "1",
  attributes: { alpha: "float", beta: "float" },
  infer: ([x]) => requireFloat("HardSigmoid", x),
  grad: ({ g, outputs: [y], attributes: { alpha = 0.2 } }) => [mul(mul(g, alpha), betweenZeroAndOne(y))],
  flops: ({ outputs: [y] }) => 4 * size(y.shape),
  lower: ({ inputs: [x], attributes: { alpha = 0.2, beta = 0.5 } }) =>
    otherFloats(x, () => clip(add(mul(alpha, x), beta), 0, 1)),
});

const betweenZeroAndOne = (y: Value): Value => cast(and(greater(y, 0), less(y, 1)), y.dtype);

/** x · max(0, min(1, x/6 + 1/2)) (Howard et al. 2019). */
export const HardSwish: OpDef = floatFunction(
  "HardSwish",
  (g, x) => {
    const gate = hardSigmoid(x, 1 / 6);
    return mul(g, add(gate, mul(div(x, 6), betweenZeroAndOne(gate))));
  },
  { fold: (x) => x * Math.max(0, Math.min(1, x / 6 + 0.5)), composite: (x) => mul(x, hardSigmoid(x, 1 / 6)) },
);

/** x tanh(log(1 + eˣ)) (Misra 2019): with t the tanh, dy/dx = t + x (1 - t²) σ(x). */
export const Mish: OpDef = floatFunction(
  "Mish",
  (g, x) => {
    const t = tanh(softplus(x));
    return mul(g, add(t, mul(mul(x, sub(1, square(t))), sigmoid(x))));
  },
  { fold: (x) => x * Math.tanh(Math.log1p(Math.exp(x))), composite: (x) => mul(x, tanh(log1pExp(x))) },
);

/** x above α, 0 elsewhere (Konda et al. 2014). */
export const ThresholdedRelu: OpDef = defineOp("ThresholdedRelu", {
  arity: "1",
  attributes: { alpha: "float" },
  infer: ([x]) => requireFloat("ThresholdedRelu", x),
  grad: ({ g, inputs: [x], attributes: { alpha = 1 } }) => [mul(g, cast(greater(x, alpha), x.dtype))],
  flops: each,
  lower: ({ inputs: [x], attributes: { alpha = 1 } }) => otherFloats(x, () => where(greater(x, alpha), x, 0)),
});

/** x above 0, slope · x below, with a learned slope that broadcasts to x (He et al. 2015). */
export const PRelu: OpDef = defineOp("PRelu", {
  arity: "2",
  kind: "activation",
  infer: ([x, slope]) => {
    const y = broadcast("PRelu", requireFloat("PRelu", x), slope);
    if (!sameShape(y.shape, x.shape))
      throw new ShapeError(
        `PRelu: slope ${showShape(slope.shape)} does not broadcast to ${showShape(x.shape)}; give it one extent for each channel and 1 elsewhere`,
      );
    return y;
  },
  grad: ({ g, inputs: [x, slope], needs }) => {
    const below = cast(less(x, 0), x.dtype);
    const falling = mul(g, below);
    return [
      needs[0] ? add(sub(g, falling), mul(falling, slope)) : undefined,
      needs[1] ? sumTo(mul(falling, x), slope.shape) : undefined,
    ];
  },
  flops: each,
  // Before operator set 7 a vector of slopes was of the channels.
  read: ({ version, inputs: [x, slope], attributes }, op) =>
    version < 7 && x && slope?.rank === 1 && slope.shape[0] !== 1
      ? storedNode(op, [x, perChannel(slope, x.rank)], attributes).outputs
      : undefined,
  lower: ({ inputs: [x, slope] }) => otherFloats(x, () => where(less(x, 0), mul(x, slope), x)),
});

/** Towards 0 by `bias` beyond ±`lambd`, 0 between. */
export const Shrink: OpDef = defineComposition("Shrink", {
  arity: "1",
  attributes: { lambd: "float", bias: "float" },
  build: ({ inputs: [x], attributes: { lambd = 0.5, bias = 0 } }) => [
    where(less(x, -lambd), add(x, bias), where(greater(x, lambd), sub(x, bias), 0)),
  ],
});

const one = (op: OpDef) => (x: Value) => apply(op, [x]);

/** 1 / (1 + e^-x), each element: in (0, 1). */
export const sigmoid = one(Sigmoid);
/** log(1 + e^x), each element, without overflow. */
export const softplus = one(Softplus);
/** max(x, 0), each element. */
export const relu = one(Relu);
/**
 * x Φ(x) with the distribution function Φ of the normal distribution, each element (Hendrycks and Gimpel 2016); with
 * "tanh" their approximation ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))).
 */
export const gelu = (x: Value, approximate: "none" | "tanh" = "none") => apply(Gelu, [x], { approximate });
/** x above 0 and alpha · x below, each element (Maas et al. 2013). */
export const leakyRelu = (x: Value, alpha = 0.01) => apply(LeakyRelu, [x], { alpha });
/** x above 0 and alpha (e^x - 1) below, each element (Clevert et al. 2016). */
export const elu = (x: Value, alpha = 1) => apply(Elu, [x], { alpha });
/**
 * ELU scaled so that layers keep mean 0 and variance 1: 1.0507 x above 0 and 1.0507 · 1.6733 (e^x - 1) below, each
 * element (Klambauer et al. 2017).
 */
export const selu = one(Selu);
/** max(0, x) + min(0, alpha (e^(x / alpha) - 1)), each element (Barron 2017). */
export const celu = (x: Value, alpha = 1) => apply(Celu, [x], { alpha });
/** x / (1 + |x|), each element: in (-1, 1). */
export const softsign = one(Softsign);
/** alpha x + beta clipped to [0, 1], each element. */
export const hardSigmoid = (x: Value, alpha = 0.2, beta = 0.5) => apply(HardSigmoid, [x], { alpha, beta });
/** x times x / 6 + ½ clipped to [0, 1], each element (Howard et al. 2019). */
export const hardSwish = one(HardSwish);
/** x tanh(log(1 + e^x)), each element (Misra 2019). */
export const mish = one(Mish);
/** x above alpha and 0 elsewhere, each element. */
export const thresholdedRelu = (x: Value, alpha = 1) => apply(ThresholdedRelu, [x], { alpha });
/** x above 0 and slope · x below, each element (He et al. 2015); the slope broadcasts to x. */
export const prelu = (x: Value, slope: Value) => apply(PRelu, [x, slope]);
/** x · sigmoid(x) (Ramachandran et al. 2017). */
export const silu = (x: Value) => mul(x, sigmoid(x));
/** max(x, 0) + log(1 + e^-|x|): log(1 + e^x) that does not overflow. */
export const log1pExp = (x: Value) => add(relu(x), log(add(1, exp(neg(abs(x))))));
