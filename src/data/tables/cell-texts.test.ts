/** Values of records as texts. */
import { expect, test } from "vitest";
import { cellText } from "./cell-texts.ts";

test.each([
  ["a text", "a text"],
  [null, ""],
  [undefined, ""],
  [1.5, "1.5"],
  [12345678901234567890n, "12345678901234567890"],
  [true, "true"],
  [new Date(0), "1970-01-01"],
  [new Date(1500), "1970-01-01T00:00:01.500Z"],
  [new Date(Number.NaN), ""],
  [new Uint8Array(3), "3 bytes"],
  [Float32Array.of(1, 2.5), "[1,2.5]"],
  [{ a: [1n, new Uint8Array(2)], b: BigInt64Array.of(7n) }, '{"a":[1,"2 bytes"],"b":[7]}'],
])("%o", (value, text) => {
  expect(cellText(value)).toBe(text);
});
