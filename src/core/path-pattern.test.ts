/** Patterns of paths against the expressions that say the same. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { matchesPath } from "./path-pattern.ts";

/** The same by an expression, which may go back without end. */
const expected = (path: string, pattern: string): boolean =>
  new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*")}(\\..*)?$`).test(path);

const textOf = (...signs: readonly string[]) =>
  fc.array(fc.constantFrom(...signs), { maxLength: 10 }).map((parts) => parts.join(""));

test("a star stands for any run of characters, and a pattern for all below what it names", () => {
  fc.assert(
    fc.property(textOf("a", "b", ".", "0"), textOf("a", "b", ".", "0", "*"), (path, pattern) => {
      expect(matchesPath(path, pattern)).toBe(expected(path, pattern));
    }),
    { numRuns: 5000 },
  );
});

test("patterns of many stars end at once", () => {
  const begin = performance.now();
  expect(matchesPath("a".repeat(100_000), `${"*a".repeat(1000)}*b`)).toBe(false);
  expect(matchesPath("a.".repeat(50_000), `${"*a".repeat(1000)}*`)).toBe(true);
  expect(performance.now() - begin).toBeLessThan(5000);
});
