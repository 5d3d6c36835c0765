/** Simple baselines of texts beside one another, on one split. */
import { DataError } from "../../core/errors.ts";
import { greatest } from "../../core/lists.ts";
import { plural } from "../../core/number-text.ts";
import { count, positive } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { foldIn, type Key, keyOf, Random } from "../../core/random.ts";
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

/** Options of `compareTextBaselines` and `compareLabelBaselines`. */
export interface CompareTextsOptions {
  /** What texts are drawn with where the time does not allow all; default 0. */
  readonly seed?: number;
  /** How long all baselines may take, about; default 60. Of many texts fewer are learned, as the settings of a result say. */
  readonly seconds?: number;
}

const fields = { seed: count(0), seconds: positive };
const checkTextOptions = optionsOf<CompareTextsOptions>("compareTextBaselines", fields);
const checkLabelOptions = optionsOf<CompareTextsOptions>("compareLabelBaselines", fields);

/**
 * What simple ways reach: of classes the one of most texts, naive Bayes, and logistic regression on TF-IDF; of numbers, where there are 0
 * classes and labels are any numbers, their mean and ridge regression on TF-IDF. Settings are those that do best on the validation part;
 * with these each is fitted to both parts, and measured once on the test. Equal seeds give equal results where the time is enough for all
 * texts. A baseline whose turn comes after the time is over is left out: its settings say so, and its scores are NaN. Throws DataError where a
 * part is empty.
 * @example (await compareTextBaselines({ train, validation, test }, 2, { seconds: 20 }))[1]?.test // accuracy of naive Bayes
 */
export async function compareTextBaselines(
  parts: TextParts,
  classes: number,
  options: CompareTextsOptions = {},
): Promise<readonly BaselineResult[]> {
  const limits = checkTextOptions(options);
  requireTexts("compareTextBaselines", parts);
  const metric = classes > 0 ? "accuracy" : "rmse";
  const baselines = classes > 0 ? classBaselines(classes) : numberBaselines;
  return compared({ baselines, metric, parts, limits }, (fit, known, asked) => scoreOf(fit(known), asked, metric));
}

interface Parts<T> {
  readonly train: readonly T[];
  readonly validation: readonly T[];
  readonly test: readonly T[];
}

function requireTexts(where: string, parts: Parts<unknown>): void {
  for (const name of ["train", "validation", "test"] as const)
    if (parts[name].length === 0) throw new DataError(`${where}: ${name} has no texts; pass at least one`);
}

/** Texts that a trial of speed takes, and fewest that are learned. */
const [triedTexts, fewestTexts] = [1000, 200];

/** So many of the texts, drawn without replacement; all where there are no more. */
function someTexts<T>(texts: readonly T[], most: number, key: Key): readonly T[] {
  if (most >= texts.length) return texts;
  const chosen = new Random(key).permutation(texts.length).subarray(0, most).sort();
  return Array.from(chosen, (place) => texts[place] as T);
}

/** What is compared, on what, within which time. */
interface Comparison<T> {
  readonly baselines: readonly TextBaseline[];
  readonly metric: ComparedMetric;
  readonly parts: Parts<T>;
  readonly limits: CompareTextsOptions;
}

/** How good a fit to some texts is on others. */
type ScoreWith<T> = (fit: Fit, known: readonly T[], asked: readonly T[]) => number;

