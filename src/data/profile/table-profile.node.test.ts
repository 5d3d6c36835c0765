/** Profiles of tables: figures, targets, leaks, duplicates, splits. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { openTable } from "../tables/table-file.node.ts";
import { profilePath } from "./profile.node.ts";
import { addRow, newScan } from "./scan-state.ts";
import { scanTable } from "./table-scan.node.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-profile-"));
afterAll(() => rmSync(folder, { recursive: true }));

const write = (name: string, content: string): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const table = (name: string, head: string, rows: number, row: (i: number) => string) =>
  write(name, `${head}\n${Array.from({ length: rows }, (_, i) => row(i)).join("\n")}\n`);
/** Numbers without regularity. */
const noise = (i: number, of: number) => (Math.imul(i + 1, 2654435761) >>> 5) % of;

const profile = async (path: string, target?: string) => {
  const { findings, ...rest } = await profilePath(path, target === undefined ? {} : { target });
  return { ...rest, texts: findings.map(({ weight, text }) => `${weight}: ${text}`) };
};

test("figures of numbers, missing values and outliers", async () => {
  const path = table("figures.csv", "x,y", 100, (i) => `${i === 99 ? 1000 : i},${i < 10 ? "" : i % 2 ? "a" : "b"}`);
  const { table: found, texts } = await profile(path);
  const [x, y] = found?.columns ?? [];
  // Of 100 sorted values the quartiles lie at places 24.75, 49.5 and 74.25.
  expect(x?.numbers).toMatchObject({ least: 0, most: 1000, quartiles: [24.75, 49.5, 74.25] });
  expect(x?.numbers?.mean).toBeCloseTo((4851 + 1000) / 100);
  expect(x?.numbers?.outliers).toEqual({ count: 1, low: -49.5, high: 148.5 });
  expect(x?.numbers?.histogram.counts.reduce((sum, count) => sum + count, 0)).toBe(100);
  expect(y).toMatchObject({
    missing: 10,
    distinct: 2,
    top: [
      { value: "a", count: 45 },
      { value: "b", count: 45 },
    ],
  });
  expect(texts).toEqual(['hint: "y" has missing values, at most 10.00 %']);
});

test("the fast way and the slow one find the same", async () => {
  const cells = [
    "1.5",
    "-2",
    "+3",
    "",
    "NA",
    ' "q, ""u"""',
    '"two\nlines"',
    "ü",
    "1e3",
    " 7 ",
    "1234567890123456789",
    "-",
    '"5"',
    "x\r",
  ];
  const path = table(
    "ways.csv",
    "a,b,c",
    30_000,
    (i) => `${cells[noise(i, 13)]},${noise(i, 90_000)}.5,${cells[noise(i + 7, i % 500 === 0 ? 14 : 5)]}`,
  );
  const file = await openTable(path);
  const fast = await scanTable(file);
  const slow = newScan(file.names.length, file.decimalComma);
  for await (const rows of file.rows()) for (const row of rows) addRow(slow, row);
  const summary = ({ rows, columns }: Pick<typeof fast, "rows" | "columns">) => ({
    rows,
    columns: columns.map(({ present, numbers, least, most, mean, deviation, values }) => ({
      ...{ present, numbers, least, most, mean, deviation },
      distinct: values.distinct,
      top: values.top(20),
    })),
  });
  expect(summary(fast)).toEqual(summary(slow));
  expect(fast.rows).toBe(30_000);
  expect(fast.duplicated).toEqual(slow.hashes.find(20));
  expect(fast.sample).toEqual(slow.sample.items.sort((a, b) => a.index - b.index));
});

test("a broken row far below is named by its line", async () => {
  const path = table("broken.csv", "a,b", 300_000, (i) => (i === 299_000 ? "1,2,3" : `${i},x`));
  await expect(profilePath(path)).rejects.toThrow(/line 299002 has 3 values, expected 2 separated by ","/);
});

test("a quote that is never closed, in a large file", async () => {
  const path = table("unclosed.csv", "a,b", 400_000, (i) => (i === 200_000 ? `${i},"x` : `${i},text`));
  await expect(profilePath(path)).rejects.toThrow(/line 200002, column 8 opens a quote that nothing closes/);
});

test("columns that leak the target, and those that are useless", async () => {
  const path = table("leaks.csv", "id,age,code,label,fixed,text", 400, (i) => {
    const label = noise(i, 3) === 0 ? "yes" : "no";
    return `${i},${noise(i + 5, 80)},${label === "yes" ? 7 + noise(i, 2) : noise(i, 4)},${label},1,"some words on ${i}, and ${noise(i, 1000)} ${noise(i, 99)}"`;
  });
  const { target, texts, split } = await profile(path, "label");
  expect(target).toMatchObject({ task: "classes", classes: [{ value: "no" }, { value: "yes" }] });
  expect(target?.predictors.filter(({ leaks }) => leaks).map(({ column }) => column)).toEqual(["code"]);
  expect(texts[0]).toMatch(
    /problem: "code" alone predicts 100\.00 % of "label" right, where the most frequent class is right in/,
  );
  expect(texts).toContain('hint: "id" names single rows (id), and is useless to predict with');
  expect(texts).toContain('hint: "fixed" is constant, and useless to predict with');
  expect(split).toMatchObject({ by: "class", column: "label" });
});

