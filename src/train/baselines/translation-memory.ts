/** A translation memory: the translation of the most similar sentence that is known, a baseline of every translator. */
import { DataError } from "../../core/errors.ts";
import { appendTo } from "../../core/lists.ts";
import type { TokenPair } from "../../data/text/dictionary.ts";
import { bleu } from "../metrics/translation-scores.ts";
import type { BaselineResult } from "./baseline.ts";

/** How often each word occurs in a sentence. */
function countsOf(sentence: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const word of sentence) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

/**
 * Translates a sentence of tokens by the target of the known source that is nearest by the cosine of tf-idf vectors,
 * tf (1 + ln((1 + N) / (1 + df))) (Salton and Buckley 1988, smoothed as scikit-learn does); of equal ones, and where no token is known,
 * the earlier pair. Throws DataError without pairs.
 * @example
 * const translate = translationMemory([[["a", "red", "house"], ["ein", "rotes", "Haus"]], [["a", "cat"], ["eine", "Katze"]]]);
 * translate(["red", "houses"]); // ["ein", "rotes", "Haus"]
 */
export function translationMemory(pairs: readonly TokenPair[]): (source: readonly string[]) => readonly string[] {
  if (pairs.length === 0) throw new DataError("translationMemory: there are no pairs; pass at least one");
  const counts = pairs.map(([source]) => countsOf(source));
  const frequencies = new Map<string, number>();
  for (const own of counts) for (const word of own.keys()) frequencies.set(word, (frequencies.get(word) ?? 0) + 1);
  const weightOf = (word: string) => Math.log((1 + pairs.length) / (1 + (frequencies.get(word) ?? 0))) + 1;
  /** By word the sentences that have it, and how much of their unit vectors it is. */
  const postings = new Map<string, { readonly sentence: number; readonly weight: number }[]>();
  for (const [sentence, own] of counts.entries()) {
    const weights = Array.from(own, ([word, n]) => [word, n * weightOf(word)] as const);
    const length = Math.hypot(...weights.map(([, weight]) => weight));
    for (const [word, weight] of weights) appendTo(postings, word, { sentence, weight: weight / length });
  }
  return (source) => {
    const scores = new Float64Array(pairs.length);
    for (const [word, n] of countsOf(source)) {
      const own = n * weightOf(word);
      for (const { sentence, weight } of postings.get(word) ?? [])
        scores[sentence] = (scores[sentence] as number) + own * weight;
    }
    let best = 0;
    for (let i = 1; i < scores.length; i++) if ((scores[i] as number) > (scores[best] as number)) best = i;
    return pairs[best]?.[1] ?? [];
  };
}

/** BLEU in percent that a translation memory of some pairs reaches on others. Throws DataError where either is empty. */
export function translationMemoryBleu(train: readonly TokenPair[], test: readonly TokenPair[]): number {
  const translate = translationMemory(train);
  return bleu(
    test.map(([source]) => translate(source)),
    test.map(([, target]) => target),
  );
}

/** Pairs of sentences that are split three ways. */
export interface PairParts {
  /** What is known. */
  readonly train: readonly TokenPair[];
  /** On which baselines are held against each other; known too before the test is measured. */
  readonly validation: readonly TokenPair[];
  /** What is measured on, once. */
  readonly test: readonly TokenPair[];
}

/**
 * What simple ways of translating reach, as BLEU in percent: the sentence as it is, and the translation of the most similar sentence that
 * is known. Throws DataError where a part is empty.
 * @example compareTranslationBaselines({ train, validation, test })[1]?.test // BLEU of a translation memory
 */
export function compareTranslationBaselines({ train, validation, test }: PairParts): readonly BaselineResult[] {
  const copied = (pairs: readonly TokenPair[]) =>
    bleu(
      pairs.map(([source]) => source),
      pairs.map(([, target]) => target),
    );
  const measured = (name: string, settings: string, scores: () => Pick<BaselineResult, "validation" | "test">) => {
    const began = performance.now();
    return { name, settings, ...scores(), metric: "bleu", seconds: (performance.now() - began) / 1000 } as const;
  };
  return [
    measured("copy", "the sentence as it is", () => ({ validation: copied(validation), test: copied(test) })),
    measured("translation memory", "of the sentence nearest by TF-IDF", () => ({
      validation: translationMemoryBleu(train, validation),
      test: translationMemoryBleu([...train, ...validation], test),
    })),
  ];
}
