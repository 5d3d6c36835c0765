/** TensorBoard's event files read back: the scalars of each step, with the time at which they were written. */
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { crc32c } from "../../train/callbacks/tensorboard-events.ts";

/** A scalar of an event file. */
export interface EventScalar {
  readonly tag: string;
  readonly step: number;
  /** Seconds since 1970. */
  readonly time: number;
  readonly value: number;
}

/** Bytes before and behind the data of a record: its length and their checksums. */
const [headBytes, tailBytes] = [12, 4];

const masked = (bytes: Uint8Array): number => {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
};

/**
 * The scalars of the whole records that bytes begin with, and how many bytes these take: what is behind them is not written yet, or is damaged. Records of another kind are
 * passed over, and so are those whose data cannot be read.
 */
export function readEvents(bytes: Uint8Array): { readonly scalars: EventScalar[]; readonly length: number } {
  const scalars: EventScalar[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at + headBytes + tailBytes <= bytes.length) {
    const size = view.getBigUint64(at, true);
    // A length that is damaged would hide all that follows.
    if (view.getUint32(at + 8, true) !== masked(bytes.subarray(at, at + 8))) break;
    if (size > BigInt(bytes.length - at - headBytes - tailBytes)) break;
    const data = bytes.subarray(at + headBytes, at + headBytes + Number(size));
    if (view.getUint32(at + headBytes + data.length, true) === masked(data)) readEvent(data, scalars);
    at += headBytes + data.length + tailBytes;
  }
  return { scalars, length: at };
}

// Field numbers of tensorflow/core/util/event.proto and tensorflow/core/framework/summary.proto.
function readEvent(data: Uint8Array, scalars: EventScalar[]): void {
  try {
    const reader = new BinaryReader(data);
    let [time, step] = [0, 0];
    const values: { readonly tag: string; readonly value: number }[] = [];
    while (reader.pos < reader.len) {
      const [field, type] = reader.tag();
      if (field === 1 && type === WireType.Bit64) time = reader.double();
      else if (field === 2 && type === WireType.Varint) step = Number(reader.int64());
      else if (field === 5 && type === WireType.LengthDelimited) values.push(...readSummary(reader.bytes()));
      else reader.skip(type, field);
    }
    for (const { tag, value } of values) scalars.push({ tag, step, time, value });
  } catch {
    // Another version's record, of which nothing is known.
  }
}

function* readSummary(data: Uint8Array): Generator<{ readonly tag: string; readonly value: number }> {
  const reader = new BinaryReader(data);
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field !== 1 || type !== WireType.LengthDelimited) reader.skip(type, field);
    else {
      const found = readValue(reader.bytes());
      if (found) yield found;
    }
  }
}

/** A value with `simple_value`, or with a `tensor` of one float, as TensorFlow 2 and PyTorch's SummaryWriter write them. */
function readValue(data: Uint8Array): { readonly tag: string; readonly value: number } | undefined {
  const reader = new BinaryReader(data);
  let tag = "";
  let value: number | undefined;
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === 1 && type === WireType.LengthDelimited) tag = reader.string();
    else if (field === 2 && type === WireType.Bit32) value = reader.float();
    else if (field === 8 && type === WireType.LengthDelimited) value = scalarOfTensor(reader.bytes()) ?? value;
    else reader.skip(type, field);
  }
  return value === undefined ? undefined : { tag, value };
}

// tensorflow/core/framework/tensor.proto: dtype 1, tensor_content 4, float_val 5, double_val 6.
function scalarOfTensor(data: Uint8Array): number | undefined {
  const reader = new BinaryReader(data);
  let dtype = 0;
  let content: Uint8Array | undefined;
  let value: number | undefined;
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === 1 && type === WireType.Varint) dtype = reader.int32();
    else if (field === 4 && type === WireType.LengthDelimited) content = reader.bytes();
    else if (field === 5 && type === WireType.LengthDelimited) value = firstOf(reader.bytes(), 4);
    else if (field === 5 && type === WireType.Bit32) value = reader.float();
    else if (field === 6 && type === WireType.LengthDelimited) value = firstOf(reader.bytes(), 8);
    else if (field === 6 && type === WireType.Bit64) value = reader.double();
    else reader.skip(type, field);
  }
  if (value !== undefined || !content) return value;
  return dtype === 1 ? firstOf(content, 4) : dtype === 2 ? firstOf(content, 8) : undefined;
}

/** The one number of bytes that hold a single one. */
function firstOf(bytes: Uint8Array, size: 4 | 8): number | undefined {
  if (bytes.length !== size) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, size);
  return size === 4 ? view.getFloat32(0, true) : view.getFloat64(0, true);
}
