/** Targets of losses and metrics: checked against a model's output while tracing, and when they are fed. */
import { type DType, isFloat } from "../../core/dtype.ts";
import { DTypeError, ShapeError } from "../../core/errors.ts";
import { sameShape, showShape } from "../../core/shape.ts";
import { Value } from "../../graph/ir.ts";
import { cast, checkIndices, checkNumbers, equal, mul, not, reshape } from "../../ops/index.ts";

/** Throws ShapeError unless a model's output is one tensor, DTypeError unless that is of floats. */
export function requireFloatOutput(where: string, output: Value): void {
  if (!(output instanceof Value))
    throw new ShapeError(
      `${where}: the model gives { ${Object.keys(output as object).join(", ")} }, expected one tensor; name a loss for each output: { loss: { name: ${where}() } }`,
    );
  if (!isFloat(output.dtype))
    throw new DTypeError(
      `${where}: output is ${output.dtype}, expected floats; end the model with a layer such as dense(…)`,
    );
}

/**
 * Integer labels, one for each row of logits [..., C], as int32 or int64 of shape [...]. What is fed must be classes, or
 * `ignoreIndex`. Throws ShapeError or DTypeError when they do not fit.
 */
export function labelsFor(where: string, logits: Value, labels: Value, ignoreIndex?: number): Value {
  requireFloatOutput(where, logits);
  if (logits.rank < 2)
    throw new ShapeError(`${where}: output ${showShape(logits.shape)} has no class axis; pass logits [batch, classes]`);
  if (isFloat(labels.dtype) || labels.dtype === "bool" || labels.dtype.startsWith("uint64"))
    throw new DTypeError(
      `${where}: targets are ${labels.dtype}, expected integer labels; cast them to int32, or use categoricalCrossEntropy() for probabilities`,
    );
  const rows = logits.shape.slice(0, -1);
  const column = sameShape(labels.shape, [...rows, 1]);
  if (!column && !sameShape(labels.shape, rows))
    throw new ShapeError(
      `${where}: targets are ${showShape(labels.shape)}, output ${showShape(logits.shape)} needs labels ${showShape(rows)}; pass one integer for each row of logits`,
    );
  checkIndices(labels, "label", {
    count: logits.shape.at(-1) ?? 1,
    ignored: ignoreIndex,
    mend: "correct the row or the number of classes, or leave such labels out with ignoreIndex",
  });
  const flat = column ? reshape(labels, rows) : labels;
  return flat.dtype === "int32" || flat.dtype === "int64" ? flat : cast(flat, "int64");
}

/** Labels of which those equal to `ignoreIndex` do not count: 0 stands in for them, and `counts` has 0 for them, 1 elsewhere. */
export function countedLabels(labels: Value, ignoreIndex: number, dtype: DType): { labels: Value; counts: Value } {
  const isIgnored = equal(labels, ignoreIndex);
  return {
    labels: mul(labels, cast(not(isIgnored), labels.dtype)),
    counts: cast(not(isIgnored), dtype),
  };
}

/**
 * Targets with the output's shape and dtype. [N] fits an output [N, 1]; integers and booleans become floats.
 * Throws ShapeError or DTypeError when they do not fit: nothing is broadcast.
 */
export function targetsLike(where: string, output: Value, target: Value): Value {
  requireFloatOutput(where, output);
  if (sameShape(output.shape, target.shape)) return cast(target, output.dtype);
  if (sameShape(output.shape, [...target.shape, 1])) return cast(reshape(target, output.shape), output.dtype);
  throw new ShapeError(
    `${where}: targets are ${showShape(target.shape)}, output is ${showShape(output.shape)}; make the shapes equal`,
  );
}

/** As targetsLike, of probabilities: what is fed must lie in [0, 1]. */
export function probabilitiesLike(where: string, output: Value, target: Value): Value {
  checkNumbers(target, `target of ${where}`, {
    high: 1,
    mend: "pass probabilities, or use meanSquaredError() for numbers",
  });
  return targetsLike(where, output, target);
}
