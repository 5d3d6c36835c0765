/** Labelled texts and pairs: from files of every kind, and what is wrong with records. */
import { mkdtempSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { OptionError } from "../../core/errors.ts";
import type { FileRecord } from "../tables/json-records.ts";
import { labelledTexts } from "./labelled-records.ts";
import { loadLabelledTexts, loadTextPairs } from "./text-files.node.ts";
import { textPairs } from "./text-pairs.ts";

const fixtures = fileURLToPath(new URL("../../../test/fixtures/data/records", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "sardonyx-records-"));
const records = (...rows: readonly Record<string, unknown>[]): FileRecord[] =>
  rows.map((fields, i) => ({ fields, where: `a.jsonl: line ${i + 1}` }));

test("a table, JSON Lines and Parquet give the same texts and labels", async () => {
  const texts = ["Fine, and short.", "Dull.", "A “grand” day — über alles"];
  const expected = { texts, labels: [1, 0, 1], classes: ["0", "1"] };
  expect(await loadLabelledTexts(join(fixtures, "reviews.parquet"))).toEqual(expected);
  const csv = join(folder, "a.csv");
  await writeFile(csv, `review,stars\n${texts.map((text, i) => `"${text}",${[1, 0, 1][i]}`).join("\n")}\n`);
  expect(await loadLabelledTexts(csv, { text: "review", label: "stars" })).toEqual(expected);
  const lines = join(folder, "a.jsonl");
  await writeFile(lines, texts.map((text, i) => JSON.stringify({ text, label: i !== 1 })).join("\n"));
  expect(await loadLabelledTexts(lines)).toEqual({ ...expected, classes: ["false", "true"] });
});

test("numbers to be predicted", async () => {
  const { labels, classes } = await loadLabelledTexts(join(fixtures, "reviews.parquet"), {
    label: "stars",
    kind: "numbers",
  });
  expect([labels, classes]).toEqual([[4.5, 1, 5], []]);
  expect(() => labelledTexts(records({ text: "a", label: "many" }), { kind: "numbers" })).toThrow(
    'a.jsonl: line 1: "label" is the text "many", expected a finite number; correct it, or choose kind: "classes"',
  );
});

test("classes in order: names by alphabet, numbers by value, or as given", () => {
  const labelled = (...labels: unknown[]) => records(...labels.map((label) => ({ text: "a", label })));
  expect(labelledTexts(labelled("b", "a", " b "))).toMatchObject({ labels: [1, 0, 1], classes: ["a", "b"] });
  expect(labelledTexts(labelled("10", "9", 2))).toMatchObject({ labels: [2, 1, 0], classes: ["2", "9", "10"] });
  expect(labelledTexts(labelled("b", 0), { classes: ["a", "b", "c"] })).toMatchObject({
    labels: [1, 0],
    classes: ["a", "b", "c"],
  });
  expect(() => labelledTexts(labelled("a", "d"), { classes: ["a", "b"] })).toThrow(
    'a.jsonl: line 2: "label" is the text "d", expected one of a, b; correct it, or add it to `classes`',
  );
  expect(() => labelledTexts(labelled("1", "2.5"))).toThrow(
    'a.jsonl: line 2: "label" is 2.5, no whole number, expected a class; choose kind: "numbers" to predict it',
  );
  expect(() => labelledTexts([], { classes: ["a", "a"] })).toThrow(OptionError);
  expect(() => labelledTexts([], { classes: ["a"], kind: "numbers" })).toThrow(OptionError);
});

test.each([
  [
    { txt: "a", label: 1 },
    'a.jsonl: line 1: has no "text"; it has txt, label: pass text: "txt", or the name of the one that holds it',
  ],
  [{ text: "a", Label: 1 }, 'a.jsonl: line 1: has no "label"; it has text, Label: pass label: "Label"'],
  [{ text: " ", label: 1 }, 'a.jsonl: line 1: "text" is empty, expected a text with something in it'],
  [{ text: ["a"], label: 1 }, 'a.jsonl: line 1: "text" is a list of 1'],
  [{ text: "a", label: null }, 'a.jsonl: line 1: "label" is null, expected a label'],
  [{ text: "a", label: "" }, 'a.jsonl: line 1: "label" is empty, expected a label'],
  [{ text: "a", label: Number.NaN }, 'a.jsonl: line 1: "label" is NaN, expected a label'],
  [{ text: "a", label: [1] }, 'a.jsonl: line 1: "label" is a list of 1, expected a label'],
])("%j is an error", (row, message) => expect(() => labelledTexts(records(row))).toThrow(message));

test("mistaken options are reported before the file is read", async () => {
  await expect(loadLabelledTexts("none.csv", { lable: "a" } as object)).rejects.toThrow('did you mean "label"?');
  await expect(loadTextPairs("none.csv", { anchr: "a" } as object)).rejects.toThrow('did you mean "anchor"?');
});

test("pairs, with negatives in all or in none", async () => {
  const csv = join(folder, "pairs.csv");
  await writeFile(csv, "question,answer\n2 + 2?,4\n3 + 3?,6\n");
  const options = { anchor: "question", positive: "answer" };
  expect(await loadTextPairs(csv, options)).toEqual([
    { anchor: "2 + 2?", positive: "4" },
    { anchor: "3 + 3?", positive: "6" },
  ]);
  const triple = { anchor: "2 + 2?", positive: "4", negative: "5" };
  expect(textPairs(records(triple))).toEqual([triple]);
  expect(() => textPairs(records(triple, { anchor: "a", positive: "b" }))).toThrow(
    'a.jsonl: line 2: has no "negative"',
  );
  expect(() => textPairs(records({ anchor: "a", positive: "b" }), { negative: "hard" })).toThrow('has no "hard"');
  expect(() => textPairs(records({ ...triple, negative: "4" }))).toThrow(
    "a.jsonl: line 1: has the same text twice, expected different ones in anchor, positive, negative; remove the record",
  );
  expect(() => textPairs(records({ anchor: "", positive: "b" }))).toThrow('a.jsonl: line 1: "anchor" is empty');
});
