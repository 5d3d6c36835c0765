/** Where in a text its features occur: words and pairs, runs of characters. */
import { characterRunsOf, type TextFeatures, textTokens } from "./text-features.ts";
import { wordsOf } from "./vocabulary.ts";

/** A text in its tokens, and where in it the features of a row stand. */
export interface FeaturePlaces {
  /** Its tokens, in lower case. */
  readonly tokens: readonly string[];
  /** For each number of the row the tokens that make it up, several times where it occurs several times; none of what fills the row up. */
  readonly places: readonly (readonly number[])[];
}

/**
 * The tokens of a text that each id of its row stands for.
 * @param ids a row as `textFeatureRows` makes it of this text
 */
export function featurePlaces(
  text: string,
  ids: readonly number[],
  { words, characters, runs }: Pick<TextFeatures, "words" | "characters" | "runs">,
): FeaturePlaces {
  const tokens = textTokens(text);
  const found = new Map<string, number[]>();
  const note = (kind: "w" | "c", feature: string, places: readonly number[]) => {
    const key = `${kind}${feature}`;
    found.set(key, [...(found.get(key) ?? []), ...places]);
  };
  for (const [i, token] of tokens.entries()) {
    note("w", token, [i]);
    const next = tokens[i + 1];
    if (next !== undefined) note("w", `${token} ${next}`, [i, i + 1]);
  }
  let first = 0;
  for (const word of wordsOf(text)) {
    const own = textTokens(word);
    // The token of each character of a word; the spaces around it are of the tokens at its ends.
    const tokenAt = own.flatMap((token, i) => [...token].map(() => first + i));
    for (const { run, start } of characterRunsOf(word)) {
      const covered = [...run].map(
        (_, i) => tokenAt[Math.min(Math.max(start + i - 1, 0), tokenAt.length - 1)] ?? first,
      );
      note("c", run, [...new Set(covered)]);
    }
    first += own.length;
  }
  const border = ids.length / (1 + runs);
  const places = ids.map((id, i) => {
    const feature = (i < border ? words : characters)[id - 1];
    return feature === undefined ? [] : (found.get(`${i < border ? "w" : "c"}${feature}`) ?? []);
  });
  return { tokens, places };
}
