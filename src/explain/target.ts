/** What is explained of a model: the score of a class, the largest, or your own number of its outputs. */
import { isFloat } from "../core/dtype.ts";
import { OptionError, ShapeError } from "../core/errors.ts";
import { matching } from "../core/option-types.ts";
import { Value } from "../graph/ir.ts";
import { cast, reshape } from "../ops/index.ts";

/**
 * What is explained: a class by its place in the scores [samples, classes]; the class of the largest score; or a function, traced once, from the
 * outputs to one number for each sample, [samples], as models with several outputs or with outputs that are no scores need it.
 * @example
 * const difference = (scores: Value) => ops.sub(ops.slice(scores, { axis: 1, start: 0, end: 1 }), ops.slice(scores, { axis: 1, start: 1, end: 2 }));
 */
export type Target<O = Value> = number | "largest" | ((outputs: O) => Value);

/** A target that computes its scores itself. */
export type ScoreFunction = Extract<Target<unknown>, (outputs: unknown) => Value>;

export const targetType = matching<Target<never> | undefined>(
  'a class such as 3, "largest", or (outputs) => one score for each sample',
  (target) => target === "largest" || typeof target === "function" || (Number.isInteger(target) && Number(target) >= 0),
);

const advice = "pass a function as target: (outputs) => one number for each sample";

/** The scores that outputs hold, float32 [samples, classes]; those of a function are one class. Throws ShapeError for what is no scores. */
export function scoresIn(outputs: unknown, target: ScoreFunction | undefined, samples: number): Value {
  if (target) {
    const score = target(outputs) as unknown;
    if (!(score instanceof Value))
      throw new OptionError(`target: the function returned a ${typeof score}; return a graph value, [samples]`);
    const isOneEach = score.shape[0] === samples && score.rank <= 2 && (score.shape[1] ?? 1) === 1;
    if (!isFloat(score.dtype) || !isOneEach)
      throw new ShapeError(
        `target: the function returned ${score} for ${samples} samples; return one float for each: [${samples}]`,
      );
    return cast(reshape(score, [samples, 1]), "float32");
  }
  if (!(outputs instanceof Value))
    throw new ShapeError(`the model gives several outputs, of which none is named as the scores; ${advice}`);
  if (outputs.rank !== 2 || outputs.shape[0] !== samples || !isFloat(outputs.dtype))
    throw new ShapeError(`the output ${outputs} is no scores, float32[${samples}, classes]; ${advice}`);
  return cast(outputs, "float32");
}

/** The class that a target means for the scores of a sample. Throws OptionError for one that there is not. */
export function classIn(scores: Float32Array, target: number | "largest"): number {
  if (target === "largest") return scores.indexOf(scores.reduce((most, score) => Math.max(most, score)));
  if (target < scores.length) return target;
  throw new OptionError(
    `target: there is no class ${target} in scores of ${scores.length}; pass 0 to ${scores.length - 1}`,
  );
}
