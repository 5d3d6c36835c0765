/** Simple baselines of texts beside one another, on one split. */
import { DataError } from "../../core/errors.ts";
import { greatest } from "../../core/lists.ts";
import type { LabelledText } from "../../data/text/labelled-text.ts";
import type { BaselineResult } from "./baseline.ts";
import { advantageOf, type ComparedMetric } from "./compared-metric.ts";
import { naiveBayes } from "./naive-bayes.ts";
import { fitSparse } from "./sparse-linear.ts";

/** Texts that are split three ways. */
export interface TextParts {
  /** What baselines are fitted on. */
  readonly train: readonly LabelledText[];
  /** What their settings are chosen by. */
  readonly validation: readonly LabelledText[];
  /** What the chosen one is measured on, once, fitted to both others. */
  readonly test: readonly LabelledText[];
}

/** From labelled texts to what gives the class of a text, or its number. */
type Fit = (texts: readonly LabelledText[]) => (text: string) => number;

/** A baseline with the settings among which the validation part chooses. */
interface TextBaseline {
  readonly name: string;
  readonly candidates: readonly { readonly settings: string; readonly fit: Fit }[];
}

/** Strengths of the penalty, as C = 1/λ of classes, and as α of numbers. */
const inverseStrengths = [0.1, 1, 10, 100] as const;
const alphas = [0.01, 0.1, 1, 10] as const;

const shares = (texts: readonly LabelledText[], classes: number) =>
  Array.from({ length: classes }, (_, c) => texts.filter(({ label }) => label === c).length);
const fitLinear =
  (classes: number, strength: number): Fit =>
  (texts) =>
    fitSparse(
      texts.map(({ text }) => text),
      texts.map(({ label }) => label),
      { classes, strength },
    );

/** Of classes: the most frequent one, naive Bayes, logistic regression. */
const classBaselines = (classes: number): readonly TextBaseline[] => [
  {
    name: "majority",
    candidates: [
      {
        settings: "the class of most texts",
        fit(texts) {
          const counts = shares(texts, classes);
          const most = counts.indexOf(greatest(counts));
          return () => most;
        },
      },
    ],
  },
  {
    name: "naive Bayes",
    candidates: [true, false].flatMap((pairs) =>
      [1, 0.3, 0.1, 0.03].map((smoothing) => ({
        settings: `${pairs ? "words and pairs" : "words"}, smoothing = ${smoothing}`,
        fit: (texts: readonly LabelledText[]) => naiveBayes(texts, classes, { smoothing, pairs }),
      })),
    ),
  },
  {
    name: "logistic regression",
    candidates: inverseStrengths.map((c) => ({
      settings: `TF-IDF of words and pairs, C = ${c}`,
      fit: fitLinear(classes, 1 / c),
    })),
  },
];

/** Of numbers: their mean, ridge regression. */
const numberBaselines: readonly TextBaseline[] = [
  {
    name: "mean",
    candidates: [
      {
        settings: "the mean of all texts",
        fit(texts) {
          const mean = texts.reduce((sum, { label }) => sum + label, 0) / texts.length;
          return () => mean;
        },
      },
    ],
  },
  {
    name: "ridge regression",
    candidates: alphas.map((alpha) => ({
      settings: `TF-IDF of words and pairs, alpha = ${alpha}`,
      fit: fitLinear(0, alpha),
    })),
  },
];

/** Accuracy of classes, root mean squared error of numbers. */
function scoreOf(predict: (text: string) => number, texts: readonly LabelledText[], metric: ComparedMetric): number {
  const errors = texts.map(({ text, label }) => predict(text) - label);
  if (metric === "accuracy") return errors.filter((error) => error === 0).length / texts.length;
  return Math.sqrt(errors.reduce((sum, error) => sum + error * error, 0) / texts.length);
}

/**
 * What simple ways reach: of classes the one of most texts, naive Bayes, and logistic regression on TF-IDF; of numbers, where there are 0
 * classes and labels are any numbers, their mean and ridge regression on TF-IDF. Settings are those that do best on the validation part;
 * with these each is fitted to both parts, and measured once on the test. Throws DataError where a part is empty.
 * @example compareTextBaselines({ train, validation, test }, 2)[1]?.test // accuracy of naive Bayes
 */
