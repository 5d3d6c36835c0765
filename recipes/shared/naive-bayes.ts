/** Naive Bayes on words and pairs of words (Wang and Manning 2012, sec. 2.1), a baseline for classifiers of texts. */
import { type LabelledText, wordsOf } from "../../src/index.ts";

/** The words of a text, and its pairs of neighbours. */
function featuresOf(text: string): readonly string[] {
  const words = wordsOf(text);
  return [...words, ...words.slice(1).map((word, i) => `${words[i]} ${word}`)];
}

/**
 * A classifier of texts by counts: log p(class) + Σ log p(feature | class), with one more of each feature than was counted (Laplace). What
 * the texts do not have is not read.
 */
export function naiveBayes(texts: readonly LabelledText[], classes: number): (text: string) => number {
  const counts = Array.from({ length: classes }, () => new Map<string, number>());
  const sizes = new Array<number>(classes).fill(0);
  const totals = new Array<number>(classes).fill(0);
  const known = new Set<string>();
  for (const { text, label } of texts) {
    sizes[label] = (sizes[label] ?? 0) + 1;
    for (const feature of featuresOf(text)) {
      known.add(feature);
      const own = counts[label];
      own?.set(feature, (own.get(feature) ?? 0) + 1);
      totals[label] = (totals[label] ?? 0) + 1;
    }
  }
  return (text) => {
    const features = featuresOf(text).filter((feature) => known.has(feature));
    const scores = counts.map((own, label) =>
      features.reduce(
        (sum, feature) => sum + Math.log(((own.get(feature) ?? 0) + 1) / ((totals[label] ?? 0) + known.size)),
        Math.log((sizes[label] ?? 0) / texts.length),
      ),
    );
    return scores.indexOf(Math.max(...scores));
  };
}

/** Share of texts whose class is predicted. */
export const naiveBayesAccuracy = (train: readonly LabelledText[], test: readonly LabelledText[], classes: number) => {
  const classify = naiveBayes(train, classes);
  return test.filter(({ text, label }) => classify(text) === label).length / test.length;
};
