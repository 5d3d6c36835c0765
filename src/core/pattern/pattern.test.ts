/** Patterns against the expressions of JavaScript: they find the same, and those that hang there end here. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UnsupportedError } from "../errors.ts";
import { Pattern } from "./pattern.ts";

/** V8 looks for empty matches also between the two units of a character, where ECMAScript has it go on behind the character. */
const isInside = (text: string, index: number) => index > 0 && (text.codePointAt(index - 1) ?? 0) > 0xffff;

const foundBy = (source: string, text: string) =>
  Array.from(text.matchAll(new RegExp(source, "gu")), ({ 0: own, index }) => ({ text: own, index })).filter(
    (found) => !isInside(text, found.index),
  );

const leaf = fc.constantFrom(
  ..."ab .",
  "[ab]",
  "[^a]",
  "\\s",
  "\\w",
  "\\p{L}",
  "\\u{1F600}",
  "[\\u{1F600}-\\u{1F64F}b]",
  "^",
  "$",
  "\\b",
  "\\B",
  "",
);
const { source } = fc.letrec<{ source: string; sequence: string; part: string }>((tie) => ({
  source: fc.array(tie("sequence"), { minLength: 1, maxLength: 3 }).map((options) => options.join("|")),
  sequence: fc.array(tie("part"), { maxLength: 3 }).map((parts) => parts.join("")),
  part: fc.oneof(
    { maxDepth: 4, depthIdentifier: "pattern" },
    leaf,
    fc
      .tuple(
        tie("source"),
        fc.constantFrom("(?:", "(", "(?<name>"),
        fc.constantFrom("", "*", "+", "?", "*?", "+?", "??", "{2}", "{0,2}", "{1,3}?", "{2,}"),
      )
      .map(([inner, begin, quantifier]) => `${begin === "(?<name>" ? "(?:" : begin}${inner})${quantifier}`),
    fc
      .tuple(leaf, fc.constantFrom("*", "+", "?", "+?", "{2,3}"))
      .map(([own, quantifier]) => (/^(\^|\$|\\b|\\B|)$/i.test(own) ? own : `${own}${quantifier}`)),
    fc.tuple(fc.constantFrom("(?=", "(?!"), tie("source")).map(([begin, inner]) => `${begin}${inner})`),
    fc
      .tuple(fc.constantFrom("(?<=", "(?<!"), fc.constantFrom("a", "[^a]", "ab", "b\\s"))
      .map((own) => `${own.join("")})`),
  ),
}));
const texts = fc
  .array(fc.constantFrom("a", "b", " ", "\n", "-", "\u{1F600}", "é"), { maxLength: 12 })
  .map((characters) => characters.join(""));

/** Nothing is claimed of patterns that are refused. */
const patternOf = (own: string): Pattern | undefined => {
  try {
    return new Pattern(own, "u");
  } catch (error) {
    if (error instanceof UnsupportedError) return undefined;
    throw error;
  }
};

test("patterns find what expressions of JavaScript find", () => {
  fc.assert(
    fc.property(source, texts, (own, text) => {
      const pattern = patternOf(own);
      fc.pre(pattern !== undefined);
      expect([...(pattern?.all(text) ?? [])]).toEqual(foundBy(own, text));
    }),
    { numRuns: 600 },
  );
});

test("and so where it is remembered what failed", () => {
  // A nullable repetition asks for that from the first step on.
  fc.assert(
    fc.property(source, texts, (inner, text) => {
      const own = `(?:(?:(?:)*(?:${inner}))|(?:${inner})b)`;
      const pattern = patternOf(own);
      fc.pre(pattern !== undefined);
      expect([...(pattern?.all(text) ?? [])]).toEqual(foundBy(own, text));
    }),
    { numRuns: 600 },
  );
});

test("what is repeated and would rather match nothing is refused: JavaScript's rule for it is another", () => {
  for (const source of ["(?:(?:[^a]|)*?|){2,}", "(?:|a)*", "(?:a*?)+", "(?:a??){0,2}"])
    expect(() => new Pattern(source, "u"), source).toThrow(UnsupportedError);
  expect([...new Pattern("(?:a|)*", "u").all("aab")]).toEqual(foundBy("(?:a|)*", "aab"));
});

const long = "a".repeat(200_000);

describe("expressions that take JavaScript for ever", () => {
  test.each([
    ["(a+)+$", `${"a".repeat(40)}b`, false],
    ["(a|aa)+$", `${long}b`, false],
    ["(a|a)*b", long, false],
    ["(.*)*(.*)*x", long, false],
    ["a*a*a*a*a*b", long, false],
    [".*.*=.*", long, false],
    ["\\s+$", `${" ".repeat(200_000)}x`, false],
    ["(?=(?:a+)+$)b", `${long}c`, false],
    ["(?:(?!(?:a|aa)+c)a)+b", long, false],
    ["(?:a?){200}a{200}$", `${"a".repeat(300)}b`, false],
    ["^(?:.*\\.)?(?:(?:x+x+)+y)$", "x".repeat(100_000), false],
  ])("%s", (pattern, text, expected) => {
    const begin = performance.now();
    expect(new Pattern(pattern, "u").test(text)).toBe(expected);
    expect(performance.now() - begin).toBeLessThan(10_000);
  });
});

test.each([
  ["a back-reference", "(a)\\1", "is a part of it that is not supported"],
  ["a named one", "(?<x>a)\\k<x>", "is a part of it that is not supported"],
  ["looking behind without bound", "(?<=a+)b", "it looks behind for something other"],
  ["an optional part that prefers nothing", "(?:|a)?b", "would rather match nothing"],
  ["repetitions of repetitions", "((a{100}){100}){100}", "more than 1000 steps"],
  ["repetitions of nothing", "(?:(?:){1000000000}){1000000000}a{0,1000000000}", "more than 1000 steps"],
  ["nested groups", "(".repeat(1000) + ")".repeat(1000), "nest deeper than 64"],
  ["a megabyte", "a".repeat(1_000_000), "1000000 characters"],
  [
    "many sets",
    Array.from({ length: 200 }, (_, i) => `[b-d\\u{${(300 + i).toString(16)}}]`).join(""),
    "200 different sets",
  ],
])("%s is refused", (_, pattern, message) => {
  expect(() => new Pattern(pattern, "u")).toThrow(message);
});

test("what is no expression is told as JavaScript tells it", () => {
  for (const wrong of ["(", "[", "a**", "\\p{Nonsense}", ")", "*"]) expect(() => new Pattern(wrong, "u")).toThrow();
});
