/** Dialects of separated values, told by their beginning. */
import { expect, test } from "vitest";
import { sniffDialect } from "./dialect.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);
const latin1 = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
const utf16 = (text: string, isBig = false) => {
  const bytes = new Uint8Array(2 * text.length);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < text.length; i++) view.setUint16(2 * i, text.charCodeAt(i), !isBig);
  return bytes;
};

const plain = { encoding: "utf-8", delimiter: ",", header: true, names: ["a", "b"], decimalComma: false };

test.each([
  ["plain", utf8("a,b\n1,2\n3,4\n"), {}],
  ["a byte order mark", utf8("\uFEFFa,b\n1,2\n"), { markLength: 3 }],
  ["one row without a line end", utf8("a,b\n1,2"), {}],
  ["names only", utf8("a,b\n"), {}],
  ["semicolons", utf8("a;b\n1;2\n3;4\n"), { delimiter: ";" }],
  ["semicolons and decimal commas", utf8("a;b\n1,5;2,5\n3,5;4,25\n"), { delimiter: ";", decimalComma: true }],
  ["decimal commas that might be thousands", utf8("a;b\n1,234;2\n3,123;4\n"), { delimiter: ";", decimalComma: true }],
  ["thousands in quotes", utf8('a,b\n"1,234",2\n"3,123",4\n'), {}],
  ["decimal commas in quotes", utf8('a,b\n"1,5",2\n"3,12",4\n'), { decimalComma: true }],
  ["tabs", utf8("a\tb\nx, y\t2\nz\t4\n"), { delimiter: "\t" }],
  ["bars", utf8("a|b\n1|2\n3|4\n"), { delimiter: "|" }],
  ["commas within quotes", utf8('"a";"b"\n"x, y, z";2\n"p, q";4\n'), { delimiter: ";" }],
  ["lists within a value", utf8("a,b\n1,x;y;z\n2,x\n3,x;y\n"), {}],
  ["a quote over lines", utf8('a,b\n"one\ntwo",2\n"three",4\n'), {}],
  ["carriage returns only", utf8("a,b\r1,2\r"), { newline: "\r" }],
  ["a line that declares the separator", utf8("sep=;\na;b\n1;2\n"), { delimiter: ";", skip: 1 }],
  ["UTF-16 with a mark", new Uint8Array([0xff, 0xfe, ...utf16("a,b\n1,2\n")]), { encoding: "utf-16le", markLength: 2 }],
  ["UTF-16 without a mark", utf16("a,b\n1,2\n3,4\n"), { encoding: "utf-16le", markLength: 0 }],
  ["UTF-16, big-endian", utf16("a,b\n1,2\n3,4\n", true), { encoding: "utf-16be" }],
  ["Latin-1", latin1("a,b\nM\xfcnchen,2\nK\xf6ln,4\n"), { encoding: "windows-1252" }],
  ["umlauts in UTF-8", utf8("a,b\nMünchen,2\nKöln,4\n"), {}],
  ["texts only", utf8("a,b\nred,small\nblue,large\n"), {}],
  ["no names", utf8("1,2\n3,4\n"), { header: false, names: ["0", "1"] }],
  [
    "no names, texts that recur",
    utf8("red,small\nblue,large\nred,small\nblue,small\n"),
    { header: false, names: ["0", "1"] },
  ],
  ["years as names", utf8("land,2019,2020\nFiji,0.9,0.8\nPeru,33,34\n"), { names: ["land", "2019", "2020"] }],
  ["a mark for a missing value in the first row", utf8("a,b\n.,x\n1,y\n2,x\n3,y\n"), {}],
  ["a column without a name", utf8(",a\n0,5\n1,6\n"), { names: ["column 1", "a"] }],
  ["one column", utf8("a\n1\n2\n"), { names: ["a"] }],
  ["one column of sentences", utf8("a\nYes, I do\nNo\nWell, well, well\n"), { names: ["a"], delimiter: "\t" }],
])("%s", (_, bytes, expected) => {
  expect(sniffDialect(bytes, "a.csv")).toMatchObject({ ...plain, ...expected });
});

test.each([
  ["an empty file", utf8("  \n\n"), "a.csv: is empty, expected a line of names and at least one row"],
  [
    "a second line of names",
    utf8("size,weight\ncm,kg\n1,2\n3,4\n5,6\n"),
    'a.csv: line 2 is a second line of names ("cm", "kg") above numbers',
  ],
  [
    "counts above the names",
    utf8("3,2\na,b\n1,2\n3,4\n5,6\n"),
    'line 2 holds names ("a", "b"), expected them in the first line',
  ],
  [
    "a title",
    utf8("Sales of 2020\na,b\n1,2\n3,4\n"),
    'a.csv: line 1 has 1 value, "Sales of 2020", expected the names of 2 columns; remove',
  ],
  ["two columns of one name", utf8("a,b,a\n1,2,3\n"), 'a.csv: columns 1 and 3 are both named "a"; rename one'],
  [
    "a quote that nothing closes",
    utf8('a,b\n"1,2\n3,4\n'),
    "a.csv: line 2, column 1 opens a quote that nothing closes",
  ],
  [
    "a workbook",
    new Uint8Array([0x50, 0x4b, 3, 4, 0, 0]),
    "is a ZIP archive or an Excel workbook, expected a table as text; unpack it, or save its sheet as CSV",
  ],
  ["a zero byte", utf8("a,b\n1,\u0000\n"), "a.csv: byte 6 is zero, which no text has"],
])("%s is refused", (_, bytes, message) => {
  expect(() => sniffDialect(bytes, "a.csv")).toThrow(message);
});

test("options take the place of what the beginning tells", () => {
  const options = { delimiter: ";", header: false, decimalComma: true, encoding: "windows-1252" } as const;
  expect(sniffDialect(utf8("a,b\n1,2\n"), "a.csv", options)).toMatchObject({ ...options, names: ["0"] });
});

test("notes say what was made of the file", () => {
  expect(sniffDialect(latin1("a;b\nM\xfcnchen;2,5\n"), "a.csv").notes).toEqual([
    "read as Latin-1 (windows-1252)",
    "values separated by semicolons",
    "decimals behind a comma",
  ]);
});
