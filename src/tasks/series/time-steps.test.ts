/** Steps of time: which are found, and that places and moments are one another's inverse. */
import { describe, expect, test } from "vitest";
import { cyclesOf, dayOfYear, momentAt, momentText, placeOf, stepText, usualStep } from "./time-steps.ts";

const at = (text: string) => Date.parse(`${text}${text.includes("T") ? "" : "T00:00"}Z`);
const every = (from: string, to: string, days: number) => {
  const found: number[] = [];
  for (let moment = at(from); moment <= at(to); moment += days * 86_400_000) found.push(moment);
  return found;
};
const firsts = Array.from({ length: 30 }, (_, i) => Date.UTC(2019, i, 1));
const ends = Array.from({ length: 30 }, (_, i) => Date.UTC(2019, i + 1, 0));
const weekdays = every("2024-01-01", "2024-03-01", 1).filter((own) => ![0, 6].includes(new Date(own).getUTCDay()));

describe.each([
  ["days", every("2024-01-30", "2024-03-03", 1), "1 day"],
  ["weeks", every("2024-01-30", "2024-05-03", 7), "1 week"],
  ["hours", every("2024-01-30", "2024-02-03", 1 / 24), "1 hour"],
  ["months", firsts, "1 month"],
  ["ends of months", ends, "1 month"],
  ["quarters", firsts.filter((_, i) => i % 3 === 0), "3 months"],
  ["years", firsts.filter((_, i) => i % 12 === 0), "1 year"],
  ["weekdays", weekdays, "1 day from Monday to Friday"],
])("%s", (_, moments, text) => {
  const step = usualStep([moments], true);
  test("are found", () => expect(stepText(step)).toBe(text));
  test("have places, and places their moments", () => {
    expect(moments.map((moment) => placeOf(moment, step))).toEqual(moments.map((_, i) => i));
    expect(moments.map((_, i) => momentAt(i, step))).toEqual(moments);
  });
  test("with gaps are the same steps", () =>
    expect(stepText(usualStep([moments.filter((_, i) => i % 7 !== 5)], true))).toBe(text));
});

test("numbers have a step too, decimal fractions as well", () => {
  const step = usualStep([[0.1, 0.2, 0.3, 0.4, 0.6]], false);
  expect(placeOf(0.6, step)).toBe(5);
  expect(momentAt(5, step)).toBe(0.6);
  expect(cyclesOf(step)).toEqual([]);
});

test("what lies between steps has no whole place", () => {
  const step = usualStep([every("2024-01-30", "2024-03-03", 1)], true);
  expect(placeOf(at("2024-02-01T06:00"), step)).toBe(2.25);
  const monthly = usualStep([firsts], true);
  expect(Number.isInteger(placeOf(at("2020-03-02"), monthly))).toBe(false);
  const weekly = usualStep([weekdays], true);
  expect(Number.isInteger(placeOf(at("2024-02-03"), weekly))).toBe(false);
});

test("moments without a usual step are refused", () => {
  expect(() => usualStep([[0, 1, 3, 7, 15, 31, 63]], false)).toThrow(
    /no usual step: the most frequent one, 1, is that of 17 %/,
  );
  expect(() => usualStep([[5]], false)).toThrow(/the time has 1 value; pass series/);
});

test("cycles of the calendar, in steps", () => {
  expect(cyclesOf(usualStep([every("2024-01-30", "2024-02-03", 1 / 24)], true))).toEqual([
    { cycle: "day", steps: 24 },
    { cycle: "week", steps: 168 },
    { cycle: "year", steps: 8766 },
  ]);
  expect(cyclesOf(usualStep([firsts], true))).toEqual([{ cycle: "year", steps: 12 }]);
});

test("moments as texts, and days of the year", () => {
  const hourly = usualStep([every("2024-01-30", "2024-02-03", 1 / 24)], true);
  expect(momentText(at("2024-01-30T05:00"), hourly)).toBe("2024-01-30T05:00:00");
  expect(momentText(at("2024-01-30"), usualStep([firsts], true))).toBe("2024-01-30");
  expect(dayOfYear(at("2024-12-31"))).toBe(365);
});
