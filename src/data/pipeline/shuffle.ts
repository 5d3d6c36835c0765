/** Orders drawn at random: a full permutation where elements can be had in any order, a buffer over a stream; bootstrap samples. */
import { DataError } from "../../core/errors.ts";
import { foldIn, type Key, Random } from "../../core/random.ts";
import { reorderSource } from "./combine.ts";
import { isIndexed, type Source, whyUnnumbered } from "./source.ts";

/** Keeps the result for the latest epoch: an epoch asks for its order once a batch. */
function latestEpoch<R>(compute: (epoch: number) => R): (epoch: number) => R {
  let latest: { readonly epoch: number; readonly result: R } | undefined;
  return (epoch) => {
    if (latest?.epoch !== epoch) latest = { epoch, result: compute(epoch) };
    return latest.result;
  };
}

/**
 * The elements in an order drawn from key and epoch. A stream is shuffled through a buffer of `buffer` elements: each
 * element leaves from a random place of the buffer, whose place the next one takes.
 */
export function shuffleSource<T>(source: Source<T>, key: Key, buffer: number): Source<T> {
  const randomOf = (epoch: number) => new Random(foldIn(key, "shuffle", epoch));
  if (isIndexed(source)) {
    const { length } = source;
    return reorderSource(
      source,
      length,
      latestEpoch((epoch) => randomOf(epoch).permutation(length)),
    );
  }
  return {
    length: source.length,
    fresh: source.fresh ?? false,
    samples: whyUnnumbered(source),
    async *epoch(epoch, skip) {
      let position = 0;
      for await (const element of throughBuffer(source.epoch(epoch, 0), randomOf(epoch), buffer))
        if (position++ >= skip) yield element;
    },
  };
}

async function* throughBuffer<T>(elements: AsyncIterable<T>, random: Random, size: number): AsyncGenerator<T> {
  const waiting: T[] = [];
  for await (const element of elements) {
    if (waiting.length < size) {
      waiting.push(element);
      continue;
    }
    const place = random.integer(size);
    const leaving = waiting[place] as T;
    waiting[place] = element;
    yield leaving;
  }
  for (const place of random.permutation(waiting.length)) yield waiting[place] as T;
}

/** As many elements, drawn with replacement by `key`: the same sample in every epoch. Throws DataError for a stream. */
export function bootstrapSource<T>(source: Source<T>, key: Key): Source<T> {
  if (!isIndexed(source))
    throw new DataError("bootstrap(): the dataset is a stream; load it into memory, so that any element can be had");
  const random = new Random(foldIn(key, "bootstrap"));
  const drawn = Uint32Array.from({ length: source.length }, () => random.integer(source.length));
  return reorderSource(source, source.length, () => drawn);
}
