/** Sources made from sources: mapped, filtered, sliced, joined, cached and read ahead. */
import { DataError } from "../../core/errors.ts";
import { foldIn, type Key, Random } from "../../core/random.ts";
import { isRowwise } from "./rowwise.ts";
import {
  drawableOf,
  eachItself,
  emptyError,
  type IndexedSource,
  indexedSource,
  isIndexed,
  onlyOf,
  type Samples,
  type Source,
  samplesAt,
  unnumbered,
  whyUnnumbered,
} from "./source.ts";

/** Each element changed by `change`; its Random depends on key, epoch and position only. */
export function mapSource<T, U>(
  source: Source<T>,
  change: (element: T, random: Random) => U | Promise<U>,
  key: Key,
): Source<U> {
  const randomAt = (epoch: number, index: number) => new Random(foldIn(key, epoch, index));
  const fresh = source.fresh ?? false;
  // A function that takes the element alone cannot draw from what it is given.
  // A function that looks at a batch as a whole is given a whole one.
  const others = {
    ...(isRowwise(change) && onlyOf(source, (own) => mapSource(own, change, key))),
    ...drawableOf(source, (own) => mapSource(own, change, key)),
  };
  const samples = change.length < 2 ? (source.samples ?? unnumbered) : "a map draws random numbers in each epoch";
  if (isIndexed(source))
    return indexedSource(
      source.length,
      (index, epoch) => {
        const element = source.at(index, epoch);
        const random = randomAt(epoch, index);
        return element instanceof Promise ? element.then((ready) => change(ready, random)) : change(element, random);
      },
      { fresh, samples, ...others },
    );
  return {
    length: source.length,
    fresh,
    samples: whyUnnumbered(source),
    ...others,
    async *epoch(epoch, skip) {
      let index = skip;
      for await (const element of source.epoch(epoch, skip)) yield await change(element, randomAt(epoch, index++));
    },
  };
}

/** The elements that `keep` accepts. Their number is not known ahead. */
export function filterSource<T>(source: Source<T>, keep: (element: T) => boolean | Promise<boolean>): Source<T> {
  return {
    length: undefined,
    fresh: source.fresh ?? false,
    samples: "a filter leaves out samples, and the others have no numbers",
    async *epoch(epoch, skip) {
      let kept = 0;
      for await (const element of source.epoch(epoch, 0)) if ((await keep(element)) && kept++ >= skip) yield element;
      if (kept === 0) throw emptyError("filter()", "no element was kept");
    },
  };
}

/** The elements at the places that `orderOf` lists for an epoch. */
export function reorderSource<T>(
  source: IndexedSource<T>,
  length: number,
  orderOf: (epoch: number) => Uint32Array,
): IndexedSource<T> {
  const { gather, fresh = false } = source;
  return indexedSource(length, (index, epoch) => source.at(orderOf(epoch)[index] as number, epoch), {
    fresh,
    samples: samplesAt(source, (index, epoch) => orderOf(epoch)[index] as number),
    ...(gather && {
      gather: (indices, epoch) => {
        const order = orderOf(epoch);
        return gather(
          indices.map((index) => order[index] as number),
          epoch,
        );
      },
    }),
  });
}

/** Elements `start` to `end` (not included; undefined is the source's own end). */
export function sliceSource<T>(source: Source<T>, start: number, end: number | undefined): Source<T> {
  const limit = Math.min(end ?? Number.POSITIVE_INFINITY, source.length ?? Number.POSITIVE_INFINITY);
  const length = limit - start;
  const fresh = source.fresh ?? false;
  const only = onlyOf(source, (own) => sliceSource(own, start, end));
  if (isIndexed(source)) {
    const { gather } = source;
    return indexedSource(length, (index, epoch) => source.at(start + index, epoch), {
      fresh,
      samples: samplesAt(source, (index) => start + index),
      ...only,
      ...(gather && {
        gather: (indices, epoch) =>
          gather(
            indices.map((index) => start + index),
            epoch,
          ),
      }),
    });
  }
  return {
    length: source.length === undefined ? undefined : length,
    fresh,
    ...only,
    async *epoch(epoch, skip) {
      let remaining = length - skip;
      if (remaining <= 0) return;
      for await (const element of source.epoch(epoch, start + skip)) {
        yield element;
        if (--remaining <= 0) return;
      }
    },
  };
}

function samplesOfBoth<T>(first: IndexedSource<T>, second: IndexedSource<T>): Samples | string {
  const [a, b] = [first.samples ?? unnumbered, second.samples ?? unnumbered];
  if (typeof a === "string" || typeof b === "string") return typeof a === "string" ? a : (b as string);
  return {
    bound: a.bound + b.bound,
    of: (index, epoch) =>
      index < first.length ? a.of(index, epoch) : b.of(index - first.length, epoch).map((own) => own + a.bound),
  };
}

