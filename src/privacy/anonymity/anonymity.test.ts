/** Anonymity of tables by hand, and of tables that are generalized. */
import { expect, test } from "vitest";
import { DataError, OptionError } from "../../core/errors.ts";
import { keyOf, Random } from "../../core/random.ts";
import { anonymizeTable, type MicrodataRow, measureAnonymity } from "../index.ts";

const quasiIdentifiers = ["age", "sex"];
const patients: readonly MicrodataRow[] = [
  { name: "A", age: 30, sex: "f", diagnosis: "flu" },
  { name: "B", age: 30, sex: "f", diagnosis: "flu" },
  { name: "C", age: 30, sex: "f", diagnosis: "gout" },
  { name: "D", age: 41, sex: "m", diagnosis: "flu" },
  { name: "E", age: 41, sex: "m", diagnosis: "flu" },
  { name: "F", age: 55, sex: "m", diagnosis: "gout" },
];

test("k, l and t by hand", () => {
  const { k, groups, unique, l, entropyL, t } = measureAnonymity(patients, {
    quasiIdentifiers,
    sensitive: "diagnosis",
  });
  expect([k, groups, l]).toEqual([1, 3, 1]);
  expect(unique).toBeCloseTo(1 / 6, 12);
  expect(entropyL).toBeCloseTo(1, 12);
  // Of the table 2/3 have flu; the last group has none.
  expect(t).toBeCloseTo(2 / 3, 12);
  expect(measureAnonymity(patients, { quasiIdentifiers: ["sex"] })).toEqual({ k: 3, groups: 2, unique: 0 });
});

test("numbers are far by their order: the example of Li et al. 2007, sec. 4.3", () => {
  // Nine incomes from 3k to 11k; the group {3k, 4k, 5k} is 0.375 from them, {6k, 8k, 11k} 0.167.
  const incomes = [3, 4, 5, 6, 11, 8, 7, 9, 10];
  const rows = incomes.map((income, i) => ({ zip: String(Math.floor(i / 3)), income }));
  const of = (zip: string) => rows.filter((row) => row.zip === zip).map((row) => ({ ...row, zip: "x" }));
  const distance = (zip: string) =>
    measureAnonymity([...of(zip), ...rows.filter((row) => row.zip !== zip).map((row) => ({ ...row, zip: "y" }))], {
      quasiIdentifiers: ["zip"],
      sensitive: "income",
    }).t;
  expect(distance("0")).toBeCloseTo(0.375, 12);
  // The other six are nearer than these three.
  expect(distance("1")).toBeCloseTo(0.1666666667, 9);
});

const random = new Random(keyOf(2));
const many = Array.from({ length: 500 }, (_, id) => ({
  id,
  age: 18 + random.integer(60),
  zip: `10${random.integer(20)}`,
  sex: random.integer(2) === 0 ? "f" : "m",
  income: Math.round(random.uniform(1, 9)) * 1000,
  diagnosis: ["flu", "gout", "asthma"][random.integer(3)] as string,
}));

test.each([{ k: 2 }, { k: 10 }, { k: 5, l: 2 }, { k: 5, l: 3, t: 0.3 }, { k: 250 }])(
  "%j is reached, and each row stands within what is said of it",
  (asked) => {
    const options = { quasiIdentifiers: ["age", "zip", "sex"], sensitive: "diagnosis", ...asked };
    const { rows, after, before, loss } = anonymizeTable(many, options);
    expect(before.k).toBe(1);
    expect(after.k).toBeGreaterThanOrEqual(asked.k);
    expect(after.l).toBeGreaterThanOrEqual(asked.l ?? 1);
    expect(after.t).toBeLessThanOrEqual(asked.t ?? 1);
    expect(loss).toBeGreaterThan(0);
    expect(loss).toBeLessThanOrEqual(1);
    for (const [i, row] of rows.entries()) {
      const own = many[i] as (typeof many)[number];
      expect([row["id"], row["income"], row["diagnosis"]]).toEqual([own.id, own.income, own.diagnosis]);
      const [low = 0, high = low] = String(row["age"]).split(" to ").map(Number);
      expect(low <= own.age && own.age <= high).toBe(true);
      expect(String(row["zip"]).split(" | ")).toContain(own.zip);
    }
  },
);

test("less anonymity costs less", () => {
  const lossOf = (k: number) => anonymizeTable(many, { quasiIdentifiers: ["age", "zip", "sex"], k }).loss;
  expect(lossOf(3)).toBeLessThan(lossOf(10));
  expect(lossOf(10)).toBeLessThan(lossOf(50));
});

test("what cannot be is refused", () => {
  expect(() => anonymizeTable(patients, { quasiIdentifiers, k: 7 })).toThrow(/has 6 rows, and each group is to have 7/);
  expect(() => anonymizeTable(patients, { quasiIdentifiers, sensitive: "diagnosis", k: 2, l: 3 })).toThrow(
    /6 rows and 2 sensitive values.*2 and 3; ask for less/,
  );
  expect(() => anonymizeTable(patients, { quasiIdentifiers, k: 2, l: 2 })).toThrow(/name the column: sensitive/);
  expect(() => anonymizeTable(patients, { quasiIdentifiers, k: 1 })).toThrow(OptionError);
  expect(() => measureAnonymity(patients, { quasiIdentifiers: ["agee"] })).toThrow(
    /unknown column "agee"; did you mean "age"/,
  );
  expect(() => measureAnonymity(patients, { quasiIdentifiers: [] })).toThrow(/no quasi-identifiers/);
  expect(() => measureAnonymity([], { quasiIdentifiers })).toThrow(DataError);
  for (const age of [Number.NaN, Number.POSITIVE_INFINITY, null, undefined, true])
    expect(() => measureAnonymity([{ age, sex: "f" } as never], { quasiIdentifiers })).toThrow(
      `row 0 has ${age} as "age", expected a text or a finite number`,
    );
  expect(() => measureAnonymity(patients, { quasiIdentifiers, sensitive: "sex" })).toThrow(/sensitive and a quasi/);
});

test("rows far from all others are left out up to a share, and the others lose less", () => {
  const far = [...many, { ...(many[0] as (typeof many)[number]), id: 500, age: 4000 }];
  const asked = { quasiIdentifiers: ["age", "zip"], k: 5 };
  const all = anonymizeTable(far, asked);
  expect(all.suppressed).toEqual([]);
  const { rows, suppressed, after, loss } = anonymizeTable(far, { ...asked, suppress: 0.01 });
  expect(suppressed).toContain(500);
  expect(suppressed.length).toBeLessThanOrEqual(5);
  expect(rows.length).toBe(far.length - suppressed.length);
  expect(rows.map(({ id }) => id)).toEqual(far.filter((_, i) => !suppressed.includes(i)).map(({ id }) => id));
  expect(after.k).toBeGreaterThanOrEqual(5);
  expect(loss).toBeLessThan(all.loss);
  // Nothing is left out where too little would be left.
  expect(anonymizeTable(patients, { quasiIdentifiers, k: 6, suppress: 0.5 }).suppressed).toEqual([]);
});
