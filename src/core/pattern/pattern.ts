/** Regular expressions of files, matched in time that grows with the text alone, whatever they are. */
import { CharacterSets } from "./characters.ts";
import { Matcher } from "./matcher.ts";
import { type Program, programOf } from "./program.ts";
import { parsePattern } from "./syntax.ts";

/** Part of a text that matches. */
export interface Found {
  readonly text: string;
  readonly index: number;
}

/**
 * A regular expression of JavaScript without back-references. It finds what `RegExp` finds, but never hangs.
 * @example new Pattern("(a+)+$", "u").test(`${"a".repeat(40)}b`) // false, at once
 */
export class Pattern {
  readonly #program: Program;
  readonly #sets: CharacterSets;

  /**
   * Throws SyntaxError for a source that is no expression, UnsupportedError for one of constructs that cannot be matched so, and for one that is
   * too long.
   * @param flags those of RegExp that say what characters are: `u` and `i`
   */
  constructor(source: string, flags: string) {
    const tree = parsePattern(source);
    new RegExp(source, flags);
    this.#program = programOf(tree);
    this.#sets = new CharacterSets(this.#program.sets, flags);
  }

  /** What matches, from the text's beginning to its end. */
  *all(text: string): Generator<Found> {
    const matcher = new Matcher(this.#program, this.#sets, text);
    for (let from = 0; from <= text.length; ) {
      const found = matcher.find(from);
      if (!found) return;
      const { begin, end } = found;
      yield { text: text.slice(begin, end), index: begin };
      from = end > begin ? end : matcher.behind(end);
    }
  }

  /** Whether a text has a part that matches. */
  test(text: string): boolean {
    return new Matcher(this.#program, this.#sets, text).find(0) !== undefined;
  }
}
