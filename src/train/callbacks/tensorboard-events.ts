/** TensorBoard event files as bytes: protocol-buffer events in TFRecord frames. Writing them is the caller's. */
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { crc32Of } from "../../core/crc32.ts";

/** CRC-32C of bytes. */
export const crc32c = crc32Of(0x82f63b78);

/** TFRecord's checksum: rotated and shifted, since a checksum of data that holds checksums is weak. */
const maskedCrc = (bytes: Uint8Array): number => {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
};

/** One TFRecord: length (uint64), its checksum, data, its checksum; little endian. */
function frame(data: Uint8Array): Uint8Array {
  const record = new Uint8Array(data.length + 16);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc(record.subarray(0, 8)), true);
  record.set(data, 12);
  view.setUint32(data.length + 12, maskedCrc(data), true);
  return record;
}

// Field numbers of tensorflow/core/util/event.proto and tensorflow/core/framework/summary.proto.
const event = { wallTime: 1, step: 2, fileVersion: 3, summary: 5 } as const;
const summary = { value: 1 } as const;
const summaryValue = { tag: 1, simpleValue: 2, histogram: 5 } as const;
const histogram = { min: 1, max: 2, count: 3, sum: 4, sumSquares: 5, limits: 6, buckets: 7 } as const;

const lengthDelimited = (writer: BinaryWriter, field: number): BinaryWriter =>
  writer.tag(field, WireType.LengthDelimited);
const double = (writer: BinaryWriter, field: number, value: number): BinaryWriter =>
  writer.tag(field, WireType.Bit64).double(value);

function doubles(writer: BinaryWriter, field: number, values: readonly number[]): void {
  lengthDelimited(writer, field).fork();
  for (const value of values) writer.double(value);
  writer.join();
}

const eventAt = (wallTime: number): BinaryWriter => double(new BinaryWriter(), event.wallTime, wallTime);

/** An event at a step whose summary `write` fills. */
function summaryEvent(step: number, wallTime: number, write: (writer: BinaryWriter) => void): Uint8Array {
  const writer = eventAt(wallTime).tag(event.step, WireType.Varint).int64(step);
  lengthDelimited(writer, event.summary).fork();
  write(writer);
  return frame(writer.join().finish());
}

/** The record that opens every file. Times are seconds since 1970. */
export const encodeFileVersion = (wallTime: number): Uint8Array =>
  frame(lengthDelimited(eventAt(wallTime), event.fileVersion).string("brain.Event:2").finish());

/** One record with a number for each tag. */
export const encodeScalars = (step: number, wallTime: number, scalars: Readonly<Record<string, number>>): Uint8Array =>
  summaryEvent(step, wallTime, (writer) => {
    for (const [tag, value] of Object.entries(scalars)) {
      lengthDelimited(writer, summary.value).fork();
      lengthDelimited(writer, summaryValue.tag).string(tag);
      writer.tag(summaryValue.simpleValue, WireType.Bit32).float(Math.fround(value)).join();
    }
  });

/** Equal buckets of a histogram. */
const bucketCount = 30;

/** One record with the distribution of values; those that are not finite are left out. */
export function encodeHistogram(step: number, wallTime: number, tag: string, values: ArrayLike<number>): Uint8Array {
  let [low, high, count, sum, sumSquares] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (!Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
    count++;
    sum += value;
    sumSquares += value * value;
  }
  if (count === 0) [low, high] = [0, 0];
  const width = (high - low) / bucketCount;
  const buckets = new Array<number>(width > 0 ? bucketCount : 1).fill(0);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (!Number.isFinite(value)) continue;
    const at = width > 0 ? Math.min(bucketCount - 1, Math.floor((value - low) / width)) : 0;
    buckets[at] = (buckets[at] as number) + 1;
  }
  const limits = buckets.map((_, i) => (i === buckets.length - 1 ? high : low + width * (i + 1)));
  return summaryEvent(step, wallTime, (writer) => {
    lengthDelimited(writer, summary.value).fork();
    lengthDelimited(writer, summaryValue.tag).string(tag);
    lengthDelimited(writer, summaryValue.histogram).fork();
    double(writer, histogram.min, low);
    double(writer, histogram.max, high);
    double(writer, histogram.count, count);
    double(writer, histogram.sum, sum);
    double(writer, histogram.sumSquares, sumSquares);
    doubles(writer, histogram.limits, limits);
    doubles(writer, histogram.buckets, buckets);
    writer.join().join();
  });
}

/** The name by which TensorBoard knows an event file: `events.out.tfevents.<seconds>.<host>`. */
export const eventFileName = (wallTime: number, host: string): string =>
  `events.out.tfevents.${Math.floor(wallTime).toString().padStart(10, "0")}.${host}`;
