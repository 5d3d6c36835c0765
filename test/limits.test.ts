/** docs/limits.md lists every limit with its default. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { limits } from "../src/core/limits.ts";

test("the table of limits is that of the code", () => {
  const page = readFileSync(new URL("../docs/limits.md", import.meta.url), "utf8");
  const listed = Array.from(page.matchAll(/^\| `(\w+)` \| ([\d,]+) \|/gm), ([, name, value = ""]) => [
    name,
    Number(value.replaceAll(",", "")),
  ]);
  expect(Object.fromEntries(listed)).toEqual(limits);
});
