/** Text cut into records, wherever its blocks end. */
import { expect, test } from "vitest";
import { RecordSplitter } from "./record-splitter.ts";

const cut = (text: string, blockLength: number, delimiter = ",", newline: "\n" | "\r" = "\n") => {
  const splitter = new RecordSplitter({ delimiter, newline, path: "a.csv" });
  const rows = [];
  for (let at = 0; at < text.length; at += blockLength) rows.push(...splitter.push(text.slice(at, at + blockLength)));
  return [...rows, ...splitter.end()].map(({ cells, line }) => [line, ...cells]);
};

const text = 'a, b ,c\r\n1,"x, ""y""\nz",3\r\n\r\n"",5" ,\n "q" ,"",\n7,8,9';
const expected = [
  [1, "a", "b", "c"],
  [2, "1", 'x, "y"\nz', "3"],
  [5, "", '5"', ""],
  [6, "q", "", ""],
  [7, "7", "8", "9"],
];

test("quotes, spaces, empty lines and line ends of both kinds, in blocks of any length", () => {
  for (let length = 1; length <= text.length; length++) expect(cut(text, length)).toEqual(expected);
});

test("lines that end in a carriage return", () => {
  expect(cut("a;b\r1;2\r", 3, ";", "\r")).toEqual([
    [1, "a", "b"],
    [2, "1", "2"],
  ]);
});

test.each([
  ['a,b\n1,"2\n3,4\n', /a\.csv: line 2, column 3 opens a quote that nothing closes/],
  ['a,b\n1,2\n"x"y,4\n', /a\.csv: line 3, column 4 has "y" behind a closing quote/],
])("%j is refused", (broken, message) => {
  for (const length of [1, 4, 100]) expect(() => cut(broken, length)).toThrow(message);
});