/** What each baseline reaches, one after the other, until the time is over. */
async function compared<T>(
  { baselines, metric, parts, limits: { seed = 0, seconds = 60 } }: Comparison<T>,
  scoreWith: ScoreWith<T>,
): Promise<readonly BaselineResult[]> {
  const end = performance.now() + 1000 * seconds;
  const results: BaselineResult[] = [];
  for (const [i, baseline] of baselines.entries()) {
    // Other work of the process gets its turn.
    await new Promise((resolve) => setTimeout(resolve, 0));
    const { name } = baseline;
    const left = (end - performance.now()) / 1000;
    if (left <= 0) {
      const settings = `left out: the ${seconds} seconds were over; pass more seconds`;
      results.push({ name, settings, validation: Number.NaN, test: Number.NaN, metric, seconds: 0 });
      continue;
    }
    // For the last fit and the test part a third of the time is kept.
    const allowed = (0.67 * left) / (baselines.length - i);
    results.push(measured(baseline, { metric, parts, seconds: allowed, key: foldIn(keyOf(seed), name) }, scoreWith));
  }
  return results;
}

interface Measuring<T> {
  readonly metric: ComparedMetric;
  readonly parts: Parts<T>;
  readonly seconds: number;
  readonly key: Key;
}

/** The texts of which half of the candidates can be fitted in time, by how long the first takes on a thousand. */
function textsWithin<T>(
  { candidates }: TextBaseline,
  { parts: { train, validation }, seconds, key }: Measuring<T>,
  scoreWith: ScoreWith<T>,
): readonly T[] {
  const [first] = candidates;
  if (train.length <= triedTexts || !first) return train;
  const tried = someTexts(train, triedTexts, key);
  const began = performance.now();
  scoreWith(first.fit, tried, someTexts(validation, triedTexts, key));
  const needed = (((performance.now() - began) / 1000) * (train.length * candidates.length)) / (2 * tried.length);
  return needed <= seconds
    ? train
    : someTexts(train, Math.max(fewestTexts, Math.floor((train.length * seconds) / needed)), key);
}

/** What a baseline reaches with the settings that do best on the validation part, fitted to all but the test. */
function measured<T>(baseline: TextBaseline, measuring: Measuring<T>, scoreWith: ScoreWith<T>): BaselineResult {
  const { metric, parts, seconds, key } = measuring;
  const { train, validation, test } = parts;
  const began = performance.now();
  const known = textsWithin(baseline, measuring, scoreWith);
  const tried: { readonly settings: string; readonly fit: Fit; readonly score: number }[] = [];
  for (const { settings, fit } of baseline.candidates) {
    if (tried.length > 0 && performance.now() - began > 1000 * seconds) break;
    tried.push({ settings, fit, score: scoreWith(fit, known, validation) });
  }
  const best = tried.reduce((a, b) => (advantageOf(metric, b.score, a.score) > 0 ? b : a));
  const all = [...train, ...validation];
  // As large a share of both as there was of the first.
  const both = someTexts(all, Math.round((all.length * known.length) / train.length), key);
  const notes = [
    ...(known.length < train.length
      ? [`of ${known.length.toLocaleString("en-US")} of ${plural(train.length, "text")}`]
      : []),
    ...(tried.length < baseline.candidates.length
      ? [`the best of ${tried.length} of ${baseline.candidates.length} settings`]
      : []),
  ];
  return {
    name: baseline.name,
    settings: [best.settings, ...notes].join(", "),
    validation: best.score,
    test: scoreWith(best.fit, both, test),
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
 * logistic regression; as micro-averaged F1. Settings are chosen as by `compareTextBaselines`, in as much time. Throws DataError where a part is
 * empty.
 */
export async function compareLabelBaselines(
  parts: LabelledTextParts,
  options: CompareTextsOptions = {},
): Promise<readonly BaselineResult[]> {
  const limits = checkLabelOptions(options);
  requireTexts("compareLabelBaselines", parts);
  const labels = parts.train[0]?.has.length ?? 0;
  const fitted = (fit: Fit, texts: readonly TextWithLabels[]) =>
    Array.from({ length: labels }, (_, label) =>
      fit(texts.map(({ text, has }) => ({ text, label: Number(has[label]) }))),
    );
  return compared({ baselines: labelBaselines, metric: "label F1", parts, limits }, (fit, known, asked) =>
    labelF1Of(fitted(fit, known), asked),
  );
}
