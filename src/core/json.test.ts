/** JSON with bounded nesting: what the bound counts, and that it is read before anything is built. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseJson } from "./json.ts";
import { limits } from "./limits.ts";

test("valid JSON is read as JSON.parse reads it", () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), (text) => {
      expect(parseJson(text)).toEqual(JSON.parse(text));
    }),
  );
});

test("brackets within strings do not count", () => {
  const text = JSON.stringify({ ["[".repeat(2000)]: `\\"${"{".repeat(2000)}` });
  expect(parseJson(text)).toEqual(JSON.parse(text));
});

test.each(["[", '{"a":', '[{"a":'])("a document of %j in one another is refused, however deep", (open) => {
  const close = [...open].flatMap((sign) => (sign === "[" ? ["]"] : sign === "{" ? ["}"] : [])).reverse();
  const nested = (times: number) => `${open.repeat(times)}1${close.join("").repeat(times)}`;
  const most = Math.floor(limits.jsonDepth / close.length);
  expect(() => parseJson(nested(most))).not.toThrow();
  expect(() => parseJson(nested(most + 1))).toThrow(/nest more than 512 deep, the limit jsonDepth/);
  expect(() => parseJson(open.repeat(1_000_000))).toThrow(/the limit jsonDepth/);
});

test("a string that does not end is no valid JSON, and no endless one", () => {
  expect(() => parseJson(`["${"\\".repeat(1001)}`)).toThrow(SyntaxError);
});
