/** The syntax of regular expressions of JavaScript: a source as a tree, of which every leaf reads at most one character. */
import { UnsupportedError } from "../errors.ts";
import { limits } from "../limits.ts";

/** What an expression, or a part of it, asks for. */
export type Part =
  /** One character of a set, which is written as it is in expressions: `\p{L}`, `[^a-z]`, `\u{61}`. */
  | { readonly kind: "set"; readonly source: string }
  | { readonly kind: "sequence"; readonly parts: readonly Part[] }
  /** The first of some that leads to a match. */
  | { readonly kind: "choice"; readonly options: readonly Part[] }
  /** Again and again, as often as there is a match for, or as seldom. */
  | {
      readonly kind: "repeat";
      readonly part: Part;
      readonly min: number;
      readonly max: number;
      readonly greedy: boolean;
    }
  /** What must stand, or must not, before or behind the place. */
  | { readonly kind: "look"; readonly part: Part; readonly behind: boolean; readonly negated: boolean }
  | { readonly kind: "edge"; readonly edge: Edge };

/** Places between characters: the text's start and end, the border of a word, and any other place. */
export type Edge = "start" | "end" | "border" | "inside";

/** How groups begin, behind which they differ. The first that fits is taken. */
const groups: readonly (readonly [begin: RegExp, look?: { readonly behind: boolean; readonly negated: boolean }])[] = [
  [/^\(\?:/],
  [/^\(\?=/, { behind: false, negated: false }],
  [/^\(\?!/, { behind: false, negated: true }],
  [/^\(\?<=/, { behind: true, negated: false }],
  [/^\(\?<!/, { behind: true, negated: true }],
  // What groups capture is not asked for.
  [/^\(\?<[\p{ID_Start}$_][\p{ID_Continue}$]*>/u],
  [/^\((?!\?)/],
];

const quantifier = /^(?:[*+?]|\{(\d+)(?:(,)(\d*))?\})(\??)/;
/** Escapes of a character or a class, of which the set is written as they are. */
const character =
  /^\\(?:[pP]\{[^}]*\}|u\{[0-9a-fA-F]+\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|c[a-zA-Z]|0(?!\d)|[dDsSwWtnrvf])/;

/** The set of one character, however it is written elsewhere. */
const literal = (character: string): Part => ({
  kind: "set",
  source: `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
});

/**
 * The tree of a source that is a valid expression. Throws UnsupportedError for back-references and other constructs that no automaton has,
 * and for a source that is too long or nests too deep.
 */
export function parsePattern(source: string): Part {
  if (source.length > limits.patternLength)
    throw new UnsupportedError(
      `it has ${source.length} characters, and ${limits.patternLength} is the limit patternLength`,
    );
  return new Parser(source).parse();
}

class Parser {
  readonly #source: string;
  #at = 0;
  #depth = 0;

  constructor(source: string) {
    this.#source = source;
  }

  parse(): Part {
    const part = this.#choice();
    if (this.#at < this.#source.length) throw unsupported(this.#source.slice(this.#at));
    return part;
  }

  /** What follows, from the place on, if it has a form; then the place is behind it. */
  #take(form: RegExp): RegExpExecArray | undefined {
    const found = form.exec(this.#source.slice(this.#at, this.#at + 200)) ?? undefined;
    if (found) this.#at += found[0].length;
    return found;
  }

  #choice(): Part {
    const options: Part[] = [this.#sequence()];
    while (this.#source[this.#at] === "|") {
      this.#at++;
      options.push(this.#sequence());
    }
    return options.length === 1 ? (options[0] as Part) : { kind: "choice", options };
  }

  #sequence(): Part {
    const parts: Part[] = [];
    for (let next = this.#source[this.#at]; next !== undefined && next !== "|" && next !== ")"; ) {
      parts.push(this.#repeated(this.#atom()));
      next = this.#source[this.#at];
    }
    return parts.length === 1 ? (parts[0] as Part) : { kind: "sequence", parts };
  }

  #repeated(part: Part): Part {
    const found = this.#take(quantifier);
    if (!found) return part;
    const [sign = "", low, comma, high, lazy] = found;
    const greedy = lazy === "";
    if (low === undefined) {
      const min = sign.startsWith("+") ? 1 : 0;
      return { kind: "repeat", part, min, max: sign.startsWith("?") ? 1 : Number.POSITIVE_INFINITY, greedy };
    }
    const max = comma === undefined ? Number(low) : high ? Number(high) : Number.POSITIVE_INFINITY;
    return { kind: "repeat", part, min: Number(low), max, greedy };
  }

  #atom(): Part {
    const next = String.fromCodePoint(this.#source.codePointAt(this.#at) ?? 0);
    if (next === "(") return this.#group();
    if (next === "[") return { kind: "set", source: this.#class() };
    if (next === "\\") return this.#escaped();
    this.#at += next.length;
    if (next === ".") return { kind: "set", source: "." };
    if (next === "^" || next === "$") return { kind: "edge", edge: next === "^" ? "start" : "end" };
    return literal(next);
  }

  #group(): Part {
    for (const [begin, look] of groups) {
      if (!this.#take(begin)) continue;
      if (++this.#depth > limits.patternDepth)
        throw new UnsupportedError(`its groups nest deeper than ${limits.patternDepth}, the limit patternDepth`);
      const part = this.#choice();
      this.#depth--;
      if (this.#source[this.#at++] !== ")") throw unsupported("(");
      return look ? { kind: "look", part, ...look } : part;
    }
    throw unsupported(this.#source.slice(this.#at, this.#at + 4));
  }

  /** A class in brackets, as it is written. */
  #class(): string {
    const begin = this.#at++;
    if (this.#source[this.#at] === "^") this.#at++;
    for (; this.#at < this.#source.length; this.#at++) {
      if (this.#source[this.#at] === "\\") this.#at++;
      else if (this.#source[this.#at] === "]") return this.#source.slice(begin, ++this.#at);
    }
    throw unsupported(this.#source.slice(begin));
  }

  #escaped(): Part {
    const border = this.#take(/^\\[bB]/);
    if (border) return { kind: "edge", edge: border[0] === "\\b" ? "border" : "inside" };
    const found = this.#take(character);
    if (found) return { kind: "set", source: found[0] };
    // A sign that means something else without the stroke; a digit or a letter would be a back-reference.
    const sign = this.#take(/^\\([^0-9a-zA-Z])/u);
    if (sign?.[1] !== undefined) return literal(sign[1]);
    throw unsupported(this.#source.slice(this.#at, this.#at + 2));
  }
}

const unsupported = (what: string): UnsupportedError =>
  new UnsupportedError(
    `"${what.slice(0, 40)}" is a part of it that is not supported; back-references and the like would have to be tried without end`,
  );
