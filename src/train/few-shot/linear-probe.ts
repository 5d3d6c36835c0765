/** Linear probes: logistic regression on features, as strongly penalized as validation asks for (Radford et al. 2021). */
import { DataError } from "../../core/errors.ts";
import { least } from "../../core/lists.ts";
import { count, listOf, objectOf, positive } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { Tensor } from "../../core/tensor.ts";
import { classifierOf, type FeatureClassifier, type LabelledRows, labelledRows, selectRows } from "./classifier.ts";
import { fitLogistic, logitsOf, measure } from "./logistic.ts";

/** Options of `linearProbe`. */
export interface LinearProbeOptions {
  /**
   * Strengths λ of the penalty λ/2 ‖W‖², of which validation chooses one; a single one is taken as it is. Default: the search of Radford
   * et al., from 1e-6 to 1e6 with eight steps a decade around the best.
   */
  readonly strengths?: readonly number[];
  /** Samples to choose the strength by, features [samples, features] and labels [samples]; default: cross-validation. */
  readonly validation?: { readonly features: Tensor; readonly labels: Tensor };
  /** Folds of the cross-validation, each with samples of every class, fewer where a class has fewer; default 5. */
  readonly folds?: number;
  /** The most steps of L-BFGS; default 1,000. */
  readonly maxIterations?: number;
  /** The largest element of the gradient of the mean loss at which it ends; default 1e-7. */
  readonly tolerance?: number;
}

const checkOptions = optionsOf<LinearProbeOptions>("linearProbe", {
  strengths: listOf(positive, "numbers above 0"),
  validation: objectOf("{ features, labels }"),
  folds: count(2),
  maxIterations: count(),
  tolerance: positive,
});

/** What a strength reached on validation data. */
export interface ProbeTrial {
  /** λ of the penalty. */
  readonly strength: number;
  /** Share of validation samples that were predicted. */
  readonly accuracy: number;
  /** Their mean cross-entropy. */
  readonly loss: number;
}

/** What `linearProbe` makes. */
export interface LinearProbe extends FeatureClassifier {
  /** One row for each class, [classes, features]. */
  readonly weights: Tensor<"float32">;
  /** [classes] */
  readonly bias: Tensor<"float32">;
  /** The strength that was chosen. */
  readonly strength: number;
  /** What was tried, in ascending order of strengths; none where there was nothing to choose. */
  readonly trials: readonly ProbeTrial[];
}

/** Exponents of ten of the search: the coarse ones, how far apart, and how far apart the finest (Radford et al. 2021, section A.3). */
const coarse = { from: -6, to: 6, step: 2, finest: 1 / 8 } as const;

/**
 * A linear classifier of features: multinomial logistic regression with an L2 penalty, whose strength validation chooses by accuracy, of
 * equal ones by cross-entropy (Radford et al. 2021, "Learning Transferable Visual Models From Natural Language Supervision", sections
 * 3.2 and A.3). The weights are then those of all samples, validation's too. It is deterministic. Where a class has a single sample and
 * no validation data is given, nothing can be validated, and the strength is 1.
 *
 * Its scores are logits. Throws as `prototypes` does, and DataError for validation data of other classes.
 * @example
 * const probe = linearProbe(train.features, train.labels);
 * probe.accuracy(test.features, test.labels);
 */
