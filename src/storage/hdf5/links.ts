/** The members of an HDF5 group by name: in a tree of tables, as older writers keep them, or as messages of the group itself. */
import type { ByteSource } from "../../core/byte-source.ts";
import { FileError } from "../../core/errors.ts";
import { damaged, type Fields, fieldsAt, textOf } from "./fields.ts";
import { kinds, type Message } from "./messages.ts";

/** A group of Keras's has as many members as a model has layers. */
const maxMembers = 1 << 16;

/** Where each member's header lies, by name. Links to other places, which Keras does not write, are passed over. */
export function membersOf(source: ByteSource, messages: readonly Message[]): ReadonlyMap<string, number> {
  const members = new Map<string, number>();
  const put = (name: string, place: number) => {
    members.set(name, place);
    if (members.size > maxMembers) throw new FileError(`hdf5: a group has more than ${maxMembers} members; ${damaged}`);
  };
  for (const { kind, fields } of messages) {
    if (kind === kinds.link) readLink(fields(), put);
    if (kind === kinds.symbolTable) readSymbols(source, fields(), put);
    if (kind === kinds.linkInfo) requireCompact(fields());
  }
  return members;
}

type Put = (name: string, place: number) => void;

function readLink(fields: Fields, put: Put): void {
  fields.skip(1);
  const flags = fields.u8();
  const type = flags & 8 ? fields.u8() : 0;
  if (flags & 4) fields.skip(8);
  if (flags & 16) fields.skip(1);
  const name = fields.text(fields.uint(1 << (flags & 3)));
  if (type === 0) put(name, fields.u64());
}

/** Many links are kept in a heap of their own by writers that are told to use the latest format. */
function requireCompact(fields: Fields): void {
  fields.skip(1);
  if (fields.u8() & 1) fields.skip(8);
  if (fields.address() !== undefined)
    throw new FileError("hdf5: a group keeps its members in a heap, which Keras does not write; rewrite it: h5repack");
}

function readSymbols(source: ByteSource, fields: Fields, put: Put): void {
  const [tree, heap] = [fields.u64(), fields.u64()];
  const names = namesIn(source, heap);
  const seen = new Set<number>();
  const visit = (place: number, depth: number) => {
    // Nodes of a tree have one parent each; what leads back would never end.
    if (seen.has(place) || depth > 64) throw new FileError(`hdf5: the tree of a group's members is none; ${damaged}`);
    seen.add(place);
    const mark = fieldsAt(source, place, 4).text(4);
    if (mark === "SNOD") readTable(source, place, names, put);
    else for (const child of childrenOf(source, place)) visit(child, depth + 1);
  };
  visit(tree, 0);
}

function namesIn(source: ByteSource, place: number): Uint8Array {
  const fields = fieldsAt(source, place, 32);
  fields.expect("HEAP");
  fields.skip(4);
  const length = fields.u64();
  fields.skip(8);
  return fieldsAt(source, fields.u64(), length).bytes;
}

function childrenOf(source: ByteSource, place: number): readonly number[] {
  const head = fieldsAt(source, place, 24);
  head.expect("TREE");
  head.skip(2);
  const count = head.u16();
  const fields = fieldsAt(source, place + 24, 16 * count);
  return Array.from({ length: count }, () => {
    fields.skip(8);
    return fields.u64();
  });
}

function readTable(source: ByteSource, place: number, names: Uint8Array, put: Put): void {
  const head = fieldsAt(source, place, 8);
  head.expect("SNOD");
  head.skip(2);
  const count = head.u16();
  const fields = fieldsAt(source, place + 8, 40 * count);
  for (let i = 0; i < count; i++) {
    const name = fields.u64();
    const header = fields.address();
    const cache = fields.u32();
    fields.skip(20);
    if (name >= names.length) throw new FileError(`hdf5: the name of a member lies outside of its heap; ${damaged}`);
    if (header !== undefined && cache !== 2) put(textOf(names.subarray(name)), header);
  }
}
