/** TensorBoard records, decoded again byte by byte. */
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { describe, expect, test } from "vitest";
import { crc32c, encodeFileVersion, encodeHistogram, encodeScalars, eventFileName } from "./tensorboard-events.ts";

describe("CRC-32C", () => {
  // The check value of the CRC catalogue (CRC-32/ISCSI), and the vectors of RFC 3720, appendix B.4.
  const ascending = Uint8Array.from({ length: 32 }, (_, i) => i);
  test.each([
    ['"123456789"', new TextEncoder().encode("123456789"), 0xe3069283],
    ["nothing", new Uint8Array(), 0],
    ["32 zeros", new Uint8Array(32), 0x8a9136aa],
    ["32 bytes 0xff", new Uint8Array(32).fill(0xff), 0x62a8ab43],
    ["0 to 31", ascending, 0x46dd794e],
    ["31 to 0", ascending.toReversed(), 0x113fdb5c],
  ])("of %s", (_, bytes, expected) => {
    expect(crc32c(bytes)).toBe(expected);
  });
});

/** Undoes TFRecord's mask. */
function unmask(masked: number): number {
  const rotated = (masked - 0xa282ead8) >>> 0;
  return ((rotated >>> 17) | (rotated << 15)) >>> 0;
}

/** The data of one record, whose length and checksums must agree. */
function dataOf(record: Uint8Array): Uint8Array {
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  const length = Number(view.getBigUint64(0, true));
  expect(record.length).toBe(length + 16);
  expect(unmask(view.getUint32(8, true))).toBe(crc32c(record.subarray(0, 8)));
  const data = record.subarray(12, 12 + length);
  expect(unmask(view.getUint32(12 + length, true))).toBe(crc32c(data));
  return data;
}

type Reader = (reader: BinaryReader) => unknown;

/** Fields of a message by name; each must be in the schema, with its wire type. */
function decode(
  data: Uint8Array,
  schema: Readonly<Record<number, readonly [string, WireType, Reader]>>,
): [string, unknown][] {
  const reader = new BinaryReader(data);
  const fields: [string, unknown][] = [];
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    const field = schema[number];
    expect(field?.[1], `field ${number}`).toBe(wireType);
    if (field) fields.push([field[0], field[2](reader)]);
  }
  return fields;
}

const double: Reader = (reader) => reader.double();
const text: Reader = (reader) => reader.string();
const packedDoubles: Reader = (reader) => {
  const bytes = reader.bytes();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 8 }, (_, i) => view.getFloat64(8 * i, true));
};
const histogram = {
  1: ["min", WireType.Bit64, double],
  2: ["max", WireType.Bit64, double],
  3: ["num", WireType.Bit64, double],
  4: ["sum", WireType.Bit64, double],
  5: ["sumSquares", WireType.Bit64, double],
  6: ["limits", WireType.LengthDelimited, packedDoubles],
  7: ["buckets", WireType.LengthDelimited, packedDoubles],
} as const;
const value = {
  1: ["tag", WireType.LengthDelimited, text],
  2: ["simpleValue", WireType.Bit32, (reader: BinaryReader) => reader.float()],
  5: [
    "histogram",
    WireType.LengthDelimited,
    (reader: BinaryReader) => Object.fromEntries(decode(reader.bytes(), histogram)),
  ],
} as const;
const summary = {
  1: ["value", WireType.LengthDelimited, (reader: BinaryReader) => Object.fromEntries(decode(reader.bytes(), value))],
} as const;
const event = {
  1: ["wallTime", WireType.Bit64, double],
  2: ["step", WireType.Varint, (reader: BinaryReader) => Number(reader.int64())],
  3: ["fileVersion", WireType.LengthDelimited, text],
  5: ["summary", WireType.LengthDelimited, (reader: BinaryReader) => decode(reader.bytes(), summary).map(([, v]) => v)],
} as const;
const eventOf = (record: Uint8Array) => Object.fromEntries(decode(dataOf(record), event));

test("the record that opens a file", () => {
  expect(eventOf(encodeFileVersion(1.5))).toEqual({ wallTime: 1.5, fileVersion: "brain.Event:2" });
});

test("scalars", () => {
  expect(eventOf(encodeScalars(70_000, 1_700_000_000.25, { loss: 0.5, "epoch/naïve": -2 }))).toEqual({
    wallTime: 1_700_000_000.25,
    step: 70_000,
    summary: [
      { tag: "loss", simpleValue: 0.5 },
      { tag: "epoch/naïve", simpleValue: -2 },
    ],
  });
});

test("numbers beyond float32 are written as infinite", () => {
  const { summary: values } = eventOf(encodeScalars(0, 0, { huge: 1e300, not: Number.NaN }));
  expect(values).toEqual([
    { tag: "huge", simpleValue: Number.POSITIVE_INFINITY },
    { tag: "not", simpleValue: Number.NaN },
  ]);
});

describe("histograms", () => {
  const histogramOf = (values: ArrayLike<number>) => {
    const { step, summary: found } = eventOf(encodeHistogram(3, 0, "weights", values));
    expect(step).toBe(3);
    const [{ tag, histogram: result }] = found as [{ tag: string; histogram: Record<string, number & number[]> }];
    expect(tag).toBe("weights");
    return result;
  };
  test("moments, and equal buckets whose right edges are given", () => {
    const { limits = [], buckets = [], ...moments } = histogramOf(Float32Array.of(0, 0, 1.5, 30, Number.NaN));
    expect(moments).toEqual({ min: 0, max: 30, num: 4, sum: 31.5, sumSquares: 2.25 + 900 });
    expect(limits).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
    expect(buckets).toEqual([2, 1, ...new Array<number>(27).fill(0), 1]);
  });
  test("of equal values and of none", () => {
    expect(histogramOf([2, 2])).toMatchObject({ min: 2, max: 2, num: 2, limits: [2], buckets: [2] });
    expect(histogramOf([])).toMatchObject({ min: 0, max: 0, num: 0, limits: [0], buckets: [0] });
  });
});

test("file names begin with the seconds and end with the host", () => {
  expect(eventFileName(1_700_000_000.9, "my-host")).toBe("events.out.tfevents.1700000000.my-host");
  expect(eventFileName(5, "h")).toBe("events.out.tfevents.0000000005.h");
});
