/** The safetensors codec: round trips, the published layout, hostile files. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { allocate, bytesPerElement, type DType, dtypes } from "../core/dtype.ts";
import { FileError, OptionError } from "../core/errors.ts";
import { size } from "../core/shape.ts";
import { sameTensor, Tensor, tensor } from "../core/tensor.ts";
import { decodeSafetensors, encodeSafetensors } from "./safetensors.ts";
import { checkDamage } from "./testing/damage.ts";

/** A file with any header text, and `dataBytes` zeros. */
function fileWith(header: unknown, dataBytes: number): Uint8Array {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const file = new Uint8Array(8 + json.length + dataBytes);
  new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
  file.set(json, 8);
  return file;
}

const f32 = (shape: number[], begin: number, end: number) => ({ dtype: "F32", shape, data_offsets: [begin, end] });

const anyTensor = fc
  .tuple(
    fc.constantFrom<DType>(...dtypes),
    fc.array(fc.nat(4), { maxLength: 3 }),
    fc.uint8Array({ minLength: 512, maxLength: 512 }),
  )
  .map(([dtype, shape, bytes]) => {
    const data = allocate(dtype, size(shape));
    new Uint8Array(data.buffer).set(bytes.subarray(0, data.byteLength));
    return new Tensor(dtype, shape, data);
  });

describe("round trip", () => {
  it("gives back every dtype, shape, name and bit", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), anyTensor, { maxKeys: 6 }),
        fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 }),
        (tensors, metadata) => {
          fc.pre(!("__metadata__" in tensors));
          const file = decodeSafetensors(encodeSafetensors(tensors, metadata));
          expect(Object.keys(file.tensors).sort()).toEqual(Object.keys(tensors).sort());
          for (const [name, t] of Object.entries(file.tensors))
            expect(sameTensor(t, tensors[name] as Tensor)).toBe(true);
          expect(file.metadata).toEqual({ ...metadata });
        },
      ),
    );
  });

  it("reads bfloat16 as the numbers that it stands for", () => {
    const bits = tensor(Uint16Array.of(0x3f80, 0xc0a0), { shape: [2] });
    const file = encodeSafetensors({ w: bits });
    // The same bytes under the other type's name, one letter longer.
    const text = Buffer.from(file).toString("latin1").replace('"U16"', '"BF16"');
    const renamed = Buffer.from(text, "latin1");
    renamed.writeBigUInt64LE(BigInt(renamed.length - 8 - 4), 0);
    expect(decodeSafetensors(renamed).tensors["w"]).toEqual(tensor([1, -5]));
  });

  it("reads from bytes that do not begin at an aligned address", () => {
    const file = encodeSafetensors({ a: tensor([1.5, -2], { dtype: "float64" }) });
    const shifted = new Uint8Array(file.length + 1);
    shifted.set(file, 1);
    for (const bytes of [shifted.subarray(1), Buffer.from(shifted.buffer, 1)])
      expect(decodeSafetensors(bytes).tensors["a"]?.toArray()).toEqual([1.5, -2]);
  });
});

it("writes the layout of the specification: length, padded JSON, widest elements first", () => {
  const file = encodeSafetensors({ b: tensor([7], { dtype: "uint8" }), a: tensor([1]) }, { step: "3" });
  const headerBytes = Number(new DataView(file.buffer).getBigUint64(0, true));
  expect(headerBytes % 8).toBe(0);
  expect(new TextDecoder().decode(file.subarray(8, 8 + headerBytes)).trimEnd()).toBe(
    '{"__metadata__":{"step":"3"},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},' +
      '"b":{"dtype":"U8","shape":[1],"data_offsets":[4,5]}}',
  );
  // 1 as a little-endian float32, then the byte 7.
  expect([...file.subarray(8 + headerBytes)]).toEqual([0, 0, 0x80, 0x3f, 7]);
});

it("keeps the format's own name", () => {
  expect(() => encodeSafetensors({ __metadata__: tensor([1]) })).toThrow(OptionError);
});

it("float8 becomes float32", () => {
  // Micikevicius et al. 2022, table 1: largest, smallest subnormal, one and its negative, NaN.
  const file = (dtype: string, ...bytes: number[]) => {
    const header = new TextEncoder().encode(
      JSON.stringify({ w: { dtype, shape: [bytes.length], data_offsets: [0, bytes.length] } }),
    );
    const out = new Uint8Array(8 + header.length + bytes.length);
    new DataView(out.buffer).setUint32(0, header.length, true);
    out.set(header, 8);
    out.set(bytes, 8 + header.length);
    return decodeSafetensors(out).tensors["w"];
  };
  expect(Array.from(file("F8_E4M3", 0x7e, 0x01, 0x38, 0xb8, 0x7f)?.data as Float32Array)).toEqual([
    448,
    2 ** -9,
    1,
    -1,
    Number.NaN,
  ]);
  expect(Array.from(file("F8_E5M2", 0x7b, 0x01, 0x3c, 0xbc, 0x7c)?.data as Float32Array)).toEqual([
    57_344,
    2 ** -16,
    1,
    -1,
    Number.POSITIVE_INFINITY,
  ]);
});

