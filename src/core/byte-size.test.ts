/** Amounts of memory that options name. */
import { expect, test } from "vitest";
import { byteSize } from "./byte-size.ts";
import { OptionError } from "./errors.ts";

test("numbers are bytes, and text has decimal or binary units", () => {
  const sizes = [3e9, "3e3", "2GB", "2 gb", "1.5GiB", "512MiB", "100 B", "77"];
  const read = (size: number | string) => {
    try {
      return byteSize(size, "memory");
    } catch (error) {
      return error instanceof OptionError ? "refused" : error;
    }
  };
  expect(sizes.map(read)).toEqual([3e9, "refused", 2e9, 2e9, 1.5 * 2 ** 30, 2 ** 29, 100, 77]);
});

test("anything else is refused, with what to pass", () => {
  for (const size of ["", "much", "2XB", "-1GB", 0, -5, Number.NaN, Number.POSITIVE_INFINITY])
    expect(() => byteSize(size, "memory"), String(size)).toThrow(
      /^memory is .*; pass bytes, such as 2e9, "2GB" or "1.5GiB"$/,
    );
});
