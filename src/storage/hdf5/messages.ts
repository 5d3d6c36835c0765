/** Object headers of HDF5, and the messages in them that say what an object is: its extents, its type, where its elements lie. */
import type { ByteSource } from "../../core/byte-source.ts";
import { FileError } from "../../core/errors.ts";
import type { Shape } from "../../core/shape.ts";
import { damaged, Fields, fieldsAt } from "./fields.ts";

/** Kinds of messages, by the format's numbers. */
export const kinds = {
  dataspace: 0x01,
  linkInfo: 0x02,
  datatype: 0x03,
  link: 0x06,
  layout: 0x08,
  attribute: 0x0c,
  continuation: 0x10,
  symbolTable: 0x11,
  attributeInfo: 0x15,
} as const;

export interface Message {
  readonly kind: number;
  readonly fields: () => Fields;
}

/** No object of a file that Keras or h5py writes has as many. */
const maxMessages = 1 << 16;
const maxBlocks = 1 << 12;

/** The messages of the object at a place. Throws FileError for what is no object header. */
export function messagesAt(source: ByteSource, place: number): readonly Message[] {
  const messages: Message[] = [];
  const first = fieldsAt(source, place, 4).text(4) === "OHDR" ? newHeader(source, place) : oldHeader(source, place);
  const pending = [first.block];
  for (let i = 0; i < pending.length; i++) {
    const found = first.read(pending[i] as Block);
    for (const message of found) {
      if (messages.push(message) > maxMessages || pending.length > maxBlocks)
        throw new FileError(`hdf5: an object has more than ${maxMessages} messages; ${damaged}`);
      if (message.kind !== kinds.continuation) continue;
      const fields = message.fields();
      pending.push({ place: fields.u64(), length: fields.u64(), isFirst: false });
    }
  }
  return messages;
}

interface Block {
  readonly place: number;
  readonly length: number;
  readonly isFirst: boolean;
}

interface Header {
  readonly block: Block;
  read(block: Block): readonly Message[];
}

/** A message whose content is kept once for several objects is not read. */
function message(kind: number, flags: number, bytes: Uint8Array): Message {
  return {
    kind,
    fields() {
      if (flags & 2) throw new FileError("hdf5: it shares messages between objects, which Keras does not write");
      return new Fields(bytes);
    },
  };
}

function oldHeader(source: ByteSource, place: number): Header {
  const fields = fieldsAt(source, place, 16);
  const version = fields.u8();
  if (version !== 1) throw new FileError(`hdf5: an object header has version ${version}, expected 1 or 2; ${damaged}`);
  fields.skip(7);
  return {
    block: { place: place + 16, length: fields.u32(), isFirst: true },
    read({ place: begin, length }) {
      const block = fieldsAt(source, begin, length);
      const found: Message[] = [];
      while (block.left >= 8) {
        const [kind, size, flags] = [block.u16(), block.u16(), block.u8()];
        block.skip(3);
        found.push(message(kind, flags, block.take(size)));
      }
      return found;
    },
  };
}

function newHeader(source: ByteSource, place: number): Header {
  const fields = fieldsAt(source, place, 6);
  fields.expect("OHDR");
  const version = fields.u8();
  if (version !== 2) throw new FileError(`hdf5: an object header has version ${version}, expected 1 or 2; ${damaged}`);
  const flags = fields.u8();
  const before = 6 + (flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0);
  const width = 1 << (flags & 3);
  const length = fieldsAt(source, place + before, width).uint(width);
  return {
    block: { place: place + before + width, length, isFirst: true },
    read({ place: begin, length: size, isFirst }) {
      const block = fieldsAt(source, begin, size);
      if (!isFirst) block.expect("OCHK");
      const found: Message[] = [];
      // A continuation ends with a checksum; gaps too small for a message are left.
      const end = isFirst ? 0 : 4;
      while (block.left - end >= (flags & 4 ? 6 : 4)) {
        const [kind, bytes, own] = [block.u8(), block.u16(), block.u8()];
        if (flags & 4) block.skip(2);
        found.push(message(kind, own, block.take(bytes)));
      }
      return found;
    },
  };
}

