/** Translations of your own: a table of pairs is recognized, learned beside a translation memory, and asked. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { loadPairs } from "../../src/node.ts";
import { recipeForData } from "../../src/tasks/kinds/recipe-for-data.node.ts";
import { fixtures, sardonyx } from "./run.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-own-translation-"));
afterAll(() => rmSync(folder, { recursive: true }));

function given(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const rows = readFileSync(join(fixtures, "pairs.tsv"), "utf8")
  .trim()
  .split("\n")
  .map((row) => row.split("\t").slice(0, 2));
/** Sentences in two languages, twice as many by another subject. */
const pairs = [
  ...rows,
  ...rows.map(([source = "", target = ""]) => [`We know: ${source}`, `Nous savons : ${target}`]),
].filter((row) => row.length === 2 && row.every((text) => text !== ""));
const table = given(
  "pairs.csv",
  `english,french\n${pairs.map((row) => row.map((text) => `"${text}"`).join(",")).join("\n")}\n`,
);

test("a table of two columns of sentences is taken for translations", async () => {
  const long = Array.from({ length: 40 }, (_, i) => [
    `This is the sentence of number ${i} that somebody wrote down`,
    `Voici la phrase du numéro ${i} que quelqu'un a écrite`,
  ]);
  const path = given("long.csv", `en,fr\n${long.map((row) => row.map((text) => `"${text}"`).join(",")).join("\n")}\n`);
  expect(await recipeForData(path)).toEqual({
    recipe: "translation",
    because: 'texts ("en") and their translations ("fr")',
  });
  expect((await recipeForData(table, "translation")).recipe).toBe("translation");
});

describe("a run", () => {
  const out = join(folder, "run");
  test("learns in the time that it has, and is held against a translation memory", () => {
    const args = ["--task", "translation", "--epochs", "12", "--batch-size", "4", "--width", "32", "--threads", "1"];
    const { stdout, stderr, status } = sardonyx("train", "--data", table, ...args, "--out", out);
    expect([stderr, status]).toEqual(["", 0]);
    const said = stdout.replaceAll(/\s+/g, " ");
    expect(said).toMatch(/"english" is translated to "french" \(--source and --target name others\): \d+ pairs/);
    expect(said).toMatch(/validation loss/);
    expect(said).toMatch(/translation memory/);
  });
  test("is asked for a translation", () => {
    const { stdout, status } = sardonyx("predict", out, "I see the cat.");
    expect(status).toBe(0);
    expect(stdout).toMatch(/^I see the cat\.: /);
  });
});

describe("what does not fit", () => {
  const load = (text: string, own: { source?: string; target?: string } = {}) =>
    loadPairs({ path: given("odd.csv", text), source: "", target: "", ...own });
  test("columns by name, in either direction", async () => {
    const { pairs: found, skipped } = await load("a,b\nx,y\n,z\n", { source: "b" });
    expect([found, skipped]).toEqual([[{ source: "y", target: "x" }], 1]);
  });
  test.each([
    ["a,b\n,y\n", {}, /no row has both "a" and "b"; fill them in/],
    ["a,b\nx,y\n", { source: "c" }, /unknown column "c"/],
    ["a,b\nx,y\n", { source: "a", target: "a" }, /is named as --source and as --target/],
    ["a,b,c\n1,2,3\n4,5,6\n", {}, /has 0 columns of texts, expected one to translate and one of translations/],
  ])("%j with %j", async (text, own, said) => {
    await expect(load(text, own)).rejects.toThrow(said);
  });
});
