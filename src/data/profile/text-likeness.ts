/** Texts that are almost the same, found by MinHash (Broder 1997) and locality-sensitive hashing, then compared. */
import { hashText } from "../tables/distinct.ts";
import { nearPairs } from "./near-pairs.ts";
import type { NearDuplicate } from "./profile.ts";

/** Hashes of a text, in bands that have to agree whole: of two texts of similarity s a pair is found with probability 1 - (1 - s⁴)¹⁶. */
const [bands, rowsOfBand] = [16, 4];
const hashes = bands * rowsOfBand;
/** Words of a sequence. */
const shingleWords = 3;
/** Similarity from which two texts are near-duplicates. */
const similar = 0.8;
/** Texts of a bucket that are compared with each other. */
const mostInBucket = 50;

const factors = Array.from({ length: hashes }, (_, i) => (Math.imul(2 * i + 1, 0x9e3779b1) | 1) >>> 0);
const shifts = Array.from({ length: hashes }, (_, i) => Math.imul(i + 1, 0x85ebca6b) >>> 0);

/** Hashes of the sequences of three words of a text; of its own words where it has fewer. */
function shinglesOf(text: string): Set<number> {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const shingles = new Set<number>();
  const most = Math.max(1, words.length - shingleWords + 1);
  for (let i = 0; i < Math.min(most, 2000); i++)
    shingles.add(hashText(words.slice(i, i + shingleWords).join(" ")) >>> 0);
  return shingles;
}

function signatureOf(shingles: ReadonlySet<number>): Uint32Array {
  const signature = new Uint32Array(hashes).fill(0xffffffff);
  for (const shingle of shingles)
    for (let i = 0; i < hashes; i++) {
      const hash = (Math.imul(shingle ^ (shifts[i] as number), factors[i] as number) ^ (shingle >>> 15)) >>> 0;
      if (hash < (signature[i] as number)) signature[i] = hash;
    }
  return signature;
}

/** The share of sequences that two texts have in common (Jaccard). */
function jaccard(a: ReadonlySet<number>, b: ReadonlySet<number>): number {
  let common = 0;
  for (const shingle of a) if (b.has(shingle)) common++;
  return common / (a.size + b.size - common);
}

/** A text with what names it, and its class. */
export interface NamedText {
  readonly name: string;
  readonly text: string;
  readonly label?: string;
}

/** Pairs of texts that are almost the same, the most similar first; texts of fewer than three words are left out. */
export function nearDuplicateTexts(texts: readonly NamedText[]): NearDuplicate[] {
  const known = texts
    .filter(({ text }) => text.trim().split(/\s+/, shingleWords).length === shingleWords)
    .map((item) => ({ ...item, shingles: shinglesOf(item.text) }));
  return nearPairs(known, {
    bucketsOf({ shingles }) {
      const signature = signatureOf(shingles);
      const bandAt = (band: number) => signature.subarray(band * rowsOfBand, (band + 1) * rowsOfBand);
      return Array.from({ length: bands }, (_, band) => `${band}:${bandAt(band).join()}`);
    },
    similarityOf(a, b) {
      const similarity = jaccard(a.shingles, b.shingles);
      return similarity >= similar ? similarity : undefined;
    },
    most: mostInBucket,
  });
}
