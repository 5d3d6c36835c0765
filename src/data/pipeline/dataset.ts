/** Datasets: sequences of samples or batches, the same in every run, and the steps that prepare them for training. */
import { DataError, OptionError } from "../../core/errors.ts";
import { count, having } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { foldIn, type Key, keyOf, type Random } from "../../core/random.ts";
import type { Tensor } from "../../core/tensor.ts";
import { type BatchOptions, batchSource, checkBatch, partsSource } from "./batching.ts";
import {
  cacheSource,
  concatSources,
  filterSource,
  mapSource,
  prefetchSource,
  selectSource,
  sliceSource,
  splitSource,
} from "./combine.ts";
import { gatherRecord, mapRecord, rowCount, rowOf, type TensorRecord } from "./rows.ts";
import { bootstrapSource, shuffleSource } from "./shuffle.ts";
import { eachItself, emptyError, indexedSource, isIndexed, iterableSource, type Source } from "./source.ts";

/** Tensors by name, whose leading axis counts samples; a sample lacks that axis. Who reads a batch names what it reads. */
export type Batch = Readonly<Record<string, Tensor>>;

/** The usual names of a batch: the input of a model, and the target that its output is compared with. */
export type Labelled = { readonly x: Tensor; readonly y: Tensor };

/** A dataset as an option. */
export const datasetType = having<Dataset<unknown>>("epoch", "a dataset");

/** Which elements of an epoch to read. */
export interface EpochOptions {
  /** Elements to leave out at the beginning, as a run does that resumes in the middle of an epoch; default 0. */
  readonly skip?: number;
  /** Reads every `stride`-th element from there on, as one of several workers does; default 1. */
  readonly stride?: number;
}

const checkEpoch = optionsOf<EpochOptions>("epoch", { skip: count(0), stride: count() });

/** Options of `Dataset.shuffle`. */
export interface ShuffleOptions {
  /** Elements of a stream that wait to be drawn; default 1,000. */
  readonly buffer?: number;
}

const checkShuffle = optionsOf<ShuffleOptions>("shuffle", { buffer: count() });

/** Options of `fromIterable`. */
export interface IterableOptions {
  /** Elements of an epoch, if known. */
  readonly length?: number;
}

const checkIterable = optionsOf<IterableOptions>("fromIterable", { length: count(0) });

/** Throws OptionError unless `value` is a whole number from `low`. */
export function checkCount(where: string, value: number, low: number): void {
  if (!Number.isSafeInteger(value) || value < low)
    throw new OptionError(`${where}: got ${value}, expected a whole number from ${low}`);
}

/**
 * A sequence of elements for each epoch, which depends on the epoch's index and on nothing else: reading an epoch again, or
 * from its middle, gives the same elements bit for bit. Methods return new datasets and leave this one as it is.
 * @example
 * const batches = fromTensors({ x, y }).shuffle(keyOf(1)).batch(64).map(scaleBytes());
 * for await (const { x, y } of batches.epoch(0)) train(x, y);
 */
export class Dataset<T> {
  /** The source of the elements, for those who write a combinator of their own. */
  readonly source: Source<T>;
  /** How many steps made this dataset: two steps with the same key draw different numbers. */
  readonly #depth: number;

  constructor(source: Source<T>, depth = 0) {
    this.source = source;
    this.#depth = depth;
  }

  /** Elements in an epoch, if known. */
  get length(): number | undefined {
    return this.source.length;
  }

  /** The elements of epoch `index`. Cheap to begin at `skip` where elements can be had in any order. */
  epoch(index: number, options: EpochOptions = {}): AsyncIterable<T> {
    const { skip = 0, stride = 1 } = checkEpoch(options);
    checkCount("epoch(index)", index, 0);
    return stride === 1 ? this.source.epoch(index, skip) : strided(this.source, index, skip, stride);
  }

  /**
   * Each element changed. `random` comes from key, epoch and the element's position: the same augmentation in a run
   * resumed as in one that was not. Fastest after `batch`, on whole batches.
   */
  map<U>(change: (element: T, random: Random) => U | Promise<U>, key: Key = keyOf(0)): Dataset<U> {
    return this.#then(mapSource(this.source, change, foldIn(key, "map", this.#depth)));
  }

  /** The elements that `keep` accepts. An epoch in which there is none throws DataError. */
  filter(keep: (element: T) => boolean | Promise<boolean>): Dataset<T> {
    return this.#then(filterSource(this.source, keep));
  }

  /**
   * A different order in each epoch, drawn from `key` and the epoch. Where elements can be had in any order it is a full
   * permutation; a stream passes through a buffer of `buffer` elements (1,000).
   */
  shuffle(key: Key, options: ShuffleOptions = {}): Dataset<T> {
    const { buffer = 1000 } = checkShuffle(options);
    return this.#then(shuffleSource(this.source, foldIn(key, this.#depth), buffer));
  }

  /**
   * A bootstrap sample (Efron 1979): as many elements, drawn with replacement by `key`, so that about 37 % of them are
   * left out; the same in every epoch. Throws DataError for a stream.
   */
  bootstrap(key: Key): Dataset<T> {
    return this.#then(bootstrapSource(this.source, key));
  }

  /**
   * Samples stacked `size` at a time along a new leading axis; the last batch may be smaller, or is left out with
   * `dropLast`. Throws DataError for a size above the dataset's, unless `dropLast` is false in so many words.
   */
  batch<S extends TensorRecord<S>>(this: Dataset<S>, size: number, options: BatchOptions = {}): Dataset<S> {
    checkCount("batch(size)", size, 1);
    return this.#then(batchSource(this.source, size, checkBatch(options)));
  }