/** The elements of `first`, then those of `second`. */
export function concatSources<T>(first: Source<T>, second: Source<T>): Source<T> {
  const fresh = (first.fresh ?? false) && (second.fresh ?? false);
  if (isIndexed(first) && isIndexed(second)) {
    const border = first.length;
    return indexedSource(
      border + second.length,
      (index, epoch) => (index < border ? first.at(index, epoch) : second.at(index - border, epoch)),
      { fresh, samples: samplesOfBoth(first, second) },
    );
  }
  return {
    length: first.length === undefined || second.length === undefined ? undefined : first.length + second.length,
    fresh,
    async *epoch(epoch, skip) {
      let position = first.length === undefined ? 0 : Math.min(skip, first.length);
      if (first.length === undefined || skip < first.length)
        for await (const element of first.epoch(epoch, position)) if (position++ >= skip) yield element;
      yield* second.epoch(epoch, Math.max(0, skip - position));
    },
  };
}

/** The elements of epoch 0, made once and kept in memory, in every epoch. */
export function cacheSource<T>(source: Source<T>): Source<T> {
  if (isIndexed(source)) {
    const { at, gather } = source;
    // Whatever an element was drawn from: it is that of epoch 0 from then on.
    const samples = eachItself(source.length);
    if (gather)
      return indexedSource(source.length, (i) => at(i, 0), { samples, gather: (indices) => gather(indices, 0) });
    const kept = new Map<number, T | Promise<T>>();
    return indexedSource(
      source.length,
      (index) => {
        const element = kept.get(index) ?? at(index, 0);
        kept.set(index, element);
        return element;
      },
      { samples },
    );
  }
  const kept: Promise<IteratorResult<T>>[] = [];
  let iterator: AsyncIterator<T> | undefined;
  return {
    length: source.length,
    async *epoch(_, skip) {
      iterator ??= source.epoch(0, 0)[Symbol.asyncIterator]();
      for (let i = 0; ; i++) {
        kept[i] ??= iterator.next();
        const result = await kept[i];
        if (result?.done !== false) return;
        if (i >= skip) yield result.value;
      }
    },
  };
}

/** The same elements, up to `count` of them begun before they are asked for. */
export function prefetchSource<T>(source: Source<T>, count: number): Source<T> {
  return {
    length: source.length,
    fresh: source.fresh ?? false,
    ...(source.at && { ahead: source }),
    ...onlyOf(source, (own) => prefetchSource(own, count)),
    ...drawableOf(source, (own) => prefetchSource(own, count)),
    samples: source.samples ?? unnumbered,
    async *epoch(epoch, skip) {
      const begun: Promise<IteratorResult<T>>[] = [];
      const iterator = isIndexed(source)
        ? concurrentIterator(source, epoch, skip)
        : source.epoch(epoch, skip)[Symbol.asyncIterator]();
      const begin = () => {
        const next = iterator.next();
        next.catch(() => undefined); // reported when its turn comes
        begun.push(next);
      };
      try {
        for (;;) {
          while (begun.length <= count) begin();
          const result = await (begun.shift() as Promise<IteratorResult<T>>);
          if (result.done) return;
          yield result.value;
        }
      } finally {
        await iterator.return?.();
      }
    },
  };
}

/** Elements of an indexed source whose making overlaps: `next()` does not wait for the one before. */
function concurrentIterator<T>(source: IndexedSource<T>, epoch: number, skip: number): AsyncIterator<T> {
  let index = skip;
  return {
    async next() {
      if (index >= source.length) return { done: true, value: undefined };
      return { done: false, value: await source.at(index++, epoch) };
    },
  };
}

/** The elements at some places. Throws DataError for a stream and for a place that is none. */
export function selectSource<T>(source: Source<T>, places: Uint32Array): Source<T> {
  const { length } = source;
  if (!isIndexed(source) || length === undefined)
    throw new DataError("select(): the elements of a stream have no numbers; load it into memory");
  if (places.length === 0) throw emptyError("select()", "no place is given");
  const stray = places.find((place) => place >= length);
  if (stray !== undefined)
    throw new DataError(`select(): the dataset has no element ${stray}; it has ${length}, numbered from 0`);
  return reorderSource(source, places.length, () => places);
}

/** Two disjoint parts of an indexed source (any order) or of a stream of known length (first and rest). */
export function splitSource<T>(source: Source<T>, fraction: number, key: Key | undefined): [Source<T>, Source<T>] {
  const { length } = source;
  if (length === undefined)
    throw new DataError("split(): the dataset's length is not known; use take(n) and skip(n), or load it into memory");
  const border = Math.round(length * fraction);
  if (border <= 0 || border >= length)
    throw new DataError(
      `split(${fraction}): ${length} elements make parts of ${border} and ${length - border}, expected at least one in ` +
        "each; pass a fraction nearer to 0.5 or more data",
    );
  if (key === undefined) return [sliceSource(source, 0, border), sliceSource(source, border, undefined)];
  if (!isIndexed(source))
    throw new DataError("split(): a stream cannot be split at random; leave the key out to split it in order");
  const order = new Random(foldIn(key, "split")).permutation(length);
  const part = (places: Uint32Array) => reorderSource(source, places.length, () => places);
  return [part(order.subarray(0, border)), part(order.subarray(border))];
}
