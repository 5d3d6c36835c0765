/** How good a model's predictions are as a whole: the confidence of classes, the residuals of numbers. */
import type { Predicted } from "./outputs.ts";
import type { Calibration, Residuals } from "./report.ts";

/** Bins of confidence of equal width. */
const bins = 10;

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * Accuracy by confidence, and the expected calibration error Σ |bin| / n · |accuracy(bin) - confidence(bin)| (Guo et al. 2017,
 * "On Calibration of Modern Neural Networks", equations 2 to 5).
 */
export function calibrationOf(samples: readonly Predicted[]): Calibration {
  const accuracyOf = (own: readonly Predicted[]) => meanOf(own.map((one) => Number(one.predicted === one.actual)));
  const confidenceOf = (own: readonly Predicted[]) => meanOf(own.map(({ confidence }) => confidence));
  const filled = Array.from({ length: bins }, (_, bin) => {
    // A bin is open below: (0.1, 0.2].
    const own = samples.filter(({ confidence }) => Math.max(0, Math.ceil(confidence * bins) - 1) === bin);
    return { from: bin / bins, to: (bin + 1) / bins, own };
  }).filter(({ own }) => own.length > 0);
  const measured = filled.map(({ from, to, own }) => ({
    from,
    to,
    samples: own.length,
    confidence: confidenceOf(own),
    accuracy: accuracyOf(own),
  }));
  const error = measured.reduce((sum, own) => sum + own.samples * Math.abs(own.accuracy - own.confidence), 0);
  return {
    samples: samples.length,
    accuracy: accuracyOf(samples),
    confidence: confidenceOf(samples),
    error: error / samples.length,
    bins: measured,
  };
}

/** A number with the digits that float32 has. */
const rounded = (value: number): number => Number(value.toPrecision(7));

/** Predicted numbers against true ones. */
export function residualsOf(samples: readonly Predicted[]): Residuals {
  const errors = samples.map(({ actual, predicted }) => predicted - actual);
  return {
    samples: samples.length,
    bias: meanOf(errors),
    rootMeanSquaredError: Math.sqrt(meanOf(errors.map((error) => error ** 2))),
    meanAbsoluteError: meanOf(errors.map(Math.abs)),
    pairs: samples.map(({ actual, predicted }) => [rounded(actual), rounded(predicted)] as const),
  };
}
