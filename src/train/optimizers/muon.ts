/** Muon: the momentum of a matrix, made nearly orthogonal. */
import { count, flag, fraction, nonNegative } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { type Shape, size } from "../../core/shape.ts";
import type { Value } from "../../graph/ir.ts";
import { add, div, matmul, mul, reduceSum, reshape, sqrt, square, sub, transpose } from "../../ops/index.ts";
import type { Schedule } from "../schedules.ts";
import { gradientsName, parametersName } from "../store/shard.ts";
import { adamw } from "./adam.ts";
import { required } from "./elementwise.ts";
import { defineOptimizer, learningRateType, type Optimizer, optimizerType } from "./optimizer.ts";

/** Options of `muon`. */
export interface MuonOptions {
  /** Step size, a number or a schedule; default 0.001. */
  readonly learningRate?: number | Schedule;
  /** Share of the momentum that is kept; default 0.95. */
  readonly momentum?: number;
  /** Look ahead along the momentum; default true. */
  readonly nesterov?: boolean;
  /** Share of the weight taken off at each step, times the rate; default 0.01. */
  readonly weightDecay?: number;
  /** Steps of the iteration; default 5. */
  readonly iterations?: number;
  /** Trains the vectors; default adamw with the same rate and weight decay. */
  readonly others?: Optimizer;
}

const checkOptions = optionsOf<MuonOptions>("muon", {
  learningRate: learningRateType,
  momentum: fraction,
  nesterov: flag,
  weightDecay: nonNegative,
  iterations: count(),
  others: optimizerType,
});

/** Coefficients of the iteration, which raise small singular values fast (Jordan et al. 2024). */
const [linear, cubic, quintic] = [3.4445, -4.775, 2.0315];

/**
 * A matrix [m, n] with the same singular vectors and singular values of about 1, by the quintic Newton-Schulz iteration
 * X' = a X + (b X Xᵀ + c (X Xᵀ)²) X from X = M / ‖M‖ (Jordan et al. 2024).
 */
export function orthogonalized(matrix: Value, iterations = 5): Value {
  const [rows = 1, columns = 1] = matrix.shape;
  // The smaller product is that of the short side.
  const isTall = rows > columns;
  const start = isTall ? transpose(matrix, [1, 0]) : matrix;
  let x = div(start, add(sqrt(reduceSum(square(start))), 1e-7));
  for (let i = 0; i < iterations; i++) {
    const gram = matmul(x, transpose(x, [1, 0]));
    x = add(mul(x, linear), matmul(add(mul(gram, cubic), mul(matmul(gram, gram), quintic)), x));
  }
  return isTall ? transpose(x, [1, 0]) : x;
}

/** The extents of a parameter as a matrix, the kernels of a convolution as rows. */
const extentsOf = ([rows = 1, ...rest]: Shape): readonly [number, number] => [rows, size(rest)];

/**
 * Muon (Jordan et al. 2024) for matrices, kernels of convolutions as matrices [out, in · k · k]: v = μ v + g;
 * w -= rate · 0.2 √max(m, n) · orthogonalized(g + μ v). The factor makes updates as large as Adam's (Liu et al. 2025, eq. 4), so
 * that one rate serves for both: vectors are trained by `others`. Embeddings and output layers are better given to another optimizer
 * too, in a group of their own.
 * @example
 * await fit(model, data, {
 *   loss: crossEntropy(), optimizer: muon(), epochs: 3,
 *   training: { groups: [{ parameters: "head", optimizer: adamw() }] },
 * });
 */
export function muon(options: MuonOptions = {}): Optimizer {
  const {
    learningRate = 0.001,
    momentum = 0.95,
    nesterov = true,
    weightDecay = 0.01,
    iterations = 5,
  } = checkOptions(options);
  const { others = adamw({ learningRate, weightDecay }) } = options;
  const settings = { momentum, nesterov, weightDecay, iterations };
  return defineOptimizer({
    name: "muon",
    slots: ["velocity"],
    learningRate,
    settings,
    others: (shape) => (shape.length < 2 ? others : undefined),
    bind(shard) {
      // What is to be orthogonalized takes the place of the gradient.
      const gather = shard.loop([gradientsName, "velocity"], 1, ([raw, v], [scale]) => {
        const g = mul(required(raw), required(scale));
        const next = add(mul(required(v), momentum), g);
        return { results: [nesterov ? add(g, mul(next, momentum)) : next, next] };
      });
      const move = shard.loop([parametersName, gradientsName], 2, ([p, change], [rate, keep]) => ({
        results: [sub(mul(required(p), required(keep)), mul(required(change), required(rate)))],
      }));
      const orthogonalize = shard.rewriteWhole(gradientsName, (whole) =>
        reshape(orthogonalized(reshape(whole, extentsOf(whole.shape)), iterations), whole.shape),
      );
      return {
        async update({ start, end, slots }, { learningRate: rate, decayScale, scale }) {
          await gather(start, end, [scale]);
          await orthogonalize.run(slots);
          for (const { offset, length, parameter } of slots) {
            const own = rate * 0.2 * Math.sqrt(Math.max(...extentsOf(parameter.shape)));
            await move(offset, offset + length, [own, 1 - rate * weightDecay * decayScale]);
          }
        },
        release: () => orthogonalize.release(),
      };
    },
  });
}
