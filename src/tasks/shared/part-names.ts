/** What part of the data a file is for, by how it or its folder is called. */
import type { PartName } from "./part-samples.ts";

const words: readonly (readonly [RegExp, PartName])[] = [
  [/^train(?:ing)?(?:\d{4})?$/i, "train"],
  [/^val(?:id(?:ation)?)?(?:\d{4})?$/i, "validation"],
  [/^test(?:ing)?(?:\d{4})?$/i, "test"],
];

/** The part that a word stands for: `train`, `valid`, `val2017`. */
export const partOfWord = (word: string): PartName | undefined => words.find(([pattern]) => pattern.test(word))?.[1];

/** The part that a path names: `train`, `images/val2017`, `annotations/instances_test.json`; the last of its words that does counts. */
export const partOfPath = (path: string): PartName | undefined =>
  path
    .split(/[/_.-]/)
    .flatMap((word) => partOfWord(word) ?? [])
    .at(-1);

/** Parts as they are told; none of them counts unless some files are to train on and some to measure by. */
export function partsTold(parts: readonly (PartName | undefined)[]): readonly (PartName | undefined)[] {
  const told = new Set(parts);
  return told.has("train") && (told.has("validation") || told.has("test")) ? parts : parts.map(() => undefined);
}
