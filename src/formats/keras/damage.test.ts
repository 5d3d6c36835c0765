/** Damaged and hostile files of Keras's: only errors with a sentence come out, whatever is cut off, flipped or refers to itself. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { memorySource } from "../../core/byte-source.ts";
import { FileError } from "../../core/errors.ts";
import { flipBit } from "../../storage/testing/damage.ts";
import { faultOf } from "../../storage/testing/refusals.ts";
import { isKerasFile } from "./document.ts";
import { modelFromKeras } from "./model.ts";

const fixture = (name: string) =>
  new Uint8Array(readFileSync(new URL(`../../../test/fixtures/keras/${name}`, import.meta.url)));

/** What reading a file throws, unless that is an error of ours with its sentence. */
function strayError(bytes: Uint8Array): unknown {
  try {
    const file = memorySource(bytes);
    if (isKerasFile(file.read(0, Math.min(64, file.size)), file)) modelFromKeras(bytes);
    return undefined;
  } catch (error) {
    return faultOf(error) === undefined ? undefined : error;
  }
}

describe.each(["nested.h5", "nested.keras", "both-directions.h5", "separable.keras"])("%s", (name) => {
  const bytes = fixture(name);

  test("cut off", () => {
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), (length) => {
        expect(strayError(bytes.slice(0, length))).toBeUndefined();
      }),
      { numRuns: 60 },
    );
  });

  test("with a flipped bit", () => {
    fc.assert(
      fc.property(fc.nat(8 * bytes.length - 1), (bit) => {
        expect(strayError(flipBit(bytes, bit))).toBeUndefined();
      }),
      { numRuns: 200 },
    );
  });

  test("with eight bytes of its structures set to any place in it", () => {
    fc.assert(
      fc.property(fc.nat(Math.floor(bytes.length / 8) - 2), fc.nat(bytes.length), (word, place) => {
        const copy = bytes.slice();
        new DataView(copy.buffer).setBigUint64(8 * word, BigInt(place), true);
        expect(strayError(copy)).toBeUndefined();
      }),
      { numRuns: 200 },
    );
  });
});

test("every cut of an HDF5 file is noticed", () => {
  const bytes = fixture("separable.h5");
  fc.assert(
    fc.property(fc.integer({ min: 64, max: bytes.length - 1 }), (length) => {
      expect(() => modelFromKeras(bytes.slice(0, length))).toThrow(FileError);
    }),
    { numRuns: 40 },
  );
});

describe("an archive", () => {
  test("without a model, such as PyTorch's, is none of Keras's", () => {
    const file = memorySource(new TextEncoder().encode("PK\u0003\u0004 and no list of entries"));
    expect(isKerasFile(file.read(0, 16), file)).toBe(false);
  });

  test("whose entry would unpack to more than deflate can make is refused before memory is taken", () => {
    const bytes = fixture("separable.keras");
    const text = String.fromCharCode(...bytes);
    const entry = text.lastIndexOf("PK\u0001\u0002", text.lastIndexOf("model.weights.h5"));
    new DataView(bytes.buffer).setUint32(entry + 24, 0x3fffffff, true);
    expect(() => modelFromKeras(bytes)).toThrow(/zip: "model.weights.h5" would unpack \d+ bytes to 1073741823/);
  });
});
