/** Dates as tables write them. */
import { expect, test } from "vitest";
import { dateFormatsOf, parseDate } from "./cell-dates.ts";

const day = Date.UTC(2020, 11, 31);

test.each([
  ["2020-12-31", "YYYY-MM-DD", day],
  ["2020-12-31T06:30:15.250Z", "YYYY-MM-DD", day + 6.5 * 3.6e6 + 15_250],
  ["2020-12-31 06:00+02:00", "YYYY-MM-DD", day + 4 * 3.6e6],
  ["2020/12/31", "YYYY/MM/DD", day],
  ["31/12/2020", "DD/MM/YYYY", day],
  ["12/31/2020", "MM/DD/YYYY", day],
  ["12/31/20 1:05 PM", "MM/DD/YYYY", day + 13 * 3.6e6 + 5 * 6e4],
  ["31.12.2020", "DD.MM.YYYY", day],
  ["31.12.70", "DD.MM.YYYY", Date.UTC(1970, 11, 31)],
  ["Dec 31 2020", "Mon D YYYY", day],
  ["December 31st, 2020", "Mon D YYYY", day],
  ["31 Dec 2020", "D Mon YYYY", day],
  ["31-Dec-2020", "D Mon YYYY", day],
  ["2020-12", "YYYY-MM", Date.UTC(2020, 11, 1)],
  ["31.12.2020", "YYYY-MM-DD | DD.MM.YYYY", day],
  ["2020-02-30", "YYYY-MM-DD", undefined],
  ["31/12/2020", "MM/DD/YYYY", undefined],
  ["2020-12-31", "no such format", undefined],
  ["", "YYYY-MM-DD", undefined],
])("%j as %s is %j", (text, format, moment) => {
  expect(parseDate(text, format)).toBe(moment);
});

test("formats that a text fits", () => {
  expect(dateFormatsOf("31/12/2020")).toEqual(["DD/MM/YYYY"]);
  expect(dateFormatsOf("05/06/2020")).toEqual(["DD/MM/YYYY", "MM/DD/YYYY"]);
  for (const text of ["2020", "12", "1.5", "May", "12:30", "a-b-c", "1-2", "x".repeat(100)])
    expect(dateFormatsOf(text)).toEqual([]);
});
