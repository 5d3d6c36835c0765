/** Records of JSON Lines and arrays, whole and damaged. */
import { expect, test } from "vitest";
import { DataError, FileError } from "../../core/errors.ts";
import { parseJsonRecords } from "./json-records.ts";

const fieldsOf = (content: string | Uint8Array) => parseJsonRecords(content, "a.jsonl").map(({ fields }) => fields);

test("one object a line, with and without a byte order mark, CRLF and empty lines", () => {
  expect(fieldsOf('{"a":1}\n{"a":2}')).toEqual([{ a: 1 }, { a: 2 }]);
  expect(fieldsOf('\uFEFF{"a":1}\r\n\r\n{"a":"é"}\r\n')).toEqual([{ a: 1 }, { a: "é" }]);
  expect(fieldsOf(new TextEncoder().encode('\uFEFF{"a":1}\r\n{"a":"é"}'))).toEqual([{ a: 1 }, { a: "é" }]);
  expect(parseJsonRecords('\n{"a":1}', "a.jsonl")[0]?.where).toBe("a.jsonl: line 2");
});

test("one array, over several lines", () => {
  expect(fieldsOf('\uFEFF\n [\n{"a":1},\n{"a":2}\n]')).toEqual([{ a: 1 }, { a: 2 }]);
  expect(parseJsonRecords('[{"a":1},{"a":2}]', "a.json")[1]?.where).toBe("a.json: record 2");
  expect(() => fieldsOf('[{"a":1},')).toThrow(/^a.jsonl: begins as a JSON array and is none \(.*\); correct it/);
  expect(() => fieldsOf("[]")).toThrow("a.jsonl: is an empty array, expected at least one object");
  expect(() => fieldsOf("[7]")).toThrow("a.jsonl: record 1 is 7, expected an object of fields");
});

test("damaged lines are named, never left out", () => {
  expect(() => fieldsOf('{"a":1}\n{"a":')).toThrow(
    /^a.jsonl: line 2 is no JSON \(.*\); expected one object on each line/,
  );
  expect(() => fieldsOf('{"a":1}\n["a"]')).toThrow("a.jsonl: line 2 is a list of 1, expected an object of fields");
  expect(() => fieldsOf("null")).toThrow("a.jsonl: line 1 is null");
  expect(() => fieldsOf('{\n"a": 1\n}')).toThrow(/^a.jsonl: line 1 is no JSON/);
  for (const empty of ["", "\n\r\n", "\uFEFF"]) expect(() => fieldsOf(empty)).toThrow("a.jsonl: has no records");
  expect(() => fieldsOf("[".repeat(100_000))).toThrow(DataError);
  // Excel's "Unicode text" is UTF-16.
  expect(() => fieldsOf(Uint8Array.of(0xff, 0xfe, 0x7b, 0))).toThrow(FileError);
});

test("a line of 20 MB, and names that objects have by themselves", () => {
  const text = "x".repeat(20_000_000);
  expect(fieldsOf(`{"a":"${text}"}`)[0]?.["a"]).toHaveLength(20_000_000);
  const error = (() => {
    try {
      return fieldsOf(`{"a":"${text}`);
    } catch (caught) {
      return (caught as Error).message;
    }
  })();
  expect((error as string).length).toBeLessThan(300);
  expect(Object.keys(fieldsOf('{"__proto__":{"a":1}}')[0] ?? {})).toEqual(["__proto__"]);
});
