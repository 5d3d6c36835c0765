/** Steps of optimizers that files have as operators (domain ai.onnx.preview.training), read as what they compute for each tensor. */
import { ShapeError } from "../../core/errors.ts";
import type { Value } from "../../graph/ir.ts";
import type { OpDef } from "../../graph/op.ts";
import { cast } from "../cast.ts";
import { scalar } from "../constant.ts";
import { add, div, mul, pow, sub, where } from "../elementwise.ts";
import { sqrt } from "../functions.ts";
import { greater } from "../logic.ts";
import { defineComposition } from "../reading.ts";

type Settings = Readonly<Record<string, number | string | undefined>>;

/** What a step sees of one tensor: its value, its gradient with what `norm_coefficient` adds, and what the optimizer remembers of it. */
interface TensorStep {
  readonly x: Value;
  readonly g: Value;
  readonly memories: readonly Value[];
  /** The learning rate, and how many steps were made before. */
  readonly rate: Value;
  readonly count: Value;
}

const numberOf = (settings: Settings, name: string, otherwise = 0): number => Number(settings[name] ?? otherwise);

/** An operator of R, T and n of X, G and each memory; `step` gives X and the memories after it. */
function optimizerStep(
  type: string,
  names: readonly string[],
  memories: number,
  step: (of: TensorStep, settings: Settings) => readonly Value[],
): OpDef {
  return defineComposition(type, {
    domain: "ai.onnx.preview.training",
    arity: "1-",
    attributes: {
      mode: "string",
      ...Object.fromEntries([...names, "norm_coefficient"].map((name) => [name, "float" as const])),
    },
    build: ({ inputs: [rate, count, ...tensors], attributes }) => {
      const n = tensors.length / (2 + memories);
      if (!count || n < 1 || !Number.isInteger(n))
        throw new ShapeError(
          `${type}: ${tensors.length} tensors after the rate and the count; pass ${2 + memories} for each that is trained`,
        );
      const settings = attributes as Settings;
      const kept = Array.from({ length: n }, (_, i) => {
        const [x, gradient, ...own] = Array.from({ length: 2 + memories }, (_, k) => tensors[k * n + i]) as [
          Value,
          Value,
          ...Value[],
        ];
        const decay = numberOf(settings, "norm_coefficient");
        const g = decay === 0 ? gradient : add(mul(x, decay), gradient);
        return step({ x, g, memories: own, rate: cast(rate, x.dtype), count }, settings);
      });
      return Array.from({ length: 1 + memories }, (_, k) => kept.map((values) => values[k] as Value)).flat();
    },
  });
}

/** v' = α v + β g, with β = 1 at the first step; x' = x - r v', or with Nesterov's form x - r (g + α v'). */
export const Momentum = optimizerStep(
  "Momentum",
  ["alpha", "beta"],
  1,
  ({ x, g, memories: [v = x], rate, count }, settings) => {
    const [alpha, beta] = [numberOf(settings, "alpha"), numberOf(settings, "beta")];
    const share = where(greater(count, 0), scalar(beta, x.dtype), scalar(1, x.dtype));
    const next = add(mul(v, alpha), mul(share, g));
    const direction = settings.mode === "nesterov" ? add(g, mul(next, alpha)) : next;
    return [sub(x, mul(rate, direction)), next];
  },
);

/** h' = h + g²; x' = x - r / (1 + t · decay) g / (√h' + ε) (Duchi et al. 2011). */
export const Adagrad = optimizerStep(
  "Adagrad",
  ["decay_factor", "epsilon"],
  1,
  ({ x, g, memories: [h = x], rate, count }, settings) => {
    const decayed = div(rate, add(mul(cast(count, x.dtype), numberOf(settings, "decay_factor")), 1));
    const next = add(h, mul(g, g));
    return [sub(x, div(mul(decayed, g), add(sqrt(next), numberOf(settings, "epsilon", 1e-6)))), next];
  },
);

/** v' = α v + (1 - α) g; h' = β h + (1 - β) g²; x' = (1 - c) (x - r √(1 - βᵗ) / (1 - αᵗ) v' / (√h' + ε)) (Kingma and Ba 2015). */
export const Adam = optimizerStep(
  "Adam",
  ["alpha", "beta", "epsilon", "norm_coefficient_post"],
  2,
  ({ x, g, memories: [v = x, h = x], rate, count }, settings) => {
    const [alpha, beta] = [numberOf(settings, "alpha", 0.9), numberOf(settings, "beta", 0.999)];
    const t = cast(count, x.dtype);
    const unbiased = div(sqrt(sub(1, pow(scalar(beta, x.dtype), t))), sub(1, pow(scalar(alpha, x.dtype), t)));
    const adjusted = where(greater(count, 0), mul(rate, unbiased), rate);
    const first = add(mul(v, alpha), mul(g, 1 - alpha));
    const second = add(mul(h, beta), mul(mul(g, g), 1 - beta));
    const moved = sub(x, div(mul(adjusted, first), add(sqrt(second), numberOf(settings, "epsilon", 1e-6))));
    return [mul(moved, 1 - numberOf(settings, "norm_coefficient_post")), first, second];
  },
);