test("a number that another column holds", async () => {
  const path = table(
    "price.csv",
    "price,cents,size",
    300,
    (i) => `${noise(i, 900) / 7},${(noise(i, 900) * 100) / 7 + noise(i, 3)},${noise(i + 3, 50)}`,
  );
  const { target, texts } = await profile(path, "price");
  expect(target?.task).toBe("number");
  expect(texts[0]).toMatch(
    /"cents" alone explains \d+\.\d\d % of the variance of "price": it probably leaks the target/,
  );
});

test.each([
  ["empty", () => "", 'target "t" has no value in any row'],
  ["constant", () => "a", 'target "t" has one value in all rows, so there is nothing to learn'],
  ["unique", (i: number) => `key${i}`, 'target "t" has 50 values in 50 rows, each of its own'],
  [
    "partly missing",
    (i: number) => (i % 5 === 0 ? "" : i % 2 ? "a" : "b"),
    'target "t" is missing in 10 rows (20.00 %)',
  ],
  [
    "of rare classes",
    (i: number) => (i === 7 ? "rare" : "often"),
    'target "t" is unbalanced: "often" has 49 rows (98.00 %), "rare" 1 row',
  ],
])("a target that is %s", async (name, labelOf, expected) => {
  const path = table(`${name}.csv`, "x,t", 50, (i) => `${noise(i, 1000) / 3},${labelOf(i)}`);
  expect((await profile(path, "t")).texts.join("\n")).toContain(expected);
});

test("a target that is no column", async () => {
  const path = table("names.csv", "species,x", 5, (i) => `a,${i}`);
  await expect(profilePath(path, { target: "specis" })).rejects.toThrow(
    '"specis"; did you mean "species"? Known: species, x.',
  );
});

test("duplicated rows and near-duplicate texts", async () => {
  const path = table("twice.csv", "text,label", 40, (i) => {
    const at = i === 39 ? 3 : i;
    const text = `the film number ${noise(at, 1000)} by ${noise(at, 77)} and ${noise(at, 9)} of the year ${noise(at, 999)} was seen by ${noise(at, 5)} people`;
    return `${i === 20 ? `${`the film number ${noise(4, 1000)} by ${noise(4, 77)} and ${noise(4, 9)} of the year ${noise(4, 999)} was seen by ${noise(4, 5)} people`} today` : text},${at % 3 ? "good" : "bad"}`;
  });
  const { table: found, texts, nearDuplicates } = await profile(path, "label");
  expect(found).toMatchObject({ duplicatedRows: 1, firstDuplicates: [40] });
  expect(nearDuplicates.map(({ items }) => items.join())).toEqual(["line 5,line 41", "line 6,line 22"]);
  expect(texts.join("\n")).toContain("1 row (2.50 %) has the same values as one before (row 40)");
});

test("splits by time and by group", async () => {
  const days = table(
    "days.csv",
    "day,sales",
    60,
    (i) => `${new Date(Date.UTC(2020, 0, i + 1)).toISOString().slice(0, 10)},${noise(i, 500)}`,
  );
  expect((await profile(days)).split).toMatchObject({ by: "time", column: "day" });
  const visits = table(
    "visits.csv",
    "patient_id,pressure,ill",
    200,
    (i) => `${100 + noise(i, 30)},${noise(i + 1, 200)},${noise(i, 2)}`,
  );
  expect((await profile(visits, "ill")).split).toMatchObject({ by: "group", column: "patient_id" });
});

test("images that a table names and that are not there", async () => {
  write("here.png", "");
  const path = table("images.csv", "image,label", 4, (i) => `${i ? `gone${i}` : "here"}.png,${i % 2 ? "a" : "b"}`);
  expect((await profile(path)).texts.join()).toContain(
    '"image" names 3 images of 4 looked for that are not there, such as gone1.png',
  );
});

test("10,000 columns", async () => {
  const names = Array.from({ length: 10_000 }, (_, i) => `c${i}`);
  const path = table("wide.csv", names.join(), 30, (i) => names.map((_, at) => noise(at * 31 + i, 100)).join());
  const { table: found, notes } = await profile(path, "c5");
  expect(found?.columns).toHaveLength(10_000);
  expect(notes).toEqual(["associations and predictions of the first 200 columns only"]);
}, 60_000);

/** A real table: the npm package vega-datasets. */
const vega = join(dirname(fileURLToPath(import.meta.resolve("vega-datasets"))), "../data");

test("penguins", async () => {
  const { table: found, target, split } = await profile(join(vega, "penguins.json"), "Species");
  expect(found).toMatchObject({ rows: 344, sampled: 344, duplicatedRows: 0 });
  expect(target?.classes).toEqual([
    { value: "Adelie", count: 152 },
    { value: "Gentoo", count: 124 },
    { value: "Chinstrap", count: 68 },
  ]);
  expect(split.by).toBe("class");
  // pandas: penguins[["Flipper Length (mm)", "Body Mass (g)"]].corr(): 0.871
  const { names = [], values = [] } = found?.associations ?? {};
  expect(values[names.indexOf("Flipper Length (mm)")]?.[names.indexOf("Body Mass (g)")]).toBeCloseTo(0.871, 3);
});
