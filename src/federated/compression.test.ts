/** Encodings: what they lose, and that they lose it fairly. */
import { describe, expect, test } from "vitest";
import { FederationError, OptionError } from "../core/errors.ts";
import { keyOf, Random } from "../core/random.ts";
import { Tensor } from "../core/tensor.ts";
import { type Compression, checkCompression, decodeValues, encodeValues, encodings } from "./compression.ts";
import { describeModel } from "./model-description.ts";
import { blobNetwork } from "./testing/blobs.ts";

const description = describeModel(blobNetwork());
const values = new Random(keyOf(1)).normals(description.length).map((value) => 0.01 * value);
const through = (compression: Compression, own = values, key = keyOf(2)) =>
  decodeValues(
    "the update",
    description,
    compression.encoding ?? "float32",
    encodeValues(description, own, compression, key),
  );

describe("what comes back", () => {
  test("float32 is the same bits", () => expect(through({})).toEqual(values));

  test("float16 is off by half a step of 11 bits at most", () => {
    // Below 2^-14 steps are 2^-24.
    for (const [i, value] of through({ encoding: "float16" }).entries())
      expect(Math.abs(value - (values[i] as number))).toBeLessThanOrEqual(
        Math.max(2 ** -25, Math.abs(values[i] as number) * 2 ** -11),
      );
  });

  test("int8 is off by less than a step of the tensor's largest element / 127, and right on average", () => {
    for (const { offset, length } of description.tensors) {
      const own = values.subarray(offset, offset + length);
      const step = Math.max(...own.map(Math.abs)) / 127;
      const sums = new Float64Array(length);
      const times = 400;
      for (let i = 0; i < times; i++) {
        const back = through({ encoding: "int8" }, values, keyOf(i)).subarray(offset, offset + length);
        for (const [j, value] of back.entries()) {
          expect(Math.abs(value - (own[j] as number))).toBeLessThan(1.001 * step);
          sums[j] = (sums[j] as number) + value;
        }
      }
      // The mean's standard deviation is at most a step / 2 / sqrt(400); 5 of these.
      for (const [j, sum] of sums.entries()) expect(Math.abs(sum / times - (own[j] as number))).toBeLessThan(step / 8);
    }
  });

  test("topK is the largest elements of each tensor, and nothing else", () => {
    const back = through({ encoding: "topK", share: 0.25 });
    for (const { offset, length } of description.tensors) {
      const [own, kept] = [values.subarray(offset, offset + length), back.subarray(offset, offset + length)];
      const count = Math.max(1, Math.round(0.25 * length));
      const border = [...own].map(Math.abs).sort((a, b) => b - a)[count - 1] as number;
      for (const [i, value] of kept.entries()) expect(value).toBe(Math.abs(own[i] as number) >= border ? own[i] : 0);
    }
  });

  test("zeros and equal elements", () => {
    const zeros = new Float32Array(description.length);
    for (const encoding of encodings) expect(through({ encoding }, zeros)).toEqual(zeros);
    const ones = zeros.map(() => 1);
    expect(through({ encoding: "topK", share: 1 }, ones)).toEqual(ones);
  });
});

describe("what does not fit is refused by name", () => {
  const encoded = (compression: Compression) => encodeValues(description, values, compression, keyOf(0));
  const first = description.tensors[0]?.path ?? "";

  test("too large for float16", () => {
    const large = values.slice().fill(1e6, 0, 1);
    expect(() => through({ encoding: "float16" }, large)).toThrow(
      `the update of "${first}" has an element of magnitude 1000000, and float16 holds up to 65,504; compress by int8, or not at all`,
    );
  });

  test("another type, a scale that is missing or negative", () => {
    expect(() => decodeValues("the update", description, "int8", encoded({}))).toThrow(
      "is float32, expected int8 as int8 has it",
    );
    const { tensors, scales } = encoded({ encoding: "int8" });
    expect(() => decodeValues("the update", description, "int8", { tensors, scales: {} })).toThrow(FederationError);
    expect(() =>
      decodeValues("the update", description, "int8", { tensors, scales: { ...scales, [first]: -1 } }),
    ).toThrow(`the tensor "${first}" has no scale from 0`);
  });

  test("numbers of elements that are missing, repeated or too large", () => {
    const { tensors, scales } = encoded({ encoding: "topK" });
    const name = `${first}#indices`;
    const bad = (indices: Tensor | undefined) => () => {
      const { [name]: _, ...rest } = tensors;
      return decodeValues("the update", description, "topK", {
        tensors: indices ? { ...rest, [name]: indices } : rest,
        scales,
      });
    };
    expect(bad(undefined)).toThrow("whose numbers are missing or of another shape");
    expect(bad(new Tensor("uint32", [2], Uint32Array.of(0, 1)))).toThrow(
      "whose numbers are missing or of another shape",
    );
    expect(bad(new Tensor("uint32", [1], Uint32Array.of(4_000_000)))).toThrow("has an element 4000000 behind -1");
  });

  test("an encoding or share that does not exist", () => {
    expect(() => checkCompression({ encoding: "gzip" as never })).toThrow(OptionError);
    expect(() => checkCompression({ share: 0 })).toThrow("share is 0; pass a number above 0, at most 1");
  });
});
