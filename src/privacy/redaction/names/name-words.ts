/** The words that the tagger of names reads: runs of letters, digits, single Chinese characters and signs; each as rows of a table that is learned. */
import { chineseSurnames, compoundSurnames, givenCharacters } from "./chinese-names.ts";
import { givenNames } from "./given-names.ts";
import { surnames } from "./surnames.ts";

/** A word and its place in the text. */
export interface NameWord {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const words = /\p{Script=Han}|[\p{L}\p{M}][\p{L}\p{M}'’]{0,39}|\d{1,40}|\n|[^\s]/gu;

/** The words of a text, in order. */
export function wordsOf(text: string): NameWord[] {
  const found: NameWord[] = [];
  for (const { index, 0: word } of text.matchAll(words)) {
    // A possessive is a word of its own: the name ends before it.
    const own = /^(.+)['’]s?$/u.exec(word)?.[1];
    if (own === undefined) found.push({ text: word, start: index, end: index + word.length });
    else
      found.push(
        { text: own, start: index, end: index + own.length },
        { text: word.slice(own.length), start: index + own.length, end: index + word.length },
      );
  }
  return found;
}

/** Rows of the table: padding, shapes, what is known of names, then hashed parts of words, then words. */
const [shapeRows, knownRows, partRows] = [16, 32, 1024];
const [firstShape, firstKnown, firstPart] = [1, 1 + shapeRows, 1 + shapeRows + knownRows];
/** The row of the first word; words that are not known have the row before it. */
export const firstWord = firstPart + partRows + 1;
/** Rows that stand for a word. */
export const rowsPerWord = 7;

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return (value ^ (value >>> 15)) >>> 0;
}

function shapeOf(word: string): number {
  if (word === "\n") return 1;
  if (/^\d/.test(word)) return word.length === 1 ? 2 : word.length === 4 ? 3 : 4;
  if (/^\p{Script=Han}/u.test(word)) return 5;
  if (!/^[\p{L}\p{M}]/u.test(word)) return 6;
  if (word.length === 1) return word === word.toUpperCase() ? 7 : 8;
  if (word === word.toLowerCase()) return /^\p{Script=Latin}/u.test(word) ? 9 : 10;
  if (word === word.toUpperCase()) return 11;
  return /^\p{Lu}[\p{Ll}\p{M}'’]+$/u.test(word) ? 12 : 13;
}

/** Reads words by those that were learned. */
export class NameReader {
  readonly #places: ReadonlyMap<string, number>;
  readonly #given = new Set(givenNames.map((name) => name.toLowerCase()));
  readonly #surnames = new Set(surnames.map((name) => name.toLowerCase()));
  readonly #chinese = new Set(chineseSurnames);
  readonly #compounds = new Set(compoundSurnames);
  readonly #characters = new Set(givenCharacters);
  readonly #parts = new Map<string, readonly number[]>();

  constructor(vocabulary: readonly string[]) {
    this.#places = new Map(vocabulary.map((word, i) => [word, firstWord + i]));
  }

  #knownOf(word: string, next: string): number {
    const own = word.toLowerCase();
    if (!/^\p{Script=Han}/u.test(word)) return (this.#given.has(own) ? 1 : 0) + (this.#surnames.has(own) ? 2 : 0);
    const [isSurname, isGiven] = [this.#chinese.has(word), this.#characters.has(word)];
    return 4 + (isSurname ? 1 : 0) + (isGiven ? 2 : 0) + (this.#compounds.has(word + next) ? 4 : 0);
  }

  /** Rows of what a word is made of, which do not depend on those beside it. */
  #partsOf(word: string): readonly number[] {
    let rows = this.#parts.get(word);
    if (!rows) {
      const own = word.toLowerCase();
      const part = (name: string) => firstPart + (hash(name) % partRows);
      const isLatin = /^[\p{L}\p{M}]/u.test(word) && !/^\p{Script=Han}/u.test(word);
      rows = [
        this.#places.get(own) ?? firstWord - 1,
        firstShape + shapeOf(word),
        isLatin ? part(`<${own.slice(0, 3)}`) : 0,
        isLatin ? part(`${own.slice(-3)}>`) : 0,
        isLatin ? part(`${own.slice(-2)}>`) : 0,
        isLatin ? part(`#${Math.min(12, own.length)}`) : 0,
      ];
      if (this.#parts.size > 50_000) this.#parts.clear();
      this.#parts.set(word, rows);
    }
    return rows;
  }

  /** Writes the rows of a word. @param next the word behind it */
  write(word: string, next: string, into: Int32Array, offset: number): void {
    const parts = this.#partsOf(word);
    for (let i = 0; i < parts.length; i++) into[offset + i] = parts[i] as number;
    into[offset + parts.length] = firstKnown + this.#knownOf(word, next);
  }
}
