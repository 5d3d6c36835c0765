/** Naive Bayes on words and pairs of words (Wang and Manning 2012, sec. 2.1), a baseline for classifiers of texts. */
import { DataError } from "../../core/errors.ts";
import { greatest } from "../../core/lists.ts";
import { flag, positive } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import type { LabelledText } from "../../data/text/labelled-text.ts";
import { wordsAndPairs } from "../../data/text/text-features.ts";

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
  const features = wordsAndPairs(text);
  return pairs ? features : features.filter((feature) => !feature.includes(" "));
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

/** Share of texts whose class `naiveBayes` of others predicts. */
export function naiveBayesAccuracy(
  train: readonly LabelledText[],
  test: readonly LabelledText[],
  classes: number,
): number {
  const classify = naiveBayes(train, classes);
  return test.filter(({ text, label }) => classify(text) === label).length / test.length;
}