  /**
   * Each batch as so many smaller ones, one after the other, of as many samples as can be. With `training: { accumulate: parts }` they make
   * one update, in the memory of a part. A batch of fewer samples than parts gives one of each.
   */
  inParts<S extends TensorRecord<S>>(this: Dataset<S>, parts: number): Dataset<S> {
    checkCount("inParts(parts)", parts, 1);
    return parts === 1 ? this : this.#then(partsSource(this.source, parts));
  }

  /** Begins up to `count` elements before they are asked for: overlaps waiting (disk, decoding), not computing. */
  prefetch(count: number): Dataset<T> {
    checkCount("prefetch(count)", count, 1);
    return this.#then(prefetchSource(this.source, count));
  }

  /** The first `count` elements of each epoch. */
  take(count: number): Dataset<T> {
    checkCount("take(count)", count, 1);
    return this.#then(sliceSource(this.source, 0, count));
  }

  /** All but the first `count` elements of each epoch. Throws DataError when none would be left. */
  skip(count: number): Dataset<T> {
    checkCount("skip(count)", count, 0);
    if (this.length !== undefined && count >= this.length)
      throw emptyError(`skip(${count})`, `the dataset has ${this.length} elements, so none is left`);
    return this.#then(sliceSource(this.source, count, undefined));
  }

  /**
   * Two disjoint datasets, the first with `fraction` of the elements: drawn at random by `key`, in order without one.
   * Throws DataError when a part would be empty or the length is not known.
   */
  split(fraction: number, key?: Key): [Dataset<T>, Dataset<T>] {
    if (!(fraction > 0 && fraction < 1))
      throw new OptionError(`split(fraction): got ${fraction}, expected a number between 0 and 1`);
    const [first, second] = splitSource(this.source, fraction, key);
    return [this.#then(first), this.#then(second)];
  }

  /**
   * The elements with these numbers, from 0, in this order; a number may come twice. Throws DataError for a stream, for a number that the
   * dataset does not have, and without any.
   * @example const own = train.select(partition[3]);
   */
  select(indices: Uint32Array): Dataset<T> {
    return this.#then(selectSource(this.source, indices));
  }

  /** Keeps the elements of epoch 0 in memory, and gives them in every epoch. */
  cache(): Dataset<T> {
    return this.#then(cacheSource(this.source));
  }

  /** These elements, then those of `other`. */
  concat(other: Dataset<T>): Dataset<T> {
    return this.#then(concatSources(this.source, other.source));
  }

  #then<U>(source: Source<U>): Dataset<U> {
    return new Dataset(source, this.#depth + 1);
  }
}

async function* strided<T>(source: Source<T>, epoch: number, skip: number, stride: number): AsyncGenerator<T> {
  if (isIndexed(source)) {
    for (let i = skip; i < source.length; i += stride) yield await source.at(i, epoch);
    return;
  }
  let position = 0;
  for await (const element of source.epoch(epoch, skip)) if (position++ % stride === 0) yield element;
}

/** A dataset over rows of tensors in memory, which it also keeps at hand whole. */
export class TensorDataset<T extends TensorRecord<T>> extends Dataset<T> {
  /** The tensors, with samples along their leading axis. */
  readonly tensors: T;

  constructor(tensors: T) {
    const rows = rowCount(tensors, "fromTensors()");
    if (rows === 0) throw emptyError("fromTensors()", "the tensors have 0 rows");
    super(
      indexedSource(rows, (index) => mapRecord(tensors, (t) => rowOf(t, index)), {
        gather: (indices) => gatherRecord(tensors, indices),
        samples: eachItself(rows),
      }),
    );
    this.tensors = tensors;
  }
}

/**
 * A dataset of the rows of tensors of shape [N, …]; a sample is a view of one row.
 * Throws DataError when the tensors differ in N or have no rows.
 * @example fromTensors({ x: images, y: labels }).batch(64)
 */
export const fromTensors = <T extends TensorRecord<T>>(tensors: T): TensorDataset<T> => new TensorDataset(tensors);

/**
 * A dataset from a function that gives the elements of an epoch, as any iterable or async generator. The function must give
 * the same elements for the same epoch. `length` is the number of elements, if known.
 */
export function fromIterable<T>(
  make: (epoch: number) => Iterable<T> | AsyncIterable<T>,
  options: IterableOptions = {},
): Dataset<T> {
  if (checkIterable(options).length === 0) throw emptyError("fromIterable()", "length is 0");
  return new Dataset(iterableSource(make, options.length));
}

/**
 * A dataset from a function that gives any one of `length` elements, such as a file decoded when its turn comes; it can
 * be shuffled wholly. Throws DataError for a length of 0.
 * @example fromIndexed(paths.length, async (i) => ({ x: await readImage(paths[i]), y: labels[i] })).shuffle(keyOf(0)).batch(32)
 */
export function fromIndexed<T>(length: number, at: (index: number) => T | Promise<T>): Dataset<T> {
  if (length === 0) throw emptyError("fromIndexed()", "length is 0");
  checkCount("fromIndexed(length)", length, 1);
  return new Dataset(indexedSource(length, at, { samples: eachItself(length) }));
}

/**
 * All elements of an epoch of a dataset of samples as one batch in memory: tensors [...] become [N, ...]. Throws
 * DataError for a dataset that is empty or whose length is not known.
 */
export async function collect<T extends TensorRecord<T>>(dataset: Dataset<T>, epoch = 0): Promise<T> {
  const { length } = dataset;
  if (length === undefined) throw new DataError("collect(): the dataset's length is not known; take(n) of it first");
  for await (const batch of dataset.batch(length).epoch(epoch)) return batch;
  throw emptyError("collect()", "the dataset gave no element");
}
