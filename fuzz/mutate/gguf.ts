/** Changes of the header of a GGUF file, entry by entry; tensors begin at the next multiple of 32 bytes again. */
import type { Random } from "../../src/core/random.ts";
import { changedBytes, pick, wholeNumbers } from "./bytes.ts";

/** Bytes of numbers by their code; texts (8) and lists (9) say their own lengths. */
const widths: Readonly<Record<number, number>> = {
  0: 1,
  1: 1,
  2: 2,
  3: 2,
  4: 4,
  5: 4,
  6: 4,
  7: 1,
  10: 8,
  11: 8,
  12: 8,
};
const [textCode, listCode] = [8, 9];
const headBytes = 24;
const alignment = 32;

const u32 = (bytes: Uint8Array, at: number): number => new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
const u64 = (bytes: Uint8Array, at: number): number =>
  Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(at, true));

const textEnd = (bytes: Uint8Array, at: number): number => at + 8 + u64(bytes, at);

function valueEnd(bytes: Uint8Array, code: number, at: number): number {
  if (code === textCode) return textEnd(bytes, at);
  if (code !== listCode) return at + (widths[code] ?? 1);
  const [inner, count] = [u32(bytes, at), u64(bytes, at + 4)];
  let end = at + 12;
  for (let i = 0; i < count; i++) {
    // A change before this one may have written any number here.
    if (end > bytes.length) throw new Error("the list goes on behind the file");
    end = valueEnd(bytes, inner, end);
  }
  return end;
}

interface Parts {
  readonly metadata: Uint8Array[];
  readonly tensors: Uint8Array[];
  readonly data: Uint8Array;
}

/** The entries of the metadata, those of the tensors, and what follows. */
function partsOf(bytes: Uint8Array): Parts {
  let at = headBytes;
  const entriesOf = (count: number, end: (at: number) => number) =>
    Array.from({ length: count }, () => {
      const begin = at;
      if (at > bytes.length) throw new Error("the entries go on behind the file");
      at = end(at);
      return bytes.slice(begin, at);
    });
  const tensorCount = u64(bytes, 8);
  const metadata = entriesOf(u64(bytes, 16), (begin) => {
    const key = textEnd(bytes, begin);
    return valueEnd(bytes, u32(bytes, key), key + 4);
  });
  const tensors = entriesOf(tensorCount, (begin) => {
    const name = textEnd(bytes, begin);
    return name + 4 + 8 * u32(bytes, name) + 12;
  });
  return { metadata, tensors, data: bytes.slice(Math.ceil(at / alignment) * alignment) };
}

/** An entry with a number in it overwritten, or its value of another type. */
function changedEntry(entry: Uint8Array, random: Random): Uint8Array {
  const key = textEnd(entry, 0);
  const copy = entry.slice();
  const view = new DataView(copy.buffer);
  const kind = random.integer(4);
  if (kind === 0) return changedBytes(entry, random, [entry]);
  if (kind === 1 && copy.length >= key + 4) view.setUint32(key, random.integer(14), true);
  else if (kind === 2 && copy.length >= key + 8)
    view.setUint32(copy.length - 4, pick(random, wholeNumbers) >>> 0, true);
  else if (copy.length >= key + 12)
    view.setBigUint64(key + 4, BigInt.asUintN(64, BigInt(pick(random, wholeNumbers))), true);
  return copy;
}

/** A file with one to three entries changed, taken out or repeated. */
export function ggufHeader(bytes: Uint8Array, random: Random): Uint8Array {
  const { metadata, tensors, data }: Parts = partsOf(bytes);
  const counted = random.integer(10) > 0;
  const [entryCount, tensorCount] = [metadata.length, tensors.length];
  for (let i = 1 + random.integer(3); i > 0; i--) {
    const list = pick(random, [metadata, tensors]);
    const at = random.integer(list.length);
    const entry = list[at];
    const kind = random.integer(6);
    if (!entry) continue;
    if (kind === 0) list.splice(at, 1);
    else if (kind === 1) list.splice(at, 0, entry);
    else list[at] = changedEntry(entry, random);
  }
  const head = bytes.slice(0, headBytes);
  const view = new DataView(head.buffer);
  view.setBigUint64(8, BigInt(counted ? tensors.length : tensorCount), true);
  view.setBigUint64(16, BigInt(counted ? metadata.length : entryCount), true);
  const header = new Uint8Array(Buffer.concat([head, ...metadata, ...tensors] as readonly Uint8Array[]));
  const padding = new Uint8Array((alignment - (header.length % alignment)) % alignment);
  return new Uint8Array(Buffer.concat([header, padding, data]));
}
