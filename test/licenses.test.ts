/** What is needed at run time may be passed on with the program. */
import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";

test("every licence is one that allows it", () => {
  const { status, stdout } = spawnSync(process.execPath, ["scripts/licenses.mjs"], { encoding: "utf8" });
  expect(stdout).toMatch(/^zod +\S+ +MIT$/m);
  expect([status, stdout.trimEnd().split("\n").at(-1)]).toEqual([0, expect.stringMatching(/^\d+ packages, 0 under/)]);
});
