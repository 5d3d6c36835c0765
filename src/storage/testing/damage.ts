/** Damaged files for tests of readers: cut off and bit-flipped; a reader may refuse them, but only with its own errors. */
import fc from "fast-check";
import { faultOf } from "./refusals.ts";

/** `bytes` with one bit inverted. */
export function flipBit(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = bytes.slice();
  copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7));
  return copy;
}

async function refusesOrReads(read: (bytes: Uint8Array) => unknown, bytes: Uint8Array): Promise<Error | undefined> {
  try {
    await read(bytes);
    return undefined;
  } catch (error) {
    if (faultOf(error) === undefined) return error as Error;
    throw error;
  }
}

/**
 * Reads many damaged copies of a file. Every cut must be refused with a SardonyxError in one sentence; a flipped bit may go unseen (in a
 * pixel, say), but nothing else than a SardonyxError may be thrown. `headerBits` limits the flips to the first bits.
 */
export async function checkDamage(
  bytes: Uint8Array,
  read: (bytes: Uint8Array) => unknown,
  headerBits = bytes.length * 8,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.nat(bytes.length - 1), async (length) => {
      const error = await refusesOrReads(read, bytes.slice(0, length));
      if (error === undefined)
        throw new Error(`the first ${length} of ${bytes.length} bytes were read without an error`);
    }),
    { numRuns: 40 },
  );
  await fc.assert(
    fc.asyncProperty(fc.nat(headerBits - 1), async (bit) => {
      await refusesOrReads(read, flipBit(bytes, bit));
    }),
    { numRuns: 60 },
  );
}
