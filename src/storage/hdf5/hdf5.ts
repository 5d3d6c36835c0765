/**
 * HDF5 files as h5py writes them by default, read in parts: groups, datasets in one piece, attributes. Chunks, compression and what only
 * the latest format has are refused in a sentence.
 *
 * A reader of our own: of the libraries for JavaScript, jsfive needs the whole file in memory and follows a tree wherever it leads, and
 * h5wasm has 4 MB of code, reads no float16, and ended in "memory access out of bounds" for 94 of 400 damaged files.
 */
import { type ByteSource, requireRange } from "../../core/byte-source.ts";
import { FileError } from "../../core/errors.ts";
import { type Shape, size } from "../../core/shape.ts";
import { damaged, Fields, fieldsAt, textOf } from "./fields.ts";
import { membersOf } from "./links.ts";
import {
  type AttributeMessage,
  type Datatype,
  kinds,
  type Layout,
  type Message,
  messagesAt,
  readAttribute,
  readDataspace,
  readDatatype,
  readLayout,
} from "./messages.ts";

/** How HDF5 files begin. */
export const hdf5Signature = "\u0089HDF\r\n\u001a\n";

/** Texts of an attribute, or its numbers. */
export type AttributeValue = readonly string[] | readonly number[];

/** What groups and datasets have in common. */
interface Hdf5Object {
  /** The value of an attribute; `undefined` when there is none, or it is neither text nor numbers. */
  attribute(name: string): AttributeValue | undefined;
}

export interface Hdf5Group extends Hdf5Object {
  readonly kind: "group";
  /** Names of its members, sorted by the writer. */
  readonly names: readonly string[];
  /** A member; `undefined` when there is none of the name. */
  member(name: string): Hdf5Group | Hdf5Dataset | undefined;
}

export interface Hdf5Dataset extends Hdf5Object {
  readonly kind: "dataset";
  readonly shape: Shape;
  readonly type: Datatype;
  /** Its elements, little-endian, in memory of their own. Throws FileError where they lie beyond the file's end. */
  read(): Uint8Array<ArrayBuffer>;
}

/** The root group of a file. Throws FileError for a file that is cut off, damaged, or of a form that is not read. */
export function openHdf5(file: ByteSource): Hdf5Group {
  const source = metered(file);
  const root = objectAt(source, rootOf(source));
  if (root.kind !== "group") throw new FileError(`hdf5: its root is no group; ${damaged}`);
  return root;
}

/** A file, of which no more is read than its structures can be: those of a damaged one may refer to one another without end. */
function metered(source: ByteSource): ByteSource {
  let left = 2 ** 26 + 16 * source.size;
  return {
    size: source.size,
    read(offset, length) {
      left -= length;
      if (left < 0) throw new FileError(`hdf5: its structures refer to one another again and again; ${damaged}`);
      return source.read(offset, length);
    },
  };
}

function rootOf(source: ByteSource): number {
  if (source.size < 96) throw new FileError(`hdf5: the file has ${source.size} bytes; it is cut off`);
  const fields = fieldsAt(source, 0, 96);
  const mark = String.fromCharCode(...fields.take(8));
  if (mark !== hdf5Signature) throw new FileError("hdf5: the file does not begin as HDF5 files do");
  const version = fields.u8();
  if (version > 3) throw new FileError(`hdf5: the file has version ${version}, expected 0 to 3`);
  if (version < 2) fields.skip(4);
  if (fields.u8() !== 8 || fields.u8() !== 8)
    throw new FileError("hdf5: the file has addresses of other than 8 bytes, which h5py does not write");
  fields.skip(version < 2 ? (version === 1 ? 13 : 9) : 1);
  const base = fields.u64();
  if (base !== 0) throw new FileError("hdf5: the file begins with something else, a user block; cut it off");
  fields.skip(8);
  const end = fields.u64();
  if (end > source.size) throw new FileError(`hdf5: the file has ${source.size} of ${end} bytes; it is cut off`);
  fields.skip(version < 2 ? 16 : 0);
  return fields.u64();
}

