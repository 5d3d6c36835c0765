/** A command loads what it needs: the files that Node reads are counted, since times on shared machines say little. */
import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";

/** Tells each file that is loaded on the standard error. */
const hook = `
  import { writeSync } from "node:fs";
  export async function load(url, context, next) {
    writeSync(2, url + "\\n");
    return next(url, context);
  }`;
const asModule = (code: string) => `data:text/javascript,${encodeURIComponent(code)}`;
const register = asModule(`import { register } from "node:module"; register(${JSON.stringify(asModule(hook))});`);

test.each([
  ["--version", 40],
  ["--help", 40],
  ["inspect resnet18", 450],
])("sardonyx %s: at most %d files", (line, most) => {
  const args = ["--import", register, "bin/sardonyx.mjs", ...line.split(" ")];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: "utf8" });
  const files = stderr.split("\n").filter((url) => url.startsWith("file:"));
  expect([status, stdout.length > 4, files.length > 5]).toEqual([0, true, true]);
  expect(files.length).toBeLessThanOrEqual(most);
});
