/** Colours on terminals, and none in files, where NO_COLOR is set, and in the names that data give. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { expect, test } from "vitest";

/**
 * The output of a command line on a terminal, as `script` of util-linux gives it one, in an environment of its own: Node
 * shows no colours where CI, TF_BUILD or NODE_DISABLE_COLORS is set, and our own tests may run there.
 */
function onTerminal(args: string, environment: Readonly<Record<string, string>> = {}): string {
  const command = `${process.execPath} bin/sardonyx.mjs ${args}`;
  const env = { PATH: process.env["PATH"], HOME: process.env["HOME"], TERM: "xterm-256color", ...environment };
  return spawnSync("script", ["-qec", command, "/dev/null"], { encoding: "utf8", env }).stdout;
}

const hasScript = existsSync("/usr/bin/script");

test.skipIf(!hasScript)("heads of tables are bold on a terminal, mistakes are red", () => {
  expect(onTerminal("recipes")).toContain("\u001b[1mRecipe");
  expect(onTerminal("train no-such-recipe")).toContain("\u001b[31msardonyx: ");
});

test.skipIf(!hasScript)("NO_COLOR and dumb terminals have none", () => {
  expect(onTerminal("recipes", { NO_COLOR: "1" })).not.toContain("\u001b[");
  expect(onTerminal("recipes", { TERM: "dumb" })).not.toContain("\u001b[");
});

test("a pipe has none", () => {
  const { stdout } = spawnSync(process.execPath, ["bin/sardonyx.mjs", "recipes"], { encoding: "utf8" });
  expect(stdout).not.toContain("\u001b[");
});
