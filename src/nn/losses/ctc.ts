/** Connectionist temporal classification: the loss of a sequence whose alignment with the input is unknown. */
import { isFloat } from "../../core/dtype.ts";
import { DataError, DTypeError, ShapeError } from "../../core/errors.ts";
import { count, flag } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { showShape } from "../../core/shape.ts";
import { type Tensor, tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import {
  add,
  and,
  cast,
  checkFed,
  clip,
  concat,
  constant,
  div,
  equal,
  expand,
  full,
  gatherElements,
  greater,
  greaterOrEqual,
  lessOrEqual,
  mul,
  neg,
  not,
  pad,
  reduceLogSumExp,
  reduceSum,
  reshape,
  slice,
  split,
  stack,
  swapAxes,
  where,
} from "../../ops/index.ts";
import { defineLoss, type LossOfTerms } from "./loss.ts";
import { requireFloatOutput } from "./targets.ts";

/** Options of `ctc` and `ctcDecode`. */
export interface CtcOptions {
  /** Class that stands for "no label"; default 0. */
  readonly blank?: number;
  /** Targets that cannot be aligned do not count, instead of being refused; default false. */
  readonly zeroInfinity?: boolean;
}

const checkOptions = optionsOf<CtcOptions>("ctc", { blank: count(0), zeroInfinity: flag });

/** The log of a probability of zero: finite, so that no difference of two is NaN. */
const never = -1e30;

/**
 * The CTC loss (Graves et al. 2006, eq. 5-8, in log space): log-probabilities [N, T, C] (batch first, every input of
 * length T) against label sequences [N, S], integers padded at the end with -1. A sample's loss is divided by the length of
 * its target (at least 1), then the batch is averaged: PyTorch's reduction "mean". Throws ShapeError and DTypeError, and
 * DataError for a label that is no class and for a target that cannot be aligned with T steps.
 * @example
 * ctc()(logSoftmax(output), labels);
 */
export function ctc(options: CtcOptions = {}): LossOfTerms {
  const { blank = 0, zeroInfinity = false } = checkOptions(options);
  return defineLoss((output, target) => {
    checkOperands(output, target, blank);
    const [batch = 1, time = 1, classes = 1] = output.shape;
    // Heads of other extents may compare with the same targets.
    const about = `ctc ${time} ${classes} ${blank} ${zeroInfinity}`;
    checkFed(target, about, (labels, name) => checkTargets(labels, name, { output, blank, zeroInfinity }));
    const present = greaterOrEqual(target, 0); // [N, S]
    const lengths = reduceSum(cast(present, "int64"), 1, { keepDims: true }); // [N, 1]
    const labels = extend(where(present, target, blank), blank); // [N, L], L = 2 S + 1
    const width = labels.shape[1] ?? 1;
    const every = expand(reshape(labels, [batch, 1, width]), [batch, time, width]);
    const emissions = split(swapAxes(gatherElements(output, every, 2), 0, 1), new Array<number>(time).fill(1)); // T values [1, N, L]
    const skip = skipPenalty(labels, blank, output);

    // α₀ may stand on the first blank or the first label; αₜ(s) = yₜ(s) Σ of αₜ₋₁ at s, s - 1 and, if allowed, s - 2.
    const start = tensor(Array.from({ length: width }, (_, s) => (s < 2 ? 0 : never)));
    const alpha = emissions.reduce<Value | undefined>((before, emission) => {
      if (!before) return add(emission, cast(constant(start), output.dtype));
      const shifted = (by: number) =>
        pad(
          before,
          [
            [0, 0],
            [0, 0],
            [by, -by],
          ],
          never,
        );
      return add(emission, reduceLogSumExp(concat([before, shifted(1), add(shifted(2), skip)]), 0, { keepDims: true }));
    }, undefined) as Value;

    // A path ends on the last label or on the blank after it.
    const last = reshape(alpha, [batch, width]);
    const end = mul(lengths, 2);
    const onBlank = gatherElements(last, end, 1);
    const onLabel = gatherElements(last, clip(add(end, -1), 0), 1);
    const ends = concat([onBlank, where(greater(lengths, 0), onLabel, never)], 1); // [N, 2]
    const cost = neg(reduceLogSumExp(ends, 1, { keepDims: true }));
    const isPossible = lessOrEqual(cost, -never / 2);
    const divisor = cast(clip(lengths, 1), output.dtype);
    const ofSamples = (values: Value) => reshape(values, [batch]);
    if (!zeroInfinity) return { terms: ofSamples(div(where(isPossible, cost, Number.POSITIVE_INFINITY), divisor)) };
    return {
      terms: ofSamples(div(where(isPossible, cost, 0), divisor)),
      weights: ofSamples(cast(isPossible, output.dtype)),
    };
  });
}

/** Throws DataError for labels that are no class, and unless `zeroInfinity` for more of them than the steps can hold. */
function checkTargets(
  { data, shape: [rows = 0, width = 0] }: Tensor,
  name: string,
  { output, blank, zeroInfinity }: { readonly output: Value; readonly blank: number; readonly zeroInfinity: boolean },
): void {
  const [, time = 0, classes = 0] = output.shape;
  for (let row = 0; row < rows; row++) {
    const labels = Array.from(data.subarray(row * width, (row + 1) * width), Number).filter((label) => label >= 0);
    const foreign = labels.find((label) => label >= classes || label === blank);
    if (foreign !== undefined)
      throw new DataError(
        `${name}: row ${row} has the label ${foreign}, expected one of the classes 0 to ${classes - 1} without the blank ${blank}; correct the row, or pad it with -1`,
      );
    const steps = labels.length + labels.filter((label, i) => i > 0 && label === labels[i - 1]).length;
    if (steps > time && !zeroInfinity)
      throw new DataError(
        `${name}: row ${row} has ${labels.length} labels (${labels.slice(0, 8).join(", ")}${labels.length > 8 ? ", …" : ""}), which take ${steps} steps, a blank standing between equal ones, and the output has ${time}; shorten the target, give the model more steps, or leave such rows out: ctc({ zeroInfinity: true })`,
      );
  }
}

function checkOperands(output: Value, target: Value, blank: number): void {
  requireFloatOutput("ctc", output);
  if (isFloat(target.dtype) || target.dtype === "bool" || target.dtype.startsWith("uint"))
    throw new DTypeError(`ctc: targets are ${target.dtype}, expected int32 or int64 labels padded with -1; cast them`);
  if (output.rank !== 3 || target.rank !== 2 || output.shape[0] !== target.shape[0])
    throw new ShapeError(
      `ctc: output is ${showShape(output.shape)} and targets are ${showShape(target.shape)}, expected [batch, time, classes] and [batch, labels]; put the batch first in both`,
    );
  const [, time = 0, classes = 0] = output.shape;
  if (time < 1 || (target.shape[1] ?? 0) < 1)
    throw new ShapeError(
      `ctc: output ${showShape(output.shape)} and targets ${showShape(target.shape)} need at least one step and one label`,
    );
  if (blank >= classes)
    throw new ShapeError(
      `ctc: blank is class ${blank}, output ${showShape(output.shape)} has classes 0 to ${classes - 1}; pass one of them`,
    );
}

/** Labels with a blank before, between and after: [N, S] → [N, 2 S + 1]. */
function extend(labels: Value, blank: number): Value {
  const [batch = 1, length = 1] = labels.shape;
  const blanks = full([batch, length], blank, labels.dtype);
  const pairs = reshape(stack([blanks, labels], 2), [batch, 2 * length]);
  return concat([pairs, full([batch, 1], blank, labels.dtype)], 1);
}

/** 0 where a path may come from two places before (a label that differs from the label before), `never` elsewhere. */
function skipPenalty(labels: Value, blank: number, like: Value): Value {
  const [batch = 1, width = 1] = labels.shape;
  const differs = not(equal(slice(labels, { axis: 1, start: 2 }), slice(labels, { axis: 1, end: -2 })));
  const allowed = and(differs, not(equal(slice(labels, { axis: 1, start: 2 }), blank)));
  const penalty = mul(cast(not(allowed), like.dtype), never);
  return reshape(
    pad(
      penalty,
      [
        [0, 0],
        [2, 0],
      ],
      never,
    ),
    [1, batch, width],
  );
}