/** Extents of a dataset or an attribute. */
export function readDataspace(fields: Fields): Shape {
  const version = fields.u8();
  const rank = fields.u8();
  if ((version !== 1 && version !== 2) || rank > 32)
    throw new FileError(`hdf5: a dataspace has version ${version} and ${rank} axes; ${damaged}`);
  fields.skip(version === 1 ? 6 : 2);
  const shape = Array.from({ length: rank }, () => fields.u64());
  if (!Number.isSafeInteger(shape.reduce((product, extent) => product * extent, 1)))
    throw new FileError(`hdf5: a dataset has more elements than can be counted; ${damaged}`);
  return shape;
}

/** The type of elements. */
export interface Datatype {
  /** As other formats call it: `float32`, `int64`, `bool`; `text` of characters, `reference` of text elsewhere in the file. */
  readonly name: string;
  /** Bytes of one element. */
  readonly bytes: number;
  readonly isBigEndian: boolean;
}

export function readDatatype(fields: Fields): Datatype {
  const head = fields.u8();
  const bits = fields.uint(3);
  const bytes = fields.u32();
  const isBigEndian = (bits & 1) === 1;
  const own = (name: string): Datatype => ({ name, bytes, isBigEndian });
  switch (head & 0x0f) {
    case 0:
      return own(`${bits & 8 ? "" : "u"}int${8 * bytes}`);
    case 1: {
      fields.skip(5);
      // Two bytes are half a float32 where their exponent has eight bits.
      const exponent = fields.u8();
      return own(bytes === 2 && exponent === 8 ? "bfloat16" : `float${8 * bytes}`);
    }
    case 3:
      return { name: "text", bytes, isBigEndian: false };
    case 5:
      return { name: "opaque", bytes, isBigEndian: false };
    // h5py writes bools as names of the numbers 0 and 1.
    case 8:
      return { name: bytes === 1 ? "bool" : `int${8 * bytes}`, bytes, isBigEndian: false };
    case 9:
      return { name: (bits & 0x0f) === 1 ? "reference" : "list", bytes, isBigEndian: false };
    default:
      return { name: `class ${head & 0x0f}`, bytes, isBigEndian: false };
  }
}

/** Where the elements of a dataset lie: in the header itself, or at a place in the file; `undefined` where none were written. */
export type Layout = { readonly inline: Uint8Array } | { readonly place: number; readonly length: number } | undefined;

export function readLayout(fields: Fields): Layout {
  const version = fields.u8();
  if (version !== 3 && version !== 4)
    throw new FileError(`hdf5: a dataset has a layout of version ${version}, expected 3 or 4`);
  const form = fields.u8();
  if (form === 0) return { inline: fields.take(fields.u16()) };
  if (form !== 1)
    throw new FileError("hdf5: a dataset lies in chunks, which Keras does not write; rewrite it: h5repack -l CONTI");
  const place = fields.address();
  return place === undefined ? undefined : { place, length: fields.u64() };
}

export interface AttributeMessage {
  readonly name: string;
  readonly type: Datatype;
  readonly shape: Shape;
  readonly bytes: Uint8Array;
}

export function readAttribute(fields: Fields): AttributeMessage {
  const version = fields.u8();
  if (version < 1 || version > 3)
    throw new FileError(`hdf5: an attribute has version ${version}, expected 1 to 3; ${damaged}`);
  const flags = fields.u8();
  if (version > 1 && flags !== 0)
    throw new FileError("hdf5: an attribute shares its type with others, which Keras does not write");
  const [nameSize, typeSize, spaceSize] = [fields.u16(), fields.u16(), fields.u16()];
  if (version === 3) fields.skip(1);
  const padded = (size: number) => {
    const bytes = fields.take(size);
    if (version === 1) fields.skip((8 - (size % 8)) % 8);
    return new Fields(bytes);
  };
  const name = padded(nameSize).text(nameSize);
  const type = readDatatype(padded(typeSize));
  const shape = readDataspace(padded(spaceSize));
  return { name, type, shape, bytes: fields.take(fields.left) };
}
