/** Decoding of protobuf messages described by a schema. Nothing is trusted; bytes fields stay in the file until asked for. */
import { type ByteSource, memorySource } from "../core/byte-source.ts";
import { FileError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import type { Field, MessageSchema } from "./schema.ts";

/** A bytes field: where it lies, and its content on demand. */
export interface Blob {
  readonly length: number;
  read(): Uint8Array;
}

/** A whole number; a bigint where a number is not exact. */
export type Whole = number | bigint;

/** A decoded message. A repeated field that is absent is absent here too. */
export type Decoded = { readonly [field: string]: DecodedValue | undefined };
export type DecodedValue = Whole | string | Blob | Decoded | readonly DecodedValue[];

/** Messages nest this deep in no real model: control flow within control flow within functions. */
const maxDepth = 64;
const windowBytes = 1 << 16;
const utf8 = new TextDecoder("utf-8", { fatal: true });

const fail = (problem: string, position: number) =>
  new FileError(`onnx: ${problem} at byte ${position}; the file is cut off, damaged or of another format`);

/** Reads a source forwards through a window. */
class Cursor {
  readonly source: ByteSource;
  position = 0;
  messages = 0;
  #window: Uint8Array = new Uint8Array(0);
  #start = 0;

  constructor(source: ByteSource) {
    this.source = source;
  }

  /** Makes the next `length` bytes, few of them, part of the window, steps over them and says where they begin in it. */
  #advance(length: number, end: number): number {
    if (this.position + length > end) throw fail("a value ends too early", this.position);
    const offset = this.position - this.#start;
    if (offset < 0 || offset + length > this.#window.length) {
      this.#start = this.position;
      this.#window = this.source.read(this.position, Math.min(windowBytes, this.source.size - this.position));
    }
    this.position += length;
    return this.position - length - this.#start;
  }

  byte(end: number): number {
    const at = this.#advance(1, end); // which may move the window
    return this.#window[at] ?? 0;
  }

  view(length: number, end: number): DataView {
    const at = this.#advance(length, end);
    return new DataView(this.#window.buffer, this.#window.byteOffset + at, length);
  }

  varint(end: number): Whole {
    let low = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.byte(end);
      low += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return low;
    }
    // Rare: negative numbers, and those above 2^28.
    let value = BigInt(low);
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.byte(end);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) {
        const signed = BigInt.asIntN(64, value);
        return Number.isSafeInteger(Number(signed)) ? Number(signed) : signed;
      }
    }
    throw fail("a number has more than ten bytes", this.position);
  }

  /** The length of what follows, which lies before `end`. */
  length(end: number): number {
    const begin = this.position;
    const length = Number(this.varint(end));
    if (length < 0 || this.position + length > end)
      throw fail(`a part says it has ${length} bytes, ${end - this.position} are left`, begin);
    return length;
  }

  text(length: number): string {
    const begin = this.position;
    const bytes = length <= windowBytes ? this.bytes(length) : this.source.read(begin, length);
    this.position = begin + length;
    try {
      return utf8.decode(bytes);
    } catch {
      throw fail("a text is not UTF-8", begin);
    }
  }

  bytes(length: number): Uint8Array {
    const at = this.#advance(length, this.position + length);
    return this.#window.subarray(at, at + length);
  }
}

/** The message in `source`. Fields that the schema lacks are passed over. Throws FileError for anything malformed. */
export function decodeMessage(schema: MessageSchema, source: ByteSource): Decoded {
  return readMessage(new Cursor(source), schema, source.size, 0);
}

/** The numbers of a packed field. */
export function decodePacked(bytes: Uint8Array, kind: Field["kind"]): Whole[] {
  const cursor = new Cursor(memorySource(bytes));
  const list: Whole[] = [];
  while (cursor.position < bytes.length) list.push(readNumber(cursor, kind, bytes.length));
  return list;
}

function readMessage(cursor: Cursor, schema: MessageSchema, end: number, depth: number): Decoded {
  if (depth > maxDepth) throw fail(`messages nest deeper than ${maxDepth}`, cursor.position);
  // Every message takes some hundred bytes of memory, whatever it took in the file.
  if (++cursor.messages > limits.parts)
    throw new FileError(`onnx: the file is made of more than ${limits.parts} parts, the limit parts`);
  const names = namesOf(schema);
  const message: Record<string, DecodedValue> = {};
  while (cursor.position < end) {
    const begin = cursor.position;
    const tag = Number(cursor.varint(end));
    const [number, wire] = [Math.floor(tag / 8), tag % 8];
    const name = names.get(number);
    const field = name === undefined ? undefined : schema[name];
    if (number === 0) throw fail("a field has number 0", begin);
    if (name === undefined || !field) skip(cursor, wire, end);
    else if (!field.repeated) message[name] = readValue(cursor, field, wire, end, depth);
    else {
      const list = (message[name] ?? []) as DecodedValue[];
      if (wire === 2 && isNumber(field)) readPacked(cursor, field, end, list);
      else list.push(readValue(cursor, field, wire, end, depth));
      message[name] = list;
    }
  }
  return message;
}

const tables = new WeakMap<MessageSchema, ReadonlyMap<number, string>>();

/** Names of a schema's fields by number. */
function namesOf(schema: MessageSchema): ReadonlyMap<number, string> {
  const known = tables.get(schema) ?? new Map(Object.entries(schema).map(([name, { number }]) => [number, name]));
  tables.set(schema, known);
  return known;
}

const isNumber = ({ kind }: Field): boolean => kind !== "string" && kind !== "bytes" && kind !== "message";

/** The protobuf wire type of a field that is not packed. */
const wireOf = ({ kind }: Field): number =>
  kind === "float" ? 5 : kind === "double" ? 1 : kind === "string" || kind === "bytes" || kind === "message" ? 2 : 0;

function readValue(cursor: Cursor, field: Field, wire: number, end: number, depth: number): DecodedValue {
  if (wire !== wireOf(field)) throw fail(`a ${field.kind} is written as wire type ${wire}`, cursor.position);
  if (wire !== 2) return readNumber(cursor, field.kind, end);
  const length = cursor.length(end);
  if (field.kind === "string") return cursor.text(length);
  if (field.message) return readMessage(cursor, field.message(), cursor.position + length, depth + 1);
  return readBlob(cursor, length);
}

function readBlob(cursor: Cursor, length: number): Blob {
  const { source, position } = cursor;
  cursor.position += length;
  return { length, read: () => source.read(position, length) };
}

function readNumber(cursor: Cursor, kind: Field["kind"], end: number): Whole {
  if (kind === "float") return cursor.view(4, end).getFloat32(0, true);
  if (kind === "double") return cursor.view(8, end).getFloat64(0, true);
  const value = cursor.varint(end);
  if (kind !== "uint64" || value >= 0) return value;
  return BigInt.asUintN(64, BigInt(value));
}

/** The elements of tensors stay where they are; other numbers are extents and attributes. */
function readPacked(cursor: Cursor, field: Field, end: number, list: DecodedValue[]): void {
  const length = cursor.length(end);
  if (field.lazy) {
    list.push(readBlob(cursor, length));
    return;
  }
  const stop = cursor.position + length;
  while (cursor.position < stop) list.push(readNumber(cursor, field.kind, stop));
}

function skip(cursor: Cursor, wire: number, end: number): void {
  if (wire === 0) cursor.varint(end);
  else if (wire === 1 || wire === 5) cursor.view(wire === 1 ? 8 : 4, end);
  else if (wire === 2) readBlob(cursor, cursor.length(end));
  else throw fail(`a field has wire type ${wire}`, cursor.position);
}
