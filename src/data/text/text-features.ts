/** Texts as what occurs in them: words and pairs of words, runs of characters, each with its weight, kept as JSON. */
import * as z from "zod";
import { plural } from "../../core/number-text.ts";
import { Tensor } from "../../core/tensor.ts";
import { unspacedScripts } from "./scripts.ts";
import { wordsOf } from "./vocabulary.ts";

/** How texts become ids, as JSON. */
export const textFeaturesSchema = z.strictObject({
  /** The column that texts stand in. */
  name: z.string(),
  /** Words, and pairs of words with a space between them; the first has the id 1. */
  words: z.array(z.string()).min(1),
  /** Runs of 2 to 5 characters of a word between spaces; the first has the id 1. */
  characters: z.array(z.string()),
  /** What each of `words` counts, then each of `characters`: ln((1 + N) / (1 + n)) + 1 of N texts of which n have it. */
  weights: z.array(z.number()),
  /** Words and pairs of a text that are read at most. */
  longest: z.number().int().min(1),
  /** Runs of characters that are read for each of these. */
  runs: z.number().int().min(0),
});
/**
 * How texts become ids of what occurs in them, each once: a row is ids of `words`, filled up with 0 to a length, then ids of `characters`,
 * filled up to `runs` times that.
 */
export type TextFeatures = Readonly<z.infer<typeof textFeaturesSchema>>;

const unspaced = new RegExp(`[${unspacedScripts}]`, "u");
/** Each character of scripts without spaces between words, and what stands between such. */
const parts = new RegExp(`[${unspacedScripts}]|[^${unspacedScripts}]+`, "gu");

/** Words in lower case and signs of punctuation; of scripts without spaces between words each character. */
export const textTokens = (text: string): string[] =>
  wordsOf(text).flatMap((word) => (unspaced.test(word) ? (word.match(parts) ?? []) : [word]));

/** The words of a text, and its pairs of neighbours; of scripts without spaces between words characters and their pairs. */
export function wordsAndPairs(text: string): string[] {
  const words = textTokens(text);
  return [...words, ...words.slice(1).map((word, i) => `${words[i]} ${word}`)];
}

/** Characters of a run. */
const [shortest, longestRun] = [2, 5];

/** The runs of 2 to 5 characters of a word with a space before and behind it, and where each starts, the space before at 0. */
export function characterRunsOf(word: string): { readonly run: string; readonly start: number }[] {
  const characters = [" ", ...word, " "];
  const runs: { run: string; start: number }[] = [];
  for (let length = shortest; length <= Math.min(longestRun, characters.length); length++)
    for (let start = 0; start + length <= characters.length; start++)
      runs.push({ run: characters.slice(start, start + length).join(""), start });
  return runs;
}

/** The runs of 2 to 5 characters of each word between spaces. */
export const characterRuns = (text: string): string[] =>
  wordsOf(text).flatMap((word) => characterRunsOf(word).map(({ run }) => run));

/** Words and pairs of a text that are read at most. */
const mostRead = 1024;
/** Features that are counted at once; beyond, those that occurred once are forgotten. */
const mostCounted = 3_000_000;

/** The features that most texts have, of those of `least` texts at least, and how many have each. */
function frequent(
  texts: readonly string[],
  featuresOf: (text: string) => readonly string[],
  { most, least }: { readonly most: number; readonly least: number },
): (readonly [feature: string, texts: number])[] {
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const feature of new Set(featuresOf(text))) counts.set(feature, (counts.get(feature) ?? 0) + 1);
    if (counts.size > mostCounted) for (const [feature, own] of counts) if (own === 1) counts.delete(feature);
  }
  return [...counts]
    .filter(([, own]) => own >= least)
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .slice(0, most);
}

/**
 * Learns which features texts have, the most frequent ones of each kind.
 * @param name the column that texts stand in
 * @param most words and pairs, and runs of characters, that are known at most
 */
export function fitTextFeatures(name: string, texts: readonly string[], most: number): TextFeatures {
  const words = frequent(texts, wordsAndPairs, { most, least: 1 });
  const characters = frequent(texts, characterRuns, { most, least: 2 });
  const known = [...words, ...characters];
  const features = {
    name,
    words: words.map(([word]) => word),
    characters: characters.map(([run]) => run),
    weights: known.map(([, own]) => Number((Math.log((1 + texts.length) / (1 + own)) + 1).toFixed(4))),
  };
  const read = textIds(features)(texts);
  const ratios = read.map((own) => own.characters.length / Math.max(1, own.words.length)).sort((a, b) => a - b);
  // Nine of ten texts have no more.
  const runs = Math.ceil(ratios[Math.floor(0.9 * (ratios.length - 1))] ?? 0);
  const longest = read.reduce((most, own) => Math.max(most, lengthOfText(own, { longest: mostRead, runs })), 1);
  return { ...features, longest, runs };
}

/** What is read of a text. */
export interface ReadText {
  /** Ids of its words and pairs, each once. */
  readonly words: readonly number[];
  /** Ids of its runs of characters, each once. */
  readonly characters: readonly number[];
  /** Words that are not known, each once. */
  readonly unknown: readonly string[];
}

/** Reads texts by their features. */
export function textIds({
  words,
  characters,
}: Pick<TextFeatures, "words" | "characters">): (texts: readonly string[]) => ReadText[] {
  const idsOf = (known: readonly string[]) => new Map(known.map((own, place) => [own, place + 1]));
  const [wordIds, runIds] = [idsOf(words), idsOf(characters)];
  const found = (features: readonly string[], ids: ReadonlyMap<string, number>) => [
    ...new Set(features.flatMap((feature) => ids.get(feature) ?? [])),
  ];
  return (texts) =>
    texts.map((text) => ({
      words: found(wordsAndPairs(text), wordIds),
      characters: found(characterRuns(text), runIds),
      unknown: [...new Set(textTokens(text))].filter((word) => !wordIds.has(word)),
    }));
}

/** How many words and pairs a row has to have room for to hold a text, up to `longest`. */
export function lengthOfText(
  { words, characters }: ReadText,
  { longest, runs }: Pick<TextFeatures, "longest" | "runs">,
): number {
  const forRuns = runs === 0 ? 0 : Math.ceil(characters.length / runs);
  return Math.max(1, Math.min(longest, Math.max(words.length, forRuns)));
}

/** Texts as rows of one length [N, length (1 + runs)]; what has no room is left out. */
export function textFeatureRows(read: readonly ReadText[], length: number, runs: number): Tensor<"int32"> {
  const width = length * (1 + runs);
  const data = new Int32Array(read.length * width);
  for (const [row, { words, characters }] of read.entries()) {
    data.set(words.slice(0, length), row * width);
    data.set(characters.slice(0, length * runs), row * width + length);
  }
  return new Tensor("int32", [read.length, width], data);
}

/** Words that are shown of a text. */
const mostShown = 24;

/** The known words of a row of ids, in the order in which they first occur, to be read by a person. */
export function knownWords({ words, runs }: TextFeatures, ids: readonly number[]): string {
  const own = ids.slice(0, ids.length / (1 + runs)).flatMap((id) => words[id - 1] ?? []);
  const single = own.filter((word) => !word.includes(" "));
  return `${single.slice(0, mostShown).join(" ")}${single.length > mostShown ? " …" : ""}`;
}

/** What was learned of texts, in a few words. */
export const textFeaturesText = ({ words, characters }: TextFeatures): string =>
  `${plural(words.length, "word or pair", "words and pairs of words")}, ${plural(characters.length, "run")} of characters`;
