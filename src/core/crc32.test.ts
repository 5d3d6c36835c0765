/** Checks beside those of the standards. */
import { expect, test } from "vitest";
import { crc32Of } from "./crc32.ts";

// The check values of Koopman's and RevEng's catalogues, and the chunk that ends every PNG file.
test.each([
  [0xedb88320, "123456789", 0xcbf43926],
  [0x82f63b78, "123456789", 0xe3069283],
  [0xedb88320, "IEND", 0xae426082],
])("polynomial %d of %s", (polynomial, text, check) => {
  expect(crc32Of(polynomial)(new TextEncoder().encode(text))).toBe(check);
});