export function linearProbe(features: Tensor, labels: Tensor, options: LinearProbeOptions = {}): LinearProbe {
  const { strengths, validation, folds = 5, maxIterations = 1000, tolerance = 1e-7 } = checkOptions(options);
  const samples = labelledRows("linearProbe", features, labels);
  const limits = { maxIterations, tolerance };
  const held = validation && heldOut(samples, validation);
  const splits = held ? [[samples, held] as const] : foldsOf(samples, folds);
  const all = held ? joined(samples, held) : samples;
  const tried = new Map<number, ProbeTrial>();
  const attempt = (strength: number): ProbeTrial => {
    const known = tried.get(strength);
    if (known) return known;
    let [hits, loss, total] = [0, 0, 0];
    for (const [rest, fold] of splits) {
      const own = measure(fitLogistic(rest, strength, limits), fold);
      hits += own.accuracy * fold.count;
      loss += own.loss * fold.count;
      total += fold.count;
    }
    const trial = { strength, accuracy: Math.round(hits) / total, loss: loss / total };
    tried.set(strength, trial);
    return trial;
  };
  const strength = chosen();
  const model = fitLogistic(all, strength, limits);
  const { width, classes } = samples;
  return {
    ...classifierOf("linearProbe", samples, (rows) => logitsOf(model, rows)),
    weights: new Tensor("float32", [classes.length, width], Float32Array.from(model.weights)),
    bias: new Tensor("float32", [classes.length], Float32Array.from(model.bias)),
    strength,
    trials: [...tried.values()].sort((a, b) => a.strength - b.strength),
  };

  function chosen(): number {
    const [only, ...others] = strengths ?? [];
    if (only !== undefined && others.length === 0) return only;
    if (splits.length === 0) return only ?? 1;
    if (strengths !== undefined && strengths.length > 0) return best(strengths.map(attempt)).strength;
    const { from, to, step, finest } = coarse;
    const exponents = Array.from({ length: (to - from) / step + 1 }, (_, i) => from + i * step);
    let peak = peakOf(exponents);
    for (let apart: number = step / 2; apart >= finest; apart /= 2) peak = peakOf([peak - apart, peak, peak + apart]);
    return 10 ** peak;
  }

  function peakOf(exponents: readonly number[]): number {
    const { strength } = best(exponents.map((exponent) => attempt(10 ** exponent)));
    return exponents.find((exponent) => 10 ** exponent === strength) ?? 0;
  }
}

/** The most accurate; of equal ones that of the lower loss, then the stronger penalty. */
const best = (trials: readonly ProbeTrial[]): ProbeTrial =>
  [...trials].sort((a, b) => b.accuracy - a.accuracy || a.loss - b.loss || b.strength - a.strength)[0] as ProbeTrial;

/** Validation data with the classes of the samples. */
function heldOut(
  samples: LabelledRows,
  { features, labels }: Required<LinearProbeOptions>["validation"],
): LabelledRows {
  const rows = labelledRows("linearProbe: validation", features, labels);
  const stray = rows.classes.find((label) => !samples.classes.includes(label));
  if (stray !== undefined)
    throw new DataError(`linearProbe: validation has the label ${stray}, which no sample has; leave it out`);
  if (rows.width !== samples.width)
    throw new DataError(`linearProbe: validation has ${rows.width} features, the samples ${samples.width}`);
  const places = rows.places.map((place) => samples.classes.indexOf(rows.classes[place] as number));
  return { ...rows, classes: samples.classes, places };
}

function joined(a: LabelledRows, b: LabelledRows): LabelledRows {
  const values = new Float64Array(a.values.length + b.values.length);
  values.set(a.values);
  values.set(b.values, a.values.length);
  return { ...a, count: a.count + b.count, values, places: Int32Array.from([...a.places, ...b.places]) };
}

/** Samples split in turn: the i-th sample of each class is held out in fold i mod `most`. None where a class has one sample only. */
function foldsOf(samples: LabelledRows, most: number): readonly (readonly [rest: LabelledRows, fold: LabelledRows])[] {
  const counts = new Array<number>(samples.classes.length).fill(0);
  const numbers = Array.from(samples.places, (place) => {
    const number = counts[place] as number;
    counts[place] = number + 1;
    return number;
  });
  const folds = least(counts, most);
  if (folds < 2) return [];
  return Array.from({ length: folds }, (_, fold) => {
    const indices = (isHeld: boolean) =>
      [...numbers.keys()].filter((i) => ((numbers[i] as number) % folds === fold) === isHeld);
    return [selectRows(samples, indices(false)), selectRows(samples, indices(true))] as const;
  });
}