function objectAt(source: ByteSource, place: number): Hdf5Group | Hdf5Dataset {
  const messages = messagesAt(source, place);
  const find = (kind: number) => messages.find((message) => message.kind === kind)?.fields();
  const own: Hdf5Object = { attribute: (name) => attributeOf(source, messages, name) };
  const [type, space, layout] = [find(kinds.datatype), find(kinds.dataspace), find(kinds.layout)];
  if (type && space && layout) {
    const [datatype, shape] = [readDatatype(type), readDataspace(space)];
    return {
      ...own,
      kind: "dataset",
      shape,
      type: datatype,
      read: () => elementsOf(source, datatype, shape, readLayout(layout)),
    };
  }
  const members = membersOf(source, messages);
  return {
    ...own,
    kind: "group",
    names: [...members.keys()],
    member: (name) => {
      const at = members.get(name);
      return at === undefined ? undefined : objectAt(source, at);
    },
  };
}

function elementsOf(source: ByteSource, type: Datatype, shape: Shape, layout: Layout): Uint8Array<ArrayBuffer> {
  const length = size(shape) * type.bytes;
  if (layout && "place" in layout) requireRange(source, layout.place, length, "hdf5: a dataset");
  else if (length > (layout?.inline.length ?? 0))
    throw new FileError(`hdf5: a dataset of ${length} bytes has ${layout?.inline.length ?? 0}; ${damaged}`);
  const stored = layout && ("place" in layout ? source.read(layout.place, length) : layout.inline.subarray(0, length));
  const bytes = new Uint8Array(stored ?? []);
  if (type.isBigEndian)
    for (let at = 0; at < bytes.length; at += type.bytes) bytes.subarray(at, at + type.bytes).reverse();
  return bytes;
}

function attributeOf(source: ByteSource, messages: readonly Message[], name: string): AttributeValue | undefined {
  for (const { kind, fields } of messages) {
    if (kind === kinds.attributeInfo) requireCompactAttributes(fields());
    if (kind !== kinds.attribute) continue;
    const attribute = readAttribute(fields());
    if (attribute.name === name) return attributeValue(source, attribute);
  }
  return undefined;
}

function requireCompactAttributes(fields: Fields): void {
  fields.skip(1);
  if (fields.u8() & 1) fields.skip(2);
  if (fields.address() !== undefined)
    throw new FileError(
      "hdf5: an object keeps its attributes in a heap, which Keras does not write; rewrite it: h5repack",
    );
}

function attributeValue(source: ByteSource, { type, shape, bytes }: AttributeMessage): AttributeValue | undefined {
  const count = size(shape);
  if (count * type.bytes > bytes.length)
    throw new FileError(`hdf5: an attribute of ${count * type.bytes} bytes has ${bytes.length}; ${damaged}`);
  // Elements without a size have nothing to say, however many there are.
  if (type.bytes === 0) return undefined;
  const elements = Array.from({ length: count }, (_, i) => bytes.subarray(i * type.bytes, (i + 1) * type.bytes));
  if (type.name === "text") return elements.map(textOf);
  if (type.name === "reference") return elements.map((element) => referredText(source, new Fields(element)));
  if (/^u?int/.test(type.name) && !type.isBigEndian && type.bytes <= 4)
    return elements.map((element) => new Fields(element).uint(type.bytes));
  return undefined;
}

/** Text in a heap that objects share, by its place and its number there. */
function referredText(source: ByteSource, reference: Fields): string {
  const length = reference.u32();
  const place = reference.u64();
  const wanted = reference.u32();
  if (length === 0) return "";
  const head = fieldsAt(source, place, 16);
  head.expect("GCOL");
  head.skip(4);
  const heap = fieldsAt(source, place, head.u64());
  heap.skip(16);
  while (heap.left >= 16) {
    const index = heap.u16();
    heap.skip(6);
    const bytes = heap.u64();
    if (index === 0) break;
    if (index === wanted) return textOf(heap.take(bytes).subarray(0, length));
    heap.skip(bytes);
    heap.align();
  }
  throw new FileError(`hdf5: a text is not in the heap that should hold it; ${damaged}`);
}
