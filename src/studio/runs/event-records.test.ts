/** Event files: what is written comes back, what is cut off is waited for, what is damaged is passed over. */
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { expect, test } from "vitest";
import { crc32c, encodeFileVersion, encodeHistogram, encodeScalars } from "../../train/callbacks/tensorboard-events.ts";
import { readEvents } from "./event-records.ts";

const joined = (...parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts));
const file = joined(
  encodeFileVersion(100),
  encodeScalars(1, 100.5, { loss: 0.5, rate: 0.25 }),
  encodeHistogram(1, 101, "weights", [1, 2]),
  encodeScalars(2, 102, { loss: 0.125 }),
);

test("scalars with their steps and times, histograms passed over", () => {
  expect(readEvents(file)).toEqual({
    length: file.length,
    scalars: [
      { tag: "loss", step: 1, time: 100.5, value: 0.5 },
      { tag: "rate", step: 1, time: 100.5, value: 0.25 },
      { tag: "loss", step: 2, time: 102, value: 0.125 },
    ],
  });
});

test("a file that is cut anywhere gives its whole records, and goes on from there", () => {
  const { scalars: all } = readEvents(file);
  for (let cut = 0; cut < file.length; cut++) {
    const { scalars, length } = readEvents(file.subarray(0, cut));
    const rest = readEvents(file.subarray(length)).scalars;
    expect([...scalars, ...rest]).toEqual(all);
  }
});

test("a record whose data changed is passed over, and behind a length that changed nothing is read", () => {
  const first = joined(encodeFileVersion(100));
  const damaged = file.slice();
  damaged[first.length + 20] = (damaged[first.length + 20] as number) ^ 1;
  expect(readEvents(damaged).scalars).toEqual([{ tag: "loss", step: 2, time: 102, value: 0.125 }]);
  damaged[first.length] = 255;
  expect(readEvents(damaged)).toEqual({ scalars: [], length: first.length });
});

test("scalars as tensors, as TensorFlow 2 writes them", () => {
  const tensor = new BinaryWriter()
    .tag(1, WireType.Varint)
    .int32(1)
    .tag(4, WireType.LengthDelimited)
    .bytes(new Uint8Array(new Float32Array([1.5]).buffer))
    .finish();
  const value = new BinaryWriter()
    .tag(1, WireType.LengthDelimited)
    .string("loss")
    .tag(8, WireType.LengthDelimited)
    .bytes(tensor)
    .finish();
  const summary = new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(value).finish();
  const event = new BinaryWriter()
    .tag(1, WireType.Bit64)
    .double(7)
    .tag(2, WireType.Varint)
    .int64(3)
    .tag(5, WireType.LengthDelimited)
    .bytes(summary)
    .finish();
  const masked = (bytes: Uint8Array) => (((crc32c(bytes) >>> 15) | (crc32c(bytes) << 17)) + 0xa282ead8) >>> 0;
  const record = new Uint8Array(event.length + 16);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(event.length), true);
  view.setUint32(8, masked(record.subarray(0, 8)), true);
  record.set(event, 12);
  view.setUint32(12 + event.length, masked(event), true);
  expect(readEvents(record).scalars).toEqual([{ tag: "loss", step: 3, time: 7, value: 1.5 }]);
});
