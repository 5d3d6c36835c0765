/** Extents that files name by sums and products of other names. */
import { expect, test } from "vitest";
import { extentOf } from "./declared.ts";

const known: Readonly<Record<string, number>> = { past_sequence_length: 5, sequence_length: 3, batch: 2, "a b": 7 };

test.each<[string, number | undefined]>([
  ["batch", 2],
  ["past_sequence_length + sequence_length", 8],
  ["past_sequence_length + 1", 6],
  ["2*sequence_length - 1", 5],
  ["batch * 4", 8],
  ["a b", 7],
  ["heads", undefined],
  ["heads + 1", undefined],
  ["floor(batch/2)", undefined],
  ["1 - batch", undefined],
  ["", undefined],
])("%s is %s", (text, expected) => expect(extentOf(text, (name) => known[name])).toBe(expected));
