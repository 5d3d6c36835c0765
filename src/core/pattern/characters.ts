/** The characters of a text by the sets of a program that hold them: characters that no set tells apart are of one class. */
import { UnsupportedError } from "../errors.ts";
import { limits } from "../limits.ts";

/** What stands in place of a class: behind the last character, and at the second unit of a character of two. */
export const [end, inside] = [-1, -2];

const isHigh = (unit: number): boolean => unit >= 0xd800 && unit < 0xdc00;
const isLow = (unit: number): boolean => unit >= 0xdc00 && unit < 0xe000;

/** The character of a set of one, as `\u{61}`. */
function single(source: string): number | undefined {
  const digits = /^\\u\{([0-9a-f]+)\}$/.exec(source)?.[1];
  return digits === undefined ? undefined : Number.parseInt(digits, 16);
}

/** The sets of a program. */
export class CharacterSets {
  /** `members[set][class]`: whether the set holds the characters of the class. */
  readonly members: readonly boolean[][];
  /** Sets of one character by the character. */
  readonly #singles = new Map<number, number>();
  readonly #tests: readonly (readonly [set: number, test: RegExp])[];
  readonly #classes = new Map<string, number>();
  /** Class and one of the characters of the basic plane that were met, 0 of others, in pages of 256. */
  readonly #known: Int32Array[] = [];
  readonly #beyond = new Map<number, number>();

  /** @param sets as expressions write them @param flags of these expressions */
  constructor(sets: readonly string[], flags: string) {
    this.members = sets.map(() => []);
    const tests: [number, RegExp][] = [];
    for (const [set, source] of sets.entries()) {
      const code = flags.includes("i") ? undefined : single(source);
      if (code !== undefined) this.#singles.set(code, set);
      else tests.push([set, new RegExp(`^(?:${source})$`, flags)]);
    }
    if (tests.length > limits.patternSets)
      throw new UnsupportedError(
        `it has ${tests.length} different sets of characters, and ${limits.patternSets} is the limit patternSets`,
      );
    this.#tests = tests;
  }

  #classOf(code: number): number {
    const character = String.fromCodePoint(code);
    const sets = this.#tests.flatMap(([set, test]) => (test.test(character) ? [set] : []));
    const own = this.#singles.get(code);
    if (own !== undefined) sets.push(own);
    const signature = sets.join();
    const known = this.#classes.get(signature);
    if (known !== undefined) return known;
    const made = this.#classes.size;
    this.#classes.set(signature, made);
    const holds = new Set(sets);
    for (const [set, members] of this.members.entries()) members[made] = holds.has(set);
    return made;
  }

  #page(index: number): Int32Array {
    const page = this.#known[index] ?? new Int32Array(256);
    this.#known[index] = page;
    return page;
  }

  /** The class of the character at each unit of a text. */
  classesOf(text: string): Int32Array {
    const at = new Int32Array(text.length + 1);
    at[text.length] = end;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (isHigh(unit) && isLow(text.charCodeAt(i + 1))) {
        const code = text.codePointAt(i) as number;
        const known = this.#beyond.get(code) ?? this.#classOf(code);
        this.#beyond.set(code, known);
        at[i] = known;
        at[++i] = inside;
      } else {
        const page = this.#page(unit >> 8);
        if (page[unit & 255] === 0) page[unit & 255] = this.#classOf(unit) + 1;
        at[i] = (page[unit & 255] as number) - 1;
      }
    }
    return at;
  }
}
