/** docs/limits.md lists every limit with its default; the command line refuses others in a sentence. */
import { spawnSync } from "node:child_process";
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

test.each([
  ["node=7", /unknown limit "node"; did you mean "nodes"\? Known: nodes, trainingNodes, tensors/],
  ["nodes=many", /--limit is "nodes=many"; pass a whole/],
  ["tensors=50", /parameters .* more than 50 tensors, the limit/],
])("inspect --limit %s is refused", (limit, message) => {
  const args = ["bin/sardonyx.mjs", "inspect", "resnet18", "--limit", limit];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  expect([status, stdout]).toEqual([2, ""]);
  expect(stderr).toMatch(message);
});
