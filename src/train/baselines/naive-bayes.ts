/** Naive Bayes on words and pairs of words (Wang and Manning 2012, sec. 2.1), a baseline for classifiers of texts. */
import { DataError } from "../../core/errors.ts";
import { greatest } from "../../core/lists.ts";
import { flag, positive } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import type { LabelledText } from "../../data/text/labelled-text.ts";
import { wordsOf } from "../../data/text/vocabulary.ts";
import type { BaselineResult } from "./baseline.ts";

/** Options of `naiveBayes`. */
export interface NaiveBayesOptions {
  /** How many more of each word are assumed than were counted; default 1 (Laplace). */
  readonly smoothing?: number;
  /** Whether pairs of neighbouring words count too; default true. */
  readonly pairs?: boolean;
}

const checkOptions = optionsOf<NaiveBayesOptions>("naiveBayes", { smoothing: positive, pairs: flag });

/** The words of a text, and its pairs of neighbours. */
function featuresOf(text: string, pairs: boolean): readonly string[] {
  const words = wordsOf(text);
  return pairs ? [...words, ...words.slice(1).map((word, i) => `${words[i]} ${word}`)] : words;
}

/**
 * A classifier of texts by counts: log p(class) + Σ log p(feature | class). What the texts do not have is not read; of equal scores
 * the lower class is predicted. Throws DataError without texts and for a label outside 0 … classes-1.
 * @example
 * const classify = naiveBayes([{ text: "so good", label: 1 }, { text: "so bad", label: 0 }], 2);
 * classify("good"); // 1
 */
export function naiveBayes(
  texts: readonly LabelledText[],
  classes: number,
  options: NaiveBayesOptions = {},
): (text: string) => number {
  const { smoothing = 1, pairs = true } = checkOptions(options);
  if (texts.length === 0) throw new DataError("naiveBayes: there are no texts; pass at least one");
  const counts = new Map<string, Float64Array>();
  const sizes = new Float64Array(classes);
  const totals = new Float64Array(classes);
  for (const [i, { text, label }] of texts.entries()) {
    if (!(Number.isInteger(label) && label >= 0 && label < classes))
      throw new DataError(`naiveBayes: the label of text ${i} is ${label}; pass classes from 0 to ${classes - 1}`);
    sizes[label] = (sizes[label] as number) + 1;
    for (const feature of featuresOf(text, pairs)) {
      const own = counts.get(feature) ?? new Float64Array(classes);
      own[label] = (own[label] as number) + 1;
      counts.set(feature, own);
      totals[label] = (totals[label] as number) + 1;
    }
  }
  return (text) => {
    const scores = sizes.map((size) => Math.log(size / texts.length));
    for (const feature of featuresOf(text, pairs)) {
      const own = counts.get(feature);
      if (own === undefined) continue;
      for (let label = 0; label < classes; label++) {
        const share = ((own[label] as number) + smoothing) / ((totals[label] as number) + smoothing * counts.size);
        scores[label] = (scores[label] as number) + Math.log(share);
      }
    }
    return scores.indexOf(greatest(scores));
  };
}

const accuracyOf = (classify: (text: string) => number, texts: readonly LabelledText[]): number =>
  texts.filter(({ text, label }) => classify(text) === label).length / texts.length;

/** Share of texts whose class `naiveBayes` of others predicts. */
export const naiveBayesAccuracy = (
  train: readonly LabelledText[],
  test: readonly LabelledText[],
  classes: number,
): number => accuracyOf(naiveBayes(train, classes), test);

/** Texts that are split three ways. */
export interface TextParts {
  /** What baselines are fitted on. */
  readonly train: readonly LabelledText[];
  /** What their settings are chosen by. */
  readonly validation: readonly LabelledText[];
  /** What the chosen one is measured on, once. */
  readonly test: readonly LabelledText[];
}

/**
 * What the class of most texts and naive Bayes reach, the latter with or without pairs of words and with the smoothing that do best on
 * the validation part. Throws DataError where a part is empty.
 */
export function compareTextBaselines(
  { train, validation, test }: TextParts,
  classes: number,
): readonly BaselineResult[] {
  for (const [name, part] of Object.entries({ train, validation, test }))
    if (part.length === 0) throw new DataError(`compareTextBaselines: ${name} has no texts; pass at least one`);
  const measured = (
    name: string,
    candidates: readonly { readonly settings: string; readonly classifier: () => (text: string) => number }[],
  ): BaselineResult => {
    const began = performance.now();
    const attempts = candidates.map(({ settings, classifier }) => {
      const classify = classifier();
      return { settings, classify, accuracy: accuracyOf(classify, validation) };
    });
    const best = attempts.reduce((a, b) => (b.accuracy > a.accuracy ? b : a));
    const { settings, classify, accuracy } = best;
    const result = {
      name,
      settings,
      validation: accuracy,
      test: accuracyOf(classify, test),
      metric: "accuracy",
    } as const;
    return { ...result, seconds: (performance.now() - began) / 1000 };
  };
  const counts = Array.from({ length: classes }, (_, c) => train.filter(({ label }) => label === c).length);
  const most = counts.indexOf(greatest(counts));
  return [
    measured("majority", [{ settings: `class ${most}`, classifier: () => () => most }]),
    measured(
      "naive Bayes",
      [true, false].flatMap((pairs) =>
        [1, 0.3, 0.1, 0.03].map((smoothing) => ({
          settings: `${pairs ? "words and pairs" : "words"}, smoothing = ${smoothing}`,
          classifier: () => naiveBayes(train, classes, { smoothing, pairs }),
        })),
      ),
    ),
  ];
}
