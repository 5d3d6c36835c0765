/** The loss of a student's scores against a teacher's, softened by a temperature (Hinton et al. 2015). */

import { ShapeError } from "../../core/errors.ts";
import { positive } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { sameShape, showShape } from "../../core/shape.ts";
import { defineLoss, type LossOfTerms } from "../../nn/index.ts";
import { div, logSoftmax, mul, reduceSum, softmax, sub } from "../../ops/index.ts";

/** Options of `softTargets`. */
export interface SoftTargetOptions {
  /** What scores are divided by before the softmax; default 4. The higher, the more the small probabilities count. */
  readonly temperature?: number | undefined;
}

const checkOptions = optionsOf<SoftTargetOptions>("softTargets", { temperature: positive });

/**
 * T² KL(softmax(t / T) ‖ softmax(s / T)) of a student's scores s [..., classes] and a teacher's t of the same shape, a term for each row, [...]; T² keeps the size of
 * its gradients beside those of labels (Hinton et al. 2015, sec. 2). Throws ShapeError for scores of other shapes.
 * @example
 * // The teacher's scores are a tensor of the batches: see teacherOutputs.
 * await fit(student, data, { loss: against("teacher", softTargets()), optimizer: adam(), epochs: 5 });
 */
export function softTargets(options: SoftTargetOptions = {}): LossOfTerms {
  const { temperature = 4 } = checkOptions(options);
  return defineLoss((student, teacher) => {
    if (!sameShape(student.shape, teacher.shape))
      throw new ShapeError(
        `softTargets: the student gives ${showShape(student.shape)}, the teacher ${showShape(teacher.shape)}; both must score the same classes`,
      );
    const soft = softmax(div(teacher, temperature));
    const gap = sub(logSoftmax(div(teacher, temperature)), logSoftmax(div(student, temperature)));
    const terms = mul(reduceSum(mul(soft, gap), [student.rank - 1]), temperature * temperature);
    return { terms };
  });
}
