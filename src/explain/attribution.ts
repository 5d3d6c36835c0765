/** What an explanation gives, and what all methods ask of their input. */
import { DTypeError, OptionError, ShapeError } from "../core/errors.ts";
import { count } from "../core/option-types.ts";
import type { OptionTypes } from "../core/options.ts";
import { sameShape, showShape } from "../core/shape.ts";
import { Tensor } from "../core/tensor.ts";
import { type CompileOptions, checkCompile } from "../jit/compile.ts";
import { type Target, targetType } from "./target.ts";

/** How far an attribution adds up to what it divides among the elements. */
export interface Completeness {
  /** Sum of the attribution. */
  readonly sum: number;
  /** What it should be: the score less that of the baseline. */
  readonly expected: number;
  /** `sum - expected`. */
  readonly error: number;
}

/** Why a model gives a score: a number for each element of the input. */
export interface Attribution {
  /** The function that made it: `integratedGradients`. */
  readonly method: string;
  /** float32 of the shape of the input [1, …]; Grad-CAM's has one channel. Units of the score, but of saliency, whose are score by input. */
  readonly values: Tensor<"float32">;
  /** The class that is explained; `undefined` where the target is a function. */
  readonly target: number | undefined;
  /** What the model gives for the target. */
  readonly score: number;
  /** Of methods that divide the score. */
  readonly completeness?: Completeness;
  /** What the reader should know of this result, a sentence each; mostly none. */
  readonly notes: readonly string[];
}

/** Options of every explanation. */
export interface ExplainOptions<O> {
  /** What is explained; default `"largest"`, the class of the largest score. */
  readonly target?: Target<O> | undefined;
  /**
   * Copies of the sample that are computed at once, at most, which bounds the memory; default 16. One where the model mixes the samples of a
   * batch, or may, and where a file takes one.
   */
  readonly chunk?: number | undefined;
  /** Device, threads; default the processor. */
  readonly compile?: CompileOptions | undefined;
}

/** Options of explanations by one run. */
export type RunOptions<O> = Pick<ExplainOptions<O>, "target" | "compile">;

export const explainTypes: OptionTypes<ExplainOptions<never>> = {
  target: targetType,
  chunk: count(),
  compile: checkCompile.type,
};
export const runTypes: OptionTypes<RunOptions<never>> = { target: explainTypes.target, compile: explainTypes.compile };

/** Throws OptionError or ShapeError unless x is one sample. */
export function requireSample(x: unknown): asserts x is Tensor {
  if (!(x instanceof Tensor)) throw new OptionError(`the input is a ${typeof x}; pass a tensor of one sample, [1, …]`);
  if (x.shape[0] !== 1 || x.data.length === 0)
    throw new ShapeError(
      `the input is ${showShape(x.shape)}, where one sample is explained at a time, [1, …]; take one: gatherRows(x, [0])`,
    );
}

/** The tensor, which stands for what is absent, or zeros. Throws ShapeError or DTypeError unless it is like the sample. */
export function requireLike(what: string, own: Tensor, x: Tensor): Tensor {
  if (!sameShape(own.shape, x.shape))
    throw new ShapeError(`${what} is ${showShape(own.shape)}, the input ${showShape(x.shape)}; pass one of its shape`);
  if (own.dtype !== x.dtype)
    throw new DTypeError(`${what} is ${own.dtype}, the input ${x.dtype}; pass one of its dtype`);
  return own;
}

/** A note where gradients are not finite, such as that of a root at 0. */
export function notesOfInfinite(values: ArrayLike<number>): readonly string[] {
  let count = 0;
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) count++;
  return count === 0
    ? []
    : [
        `${count} of ${values.length} values are not finite: the gradient is not defined at this input; try occlusion, or an input close by`,
      ];
}

/** Error beyond which a result says that it does not add up, as a share of what it should be. */
const noticed = 0.05;

/** How far values add up, with a note where that is not nearly. @param mend what brings them closer */
export function completenessOf(
  values: ArrayLike<number>,
  expected: number,
  mend: string,
): { readonly completeness: Completeness; readonly notes: readonly string[] } {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] as number;
  const error = sum - expected;
  // Values that are no numbers are far from everything.
  const isFar = !(Math.abs(error) <= noticed * Math.abs(expected) + 1e-6);
  const notes = isFar
    ? [`the values sum to ${sum.toPrecision(4)}, where the score changes by ${expected.toPrecision(4)}; ${mend}`]
    : [];
  return { completeness: { sum, expected, error }, notes };
}
