/** What a file is told to be by how it begins. */
import { expect, test } from "vitest";
import { tensor } from "../../core/tensor.ts";
import { encodeSafetensors } from "../../storage/safetensors.ts";
import { isSafetensors, refusedFormat } from "./file-kinds.ts";

test("safetensors are none of the refused formats, whatever the length of their header begins with", () => {
  const begins = new Set<number>();
  for (let letters = 1; letters < 300; letters++) {
    const file = encodeSafetensors({ ["w".repeat(letters)]: tensor([1]) });
    begins.add(file[0] ?? 0);
    expect([isSafetensors(file, file.length), refusedFormat(file)]).toEqual([true, undefined]);
  }
  // 0x80 is how a pickle begins.
  expect(begins).toContain(0x80);
  expect(refusedFormat(Uint8Array.of(0x80, 2, 0x7d, 0x71, 0))).toMatch(/^a Python pickle/);
});
