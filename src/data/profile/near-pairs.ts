/** Near-duplicates among many things: what shares a bucket is compared, each pair once. */
import { appendTo } from "../../core/lists.ts";
import type { NearDuplicate } from "./profile.ts";

/** What pairs are sought among. */
export interface Named {
  readonly name: string;
  /** Its class, if it has one. */
  readonly label?: string;
}

/** How pairs are found. */
export interface PairRules<T> {
  /** The buckets of a thing. */
  bucketsOf(item: T): readonly string[];
  /** How alike two things of a bucket are, from 0 to 1; `undefined` where they are no near-duplicates. */
  similarityOf(a: T, b: T): number | undefined;
  /** Things of a bucket that are compared with each other. */
  readonly most: number;
}

/** Pairs that are near-duplicates, the most similar first, and whether their classes differ. */
export function nearPairs<T extends Named>(
  items: readonly T[],
  { bucketsOf, similarityOf, most }: PairRules<T>,
): NearDuplicate[] {
  const buckets = new Map<string, number[]>();
  for (const [at, item] of items.entries())
    for (const key of bucketsOf(item)) if ((buckets.get(key)?.length ?? 0) < most) appendTo(buckets, key, at);
  const seen = new Set<number>();
  const pairs: NearDuplicate[] = [];
  for (const bucket of buckets.values())
    for (const [i, first] of bucket.entries())
      for (const second of bucket.slice(i + 1)) {
        const pair = first * items.length + second;
        if (seen.has(pair)) continue;
        seen.add(pair);
        const [a, b] = [items[first] as T, items[second] as T];
        const similarity = similarityOf(a, b);
        if (similarity === undefined) continue;
        const conflicting = a.label !== undefined && a.label !== b.label;
        pairs.push({ items: [a.name, b.name], similarity, ...(conflicting && { conflicting }) });
      }
  return pairs.sort((a, b) => b.similarity - a.similarity || (a.items[0] < b.items[0] ? -1 : 1));
}
