/** Gradients in buckets that ranks exchange one after the other, while others are still computed. */
import type { Shard } from "./shard.ts";

/** Whole parameters of a shard that lie side by side. */
export interface Bucket {
  readonly shard: Shard;
  /** Their first element, and the end of the last. */
  readonly start: number;
  readonly end: number;
  /** Their places among the parameters of all shards. */
  readonly places: readonly number[];
}

/**
 * The parameters of shards in about so many buckets of like length. What lies last comes first: the gradients of a network's last layers are known
 * before those of its first.
 */
export function bucketsOf(shards: readonly Shard[], count: number): readonly Bucket[] {
  const most = shards.reduce((sum, { length }) => sum + length, 0) / count;
  let before = 0;
  const buckets = shards.flatMap((shard): Bucket[] => {
    const own: Bucket[] = [];
    let end = shard.length;
    let places: number[] = [];
    for (const [i, { offset }] of [...shard.slots.entries()].reverse()) {
      places.push(before + i);
      if (end - offset < most && i > 0) continue;
      own.push({ shard, start: offset, end, places });
      end = offset;
      places = [];
    }
    before += shard.slots.length;
    return own;
  });
  const depthOf = ({ shard, end }: Bucket) => end / shard.length;
  return buckets.sort((a, b) => depthOf(b) - depthOf(a));
}
