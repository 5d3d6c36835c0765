/** What a dataset is made from: a source that can be read in order, and where possible at any place. */
import { DataError } from "../../core/errors.ts";

/** Samples by numbers: one that has the same number is the same in every epoch, whatever stands beside it in a batch. */
export interface Samples {
  /** One more than the largest number. */
  readonly bound: number;
  /** Those of an element. */
  of(index: number, epoch: number): readonly number[];
}

/** The samples of elements that another source has at other places. */
export const samplesAt = (
  { samples }: Pick<Source<unknown>, "samples">,
  place: (index: number, epoch: number) => number,
): Samples | string =>
  typeof samples === "object"
    ? { bound: samples.bound, of: (index, epoch) => samples.of(place(index, epoch), epoch) }
    : (samples ?? unnumbered);

/** Why the samples of a stream have no numbers, those of what it is made of. */
export const whyUnnumbered = ({ samples = unnumbered }: Pick<Source<unknown>, "samples">): string =>
  typeof samples === "string" ? samples : unnumbered;

/** Why samples of a source have no numbers that says nothing else. */
export const unnumbered = "its elements may differ from epoch to epoch";

/** Each element is a sample of its own, the same in every epoch. */
export const eachItself = (length: number): Samples => ({ bound: length, of: (index) => [index] });

/** Batches of samples that are drawn from all there are, in place of those that follow one another. */
export interface Draw {
  /** Batches of an epoch. */
  readonly length: number;
  /** The places of the samples of a batch, from 0. */
  rows(index: number, epoch: number): Uint32Array;
}

/** Batches that can be drawn anew. */
export interface Drawable<T> {
  /** Samples that there are. */
  readonly samples: number;
  /** Samples of a batch as it is. */
  readonly size: number;
  drawn(draw: Draw): Source<T>;
}

/** Which rows of a batch are wanted, by how many it has. */
export type Wanted = (rows: number) => (row: number) => boolean;

/**
 * Elements in an order that depends on the epoch only: the same epoch of the same source gives the same elements, bit for
 * bit, also when reading begins in its middle.
 */
export interface Source<T> {
  /** Elements of an epoch, if known. */
  readonly length: number | undefined;
  /** The elements of an epoch after the first `skip`. */
  epoch(epoch: number, skip: number): AsyncIterable<T>;
  /** One element, where any can be had at once; then `length` is known. */
  readonly at?: (index: number, epoch: number) => T | Promise<T>;
  /** Several elements of tensors, stacked along a new leading axis, without making each. */
  readonly gather?: (indices: Uint32Array, epoch: number) => T;
  /** What is read ahead here, in order: the elements one by one. */
  readonly ahead?: Source<T>;
  /** Which samples an element is made of; or why that is not known, in words that follow "since". */
  readonly samples?: Samples | string;
  /** Where elements are batches of samples that are read one by one: the same batches, in which rows that are not wanted are zeros, and not read. */
  readonly only?: (wanted: Wanted) => Source<T>;
  /** Where elements are batches of samples of which any can be had: how others are drawn from these. */
  readonly drawable?: Drawable<T>;
  /** Whether each element has arrays of its own, which nothing else reads afterwards: a worker may hand them over. */
  readonly fresh?: boolean;
}

/** A source whose elements can be had in any order. */
export interface IndexedSource<T> extends Source<T> {
  readonly length: number;
  readonly at: (index: number, epoch: number) => T | Promise<T>;
}

export const isIndexed = <T>(source: Source<T>): source is IndexedSource<T> => source.at !== undefined;

/** A source from a way to get any of `length` elements. */
export function indexedSource<T>(
  length: number,
  at: IndexedSource<T>["at"],
  rest: Pick<Source<T>, "gather" | "fresh" | "samples" | "only" | "drawable"> = {},
): IndexedSource<T> {
  return {
    ...rest,
    length,
    at,
    async *epoch(epoch, skip) {
      for (let i = skip; i < length; i++) yield await at(i, epoch);
    },
  };
}

/** That rows which are not wanted are not read, where that holds of what a source is made of. */
export const onlyOf = <T, U>(
  { only }: Pick<Source<T>, "only">,
  make: (source: Source<T>) => Source<U>,
): Pick<Source<U>, "only"> => (only ? { only: (wanted) => make(only(wanted)) } : {});

/** That other batches can be drawn, where that holds of what a source is made of. */
export const drawableOf = <T, U>(
  { drawable }: Pick<Source<T>, "drawable">,
  make: (source: Source<T>) => Source<U>,
): Pick<Source<U>, "drawable"> =>
  drawable ? { drawable: { ...drawable, drawn: (draw) => make(drawable.drawn(draw)) } } : {};

/** A source from any iterable, made anew for each epoch. Throws DataError when it gives nothing. */
export function iterableSource<T>(
  make: (epoch: number) => Iterable<T> | AsyncIterable<T>,
  length: number | undefined,
): Source<T> {
  return {
    length,
    samples: "the data is a stream, whose samples have no numbers",
    async *epoch(epoch, skip) {
      let position = 0;
      for await (const element of make(epoch)) if (position++ >= skip) yield element;
      if (position === 0) throw emptyError("fromIterable()", "the iterable gave no element");
    },
  };
}

export const emptyError = (where: string, why: string): DataError =>
  new DataError(`${where}: ${why}, expected at least one; a dataset cannot be empty`);