export function compareTextBaselines(
  { train, validation, test }: TextParts,
  classes: number,
): readonly BaselineResult[] {
  for (const [name, part] of Object.entries({ train, validation, test }))
    if (part.length === 0) throw new DataError(`compareTextBaselines: ${name} has no texts; pass at least one`);
  const metric = classes > 0 ? "accuracy" : "rmse";
  return (classes > 0 ? classBaselines(classes) : numberBaselines).map((baseline) =>
    measured(baseline, metric, { train, validation, test }, (fit, known, asked) => scoreOf(fit(known), asked, metric)),
  );
}

/** What a baseline reaches with the settings that do best on the validation part, fitted to all but the test. */
function measured<T>(
  { name, candidates }: TextBaseline,
  metric: ComparedMetric,
  {
    train,
    validation,
    test,
  }: { readonly train: readonly T[]; readonly validation: readonly T[]; readonly test: readonly T[] },
  scoreWith: (fit: Fit, known: readonly T[], asked: readonly T[]) => number,
): BaselineResult {
  const began = performance.now();
  const best = candidates
    .map(({ settings, fit }) => ({ settings, fit, score: scoreWith(fit, train, validation) }))
    .reduce((a, b) => (advantageOf(metric, b.score, a.score) > 0 ? b : a));
  return {
    name,
    settings: best.settings,
    validation: best.score,
    test: scoreWith(best.fit, [...train, ...validation], test),
    metric,
    seconds: (performance.now() - began) / 1000,
  };
}

/** A text with whether it has each of several labels. */
export interface TextWithLabels {
  readonly text: string;
  /** One for each label. */
  readonly has: readonly boolean[];
}

/** Labelled texts that are split three ways, as `TextParts`. */
export interface LabelledTextParts {
  readonly train: readonly TextWithLabels[];
  readonly validation: readonly TextWithLabels[];
  readonly test: readonly TextWithLabels[];
}

/** 2 hits / (predicted + actual) over all texts and labels; 1 where there are neither. */
function labelF1Of(predict: readonly ((text: string) => number)[], texts: readonly TextWithLabels[]): number {
  let [hits, found, actual] = [0, 0, 0];
  for (const { text, has } of texts)
    for (const [label, own] of has.entries()) {
      const isPredicted = predict[label]?.(text) === 1;
      if (isPredicted && own) hits++;
      if (isPredicted) found++;
      if (own) actual++;
    }
  return found + actual === 0 ? 1 : (2 * hits) / (found + actual);
}

/** Of labels, each by itself. */
const labelBaselines: readonly TextBaseline[] = [
  {
    name: "all texts alike",
    candidates: [
      { settings: "labels that most texts have", fit: classBaselines(2)[0]?.candidates[0]?.fit as Fit },
      { settings: "every label", fit: () => () => 1 },
    ],
  },
  ...classBaselines(2).slice(1),
];

/**
 * What simple ways reach where a text has any number of labels: the same ones for all texts, and for each label by itself naive Bayes and
 * logistic regression; as micro-averaged F1. Settings are chosen as by `compareTextBaselines`. Throws DataError where a part is empty.
 */
export function compareLabelBaselines(parts: LabelledTextParts): readonly BaselineResult[] {
  for (const [name, part] of Object.entries(parts))
    if (part.length === 0) throw new DataError(`compareLabelBaselines: ${name} has no texts; pass at least one`);
  const labels = parts.train[0]?.has.length ?? 0;
  const fitted = (fit: Fit, texts: readonly TextWithLabels[]) =>
    Array.from({ length: labels }, (_, label) =>
      fit(texts.map(({ text, has }) => ({ text, label: Number(has[label]) }))),
    );
  return labelBaselines.map((baseline) =>
    measured(baseline, "label F1", parts, (fit, known, asked) => labelF1Of(fitted(fit, known), asked)),
  );
}
