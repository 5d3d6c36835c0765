/** Images that are almost the same, by the differences of brightness between 9 by 8 parts (dHash, Krawetz 2013). */
import { nearPairs } from "./near-pairs.ts";
import type { NearDuplicate } from "./profile.ts";

/** Columns and rows of the small image that is hashed. */
export const hashExtents = { width: 9, height: 8 } as const;
/** Bits that may differ: four parts of 16 bits then agree in one at least, by which pairs are found. */
const mostDifferent = 3;
/** Images of a bucket that are compared with each other. */
const mostInBucket = 200;

/** 64 bits as four numbers of 16: whether each part is brighter than its right neighbour. @param grey 9 by 8 bytes */
export function differenceHash(grey: Uint8Array): Uint16Array {
  const hash = new Uint16Array(4);
  for (let y = 0, bit = 0; y < hashExtents.height; y++)
    for (let x = 0; x < hashExtents.width - 1; x++, bit++) {
      const at = y * hashExtents.width + x;
      if ((grey[at] as number) > (grey[at + 1] as number))
        hash[bit >> 4] = (hash[bit >> 4] as number) | (1 << (bit & 15));
    }
  return hash;
}

function ones(value: number): number {
  let count = 0;
  for (let rest = value; rest !== 0; rest &= rest - 1) count++;
  return count;
}

/** An image's hash, with what names it, and its class. */
export interface HashedImage {
  readonly name: string;
  readonly label: string;
  readonly hash: Uint16Array;
}

/** Pairs of images whose hashes differ in three bits at most; images without any edge are left out. */
export function nearDuplicateImages(images: readonly HashedImage[]): NearDuplicate[] {
  const known = images.filter(({ hash }) => hash.reduce((sum, part) => sum + ones(part), 0) > 4);
  return nearPairs(known, {
    bucketsOf: ({ hash }) => Array.from(hash, (part, i) => `${i}:${part}`),
    similarityOf(a, b) {
      const different = a.hash.reduce((sum, part, i) => sum + ones(part ^ (b.hash[i] as number)), 0);
      return different <= mostDifferent ? 1 - different / 64 : undefined;
    },
    most: mostInBucket,
  });
}
