/** Which parameters of a shard each rank updates, where each remembers its own part alone (ZeRO, stage 1: Rajbhandari et al. 2020, sec. 5.1). */
import type { Communicator, Range } from "../../distributed/communicator.ts";
import type { Shard, Slot } from "./shard.ts";

/** Elements at which the parts of ranks begin, and the end of the last: whole parameters, as equal in length as these allow. */
export function boundsOf({ slots, length }: Pick<Shard, "slots" | "length">, ranks: number): readonly number[] {
  const begins = [...slots.map(({ offset }) => offset), length];
  const nearest = (place: number) =>
    begins.reduce((best, own) => (Math.abs(own - place) < Math.abs(best - place) ? own : best), 0);
  return Array.from({ length: ranks + 1 }, (_, rank) => (rank === ranks ? length : nearest((rank * length) / ranks)));
}

/** What a rank has of a shard that is parted so. */
export const partOf = (bounds: readonly number[], rank: number): Range => {
  const [start = 0, end = start] = bounds.slice(rank, rank + 2);
  return { start, end };
};

/** The parameters between two elements. */
export const slotsWithin = (slots: readonly Slot[], start: number, end: number): readonly Slot[] =>
  slots.filter(({ offset }) => offset >= start && offset < end);

/** Makes a vector whole on every rank, of which each has its part. */
export async function shareVector(
  communicator: Communicator,
  shard: Shard,
  name: string,
  bounds: readonly number[],
): Promise<void> {
  await shard.fetch(name);
  await communicator.share(shard.vector(name), bounds);
  shard.written(name);
}
