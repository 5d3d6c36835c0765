/** Changes of bytes that know nothing of their form. */
import type { Random } from "../../src/core/random.ts";
import { flipBit } from "../../src/storage/testing/damage.ts";

/** One of a list. */
export const pick = <T>(random: Random, list: readonly T[]): T => list[random.integer(list.length)] as T;

/** Numbers around which lengths, offsets and counts go wrong. */
export const wholeNumbers: readonly number[] = [
  0,
  1,
  2,
  3,
  7,
  8,
  15,
  16,
  31,
  32,
  63,
  64,
  100,
  127,
  128,
  255,
  256,
  1000,
  4095,
  4096,
  32767,
  32768,
  65535,
  65536,
  16777215,
  16777216,
  100_000_000,
  2 ** 30,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 53 - 1,
  2 ** 53,
  2 ** 62,
  2 ** 63 - 1024,
  -1,
  -2,
  -128,
  -129,
  -32768,
  -(2 ** 31),
  -(2 ** 53),
  -(2 ** 63),
];

/** A change of bytes; `others` are inputs of the same kind, parts of which may be taken. */
type ByteChange = (bytes: Uint8Array, random: Random, others: readonly Uint8Array[]) => Uint8Array;

/** A place, half of the time near the begin or the end, where headers and directories stand. */
function placeIn(length: number, random: Random): number {
  const near = Math.min(length, 256);
  const kind = random.integer(4);
  if (kind === 0) return random.integer(near);
  return kind === 1 ? length - 1 - random.integer(near) : random.integer(length);
}

/** A short length, seldom a longer one. */
const spanIn = (length: number, random: Random): number =>
  Math.min(length, 1 + random.integer(random.integer(8) === 0 ? Math.max(1, length) : 16));

function replaced(bytes: Uint8Array, start: number, end: number, by: Uint8Array): Uint8Array {
  const result = new Uint8Array(bytes.length - (end - start) + by.length);
  result.set(bytes.subarray(0, start));
  result.set(by, start);
  result.set(bytes.subarray(end), start + by.length);
  return result;
}

const noise = (length: number, random: Random): Uint8Array => Uint8Array.from({ length }, () => random.integer(256));

/** A number of 1, 2, 4 or 8 bytes in either order. */
function numberBytes(random: Random): Uint8Array {
  const width = pick(random, [1, 2, 4, 8]);
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, BigInt(pick(random, wholeNumbers))), true);
  const own = bytes.slice(0, width);
  return random.integer(3) === 0 ? own.reverse() : own;
}

function overwritten(bytes: Uint8Array, at: number, by: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  copy.set(by.subarray(0, Math.max(0, copy.length - at)), at);
  return copy;
}

const changes: readonly ByteChange[] = [
  (bytes, random) => flipBit(bytes, 8 * placeIn(bytes.length, random) + random.integer(8)),
  (bytes, random) => overwritten(bytes, placeIn(bytes.length, random), noise(spanIn(16, random), random)),
  (bytes, random) => overwritten(bytes, placeIn(bytes.length, random), numberBytes(random)),
  (bytes, random) => overwritten(bytes, placeIn(bytes.length, random), numberBytes(random)),
  (bytes, random) => bytes.slice(0, random.integer(bytes.length)),
  (bytes, random) => {
    const at = placeIn(bytes.length, random);
    return replaced(bytes, at, at + spanIn(bytes.length - at, random), new Uint8Array(0));
  },
  (bytes, random) => {
    const at = placeIn(bytes.length, random);
    return replaced(bytes, at, at, noise(spanIn(64, random), random));
  },
  // A part twice, or at another place.
  (bytes, random) => {
    const from = placeIn(bytes.length, random);
    const part = bytes.slice(from, from + spanIn(bytes.length - from, random));
    const at = placeIn(bytes.length, random);
    return random.integer(2) === 0 ? replaced(bytes, at, at, part) : overwritten(bytes, at, part);
  },
  // The begin of one with the end of another.
  (bytes, random, others) => {
    const other = pick(random, others);
    const at = random.integer(bytes.length);
    return replaced(bytes, at, bytes.length, other.slice(random.integer(other.length + 1)));
  },
  (bytes, random) => {
    const at = placeIn(bytes.length, random);
    return overwritten(
      bytes,
      at,
      new Uint8Array(spanIn(bytes.length - at, random)).fill(pick(random, [0, 0x20, 0xff])),
    );
  },
];

/** Bytes with one to four changes. */
export function changedBytes(bytes: Uint8Array, random: Random, others: readonly Uint8Array[]): Uint8Array {
  let result = bytes;
  for (let i = 1 + random.integer(4); i > 0; i--)
    result = result.length === 0 ? noise(spanIn(64, random), random) : pick(random, changes)(result, random, others);
  return result;
}
