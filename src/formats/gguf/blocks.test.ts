/** Blocks of GGUF against the gguf package of llama.cpp. */
import { expect, test } from "vitest";
import { FileError } from "../../core/errors.ts";
import { blockType, blockTypeNamed, unpackBlocks } from "./blocks.ts";
import { recordedGguf } from "./testing/recorded.node.ts";

const bytesOf = (text: string) => new Uint8Array(Buffer.from(text, "base64"));

test.each(Object.entries(recordedGguf.blocks))("%s", (name, { bytes, values }) => {
  const expected = bytesOf(values);
  const wanted = new Float32Array(expected.buffer, expected.byteOffset, expected.length / 4);
  const got = unpackBlocks(blockTypeNamed(name), bytesOf(bytes));
  expect(got.length).toBe(wanted.length);
  // Sums of two rounded products: a last bit of the largest.
  const tolerance = 2 ** -22 * Math.max(...wanted.map(Math.abs));
  for (const [i, value] of got.entries())
    expect(Math.abs(value - (wanted[i] ?? 0)), `${name}[${i}]`).toBeLessThanOrEqual(tolerance);
});

test("types that are not unpacked, and those that are not known, are refused with what to do", () => {
  expect(() => unpackBlocks(blockType(23), new Uint8Array(136))).toThrow(
    "elements of type IQ4_XS are not unpacked; convert the file to one of F32, F16, Q4_0,",
  );
  expect(() => blockType(99)).toThrow(FileError);
  expect(() => blockType(99)).toThrow("its element type 99 is not known; convert the file to Q8_0 or F16");
});
