/** A number that tells samples apart. */
import type { Batch } from "../../data/pipeline/dataset.ts";

/** 53 bits of the tensors of one sample of a batch, by multiplications and shifts of 32 bits (after cyrb53, public domain). */
export function hashOf(batch: Batch, sample: number, count: number): number {
  let [a, b] = [0xdeadbeef, 0x41c6ce57];
  const mix = (word: number) => {
    a = Math.imul(a ^ word, 2654435761);
    b = Math.imul(b ^ word, 1597334677);
  };
  for (const { data } of Object.values(batch)) {
    const bytes = data.byteLength / count;
    const start = data.byteOffset + sample * bytes;
    const isAligned = start % 4 === 0 && bytes % 4 === 0;
    for (const word of isAligned
      ? new Int32Array(data.buffer, start, bytes / 4)
      : new Uint8Array(data.buffer, start, bytes)) {
      mix(word);
      // Without it high bits never reach low ones.
      a ^= a >>> 15;
      b ^= b >>> 13;
    }
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return 4294967296 * (2097151 & b) + (a >>> 0);
}