describe("hostile files", () => {
  const refused: [name: string, file: Uint8Array, message: RegExp][] = [
    ["empty", new Uint8Array(0), /0 bytes.*cut off/],
    ["header longer than the file", fileWith("{}", 0).fill(255, 0, 8), /18446744073709551615 bytes, at most 2/],
    ["not JSON", fileWith("{oops", 0), /not JSON/],
    ["not UTF-8", fileWith("{}", 0).fill(0xff, 8), /not JSON/],
    ["an array", fileWith("[]", 0), /not a JSON object/],
    ["an entry that is no object", fileWith({ w: 3 }, 0), /"w" is not described/],
    ["unknown dtype", fileWith({ w: { ...f32([1], 0, 4), dtype: "X8" } }, 4), /"w" has dtype "X8", known are F64/],
    [
      "float8 of block scales",
      fileWith({ w: { ...f32([1], 0, 1), dtype: "F8_E8M0" } }, 1),
      /"w" is F8_E8M0.*convert it to F32/,
    ],
    ["negative extent", fileWith({ w: f32([-1], 0, 4) }, 4), /"w" has shape \[-1\]/],
    ["fractional extent", fileWith({ w: f32([0.5], 0, 2) }, 2), /"w" has shape/],
    ["no offsets", fileWith({ w: { dtype: "F32", shape: [1] } }, 4), /"w" has data_offsets undefined/],
    ["offsets beyond the file", fileWith({ w: f32([2], 0, 8) }, 4), /"w" lies at bytes 0 to 8, the file holds 4/],
    ["offsets backwards", fileWith({ w: f32([0], 4, 0) }, 4), /"w" lies at bytes 4 to 0/],
    ["shape against offsets", fileWith({ w: f32([3], 0, 4) }, 4), /"w" of shape \[3\].*needs 12 bytes.*span 4/],
    ["shape beyond counting", fileWith({ w: f32([2 ** 40, 2 ** 40], 0, 4) }, 4), /"w".*span 4/],
    [
      "overlap",
      fileWith({ a: f32([2], 0, 8), b: f32([1], 4, 8) }, 8),
      /"b" begins at byte 4, expected 8 where "a" ends.*overlap/,
    ],
    ["gap", fileWith({ a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12), /"b" begins at byte 8, expected 4.*gap/],
    ["data that no tensor claims", fileWith({ a: f32([1], 0, 4) }, 8), /end at byte 4, the file holds 8/],
    ["metadata of numbers", fileWith({ __metadata__: { a: 1 } }, 0), /__metadata__/],
    [
      "a name twice, once escaped",
      fileWith(
        '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\\u0061":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
        1,
      ),
      /two tensors are named "a"/,
    ],
  ];
  it.each(refused)("refuses: %s", (_, file, message) => {
    expect(() => decodeSafetensors(file)).toThrow(FileError);
    expect(() => decodeSafetensors(file)).toThrow(message);
  });

  it("does not count nested keys as names", () => {
    const file = fileWith('{"dtype":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 1);
    expect(Object.keys(decodeSafetensors(file).tensors)).toEqual(["dtype"]);
  });

  it("survives cuts and flipped bits", async () => {
    const file = encodeSafetensors({ weight: tensor([[1, 2]]), bias: tensor([3n]) }, { step: "1" });
    await checkDamage(file, decodeSafetensors);
  });
});

it("refuses to write a header that no reader takes", () => {
  const metadata = { text: "x".repeat(100_000_000) };
  expect(() => encodeSafetensors({}, metadata)).toThrow(
    /names and metadata take \d+ bytes, the format allows 100000000/,
  );
});

it("knows a byte size for each dtype that it writes", () => {
  for (const dtype of dtypes) {
    const file = encodeSafetensors({ t: new Tensor(dtype, [1], allocate(dtype, 1)) });
    expect(decodeSafetensors(file).tensors["t"]?.data.byteLength).toBe(bytesPerElement(dtype));
  }
});

describe("limits", () => {
  const refused: readonly (readonly [what: string, header: string, message: string])[] = [
    [
      "a name of megabytes",
      `{"${"n".repeat(5_000_000)}":${JSON.stringify(f32([1], 0, 4))}}`,
      "a name of 5000000 characters",
    ],
    [
      "many axes",
      JSON.stringify({ a: f32(new Array(100_000).fill(1), 0, 4) }),
      '"a" has 100000 axes; 64 is the limit rank',
    ],
    ["nested brackets", `{"a":${"[".repeat(1_000_000)}`, "nest more than 512 deep, the limit jsonDepth"],
    [
      "many tensors",
      `{${Array.from({ length: 200_001 }, (_, i) => `"t${i}":${JSON.stringify(f32([0], 0, 0))}`).join()}}`,
      "the file has 200001 tensors, and 200000 is the limit fileTensors",
    ],
  ];
  it.each(refused)("%s", (_, header, message) => {
    const begin = performance.now();
    expect(() => decodeSafetensors(fileWith(header, 4))).toThrow(message);
    expect(performance.now() - begin).toBeLessThan(20_000);
  });

  it("names with quotes and strokes are told apart", () => {
    const twice = `{"a\\\\":${JSON.stringify(f32([1], 0, 4))},"a\\"":{},"a\\\\":{}}`;
    expect(() => decodeSafetensors(fileWith(twice, 4))).toThrow('two tensors are named "a\\"');
  });
});
