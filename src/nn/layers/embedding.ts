/** Learned vectors: for each index, for each position, and scores of every index by its vector. */
import { DTypeError, OptionError, ShapeError } from "../../core/errors.ts";
import { optionsOf } from "../../core/options.ts";
import { showShape } from "../../core/shape.ts";
import type { Value } from "../../graph/ir.ts";
import {
  add,
  and,
  cast,
  checkIndices,
  equal,
  gather,
  greater,
  linear,
  range,
  reduceSum,
  reshape,
  slice,
} from "../../ops/index.ts";
import type { Context } from "../context.ts";
import { type Initializer, type InitializerName, initializerOf, initializerType, normalInit } from "../initializers.ts";
import { Module } from "../module.ts";
import { requireCount } from "../options.ts";

/** Options of `embedding` and `positionEmbedding`. */
export interface EmbeddingOptions {
  /** Of the table; default the standard normal distribution, as in PyTorch. */
  readonly initializer?: InitializerName | Initializer;
}

const checkOptions = optionsOf<EmbeddingOptions>("embedding", { initializer: initializerType });
const checkPositions = optionsOf<EmbeddingOptions>("positionEmbedding", { initializer: initializerType });
/** A learned vector for each index: integers [...] → [..., width]. Make one with `embedding`. */
export class Embedding extends Module {
  override readonly kind = "embedding";
  readonly count: number;
  readonly width: number;
  readonly options: EmbeddingOptions;
  constructor(count: number, width: number, options: EmbeddingOptions = {}) {
    super();
    requireCount("embedding", "count", count);
    requireCount("embedding", "width", width);
    this.count = count;
    this.width = width;
    this.options = checkOptions(options);
  }
  protected call(x: Value, context: Context): Value {
    if (x.dtype !== "int32" && x.dtype !== "int64")
      throw new DTypeError(`input is ${x.dtype}, expected indices; pass int32 or int64`);
    checkIndices(x, "index", {
      count: this.count,
      mend: `its embedding has ${this.count} rows: correct the row, or build a larger one`,
    });
    return gather(this.table(context), x);
  }
  /** The vectors, [count, width]. */
  table(context: Context): Value {
    return context.parameter(this, "weight", {
      shape: [this.count, this.width],
      initializer: initializerOf(this.options.initializer ?? normalInit(0, 1)),
    });
  }
}

/**
 * A learned vector for each index, row x of a table [count, width]: integers [...] → [..., width]. Throws DataError
 * when an index without a row is fed, DTypeError for inputs that are no integers.
 * @example
 * embedding(10_000, 128); // int32 [N, T] → [N, T, 128]
 */
export const embedding = (count: number, width: number, options?: EmbeddingOptions): Embedding =>
  new Embedding(count, width, options);

/**
 * A learned vector for each position, added to the features there: [N, T, width] → [N, T, width]. Make one with
 * `positionEmbedding`.
 */
export class PositionEmbedding extends Module {
  override readonly kind = "embedding";
  readonly count: number;
  readonly options: EmbeddingOptions;
  constructor(count: number, options: EmbeddingOptions = {}) {
    super();
    requireCount("positionEmbedding", "count", count);
    this.count = count;
    this.options = checkPositions(options);
  }
  protected call(x: Value, context: Context): Value {
    const [, time = 0, width = 1] = x.shape;
    const { decoding, firstPosition: first } = context;
    const longest = this.count - first;
    if (x.rank !== 3 || time > longest)
      throw new ShapeError(
        `input ${showShape(x.shape)} is no batch of sequences of at most ${longest}; pass [batch, time, features]`,
      );
    const table = context.parameter(this, "weight", {
      shape: [this.count, width],
      initializer: initializerOf(this.options.initializer ?? normalInit(0, 1)),
    });
    if (decoding && decoding.capacity > longest)
      throw new OptionError(
        `it has ${longest} positions, and decoding asks for ${decoding.capacity}; pass a capacity of at most ${longest}`,
      );
    if (context.segments) return add(x, gather(table, add(positionsWithin(context.segments), first)));
    const own = decoding
      ? gather(table, context.positions(time))
      : slice(table, { axis: 0, start: first, end: first + time });
    return add(x, own);
  }
}

/** Where tokens stand in their segments, from 0: how many before them are of the same. [N, T] → int64 [N, T]. */
function positionsWithin(segments: Value): Value {
  const [batch = 1, time = 1] = segments.shape;
  const same = equal(reshape(segments, [batch, time, 1]), reshape(segments, [batch, 1, time]));
  const isBefore = greater(reshape(range(time), [time, 1]), reshape(range(time), [1, time]));
  return reduceSum(cast(and(same, isBefore), "int64"), [2]);
}

/** Adds row t of a table [count, width] to the features at time t: [N, T, width] → [N, T, width]. */
export const positionEmbedding = (count: number, options?: EmbeddingOptions): PositionEmbedding =>
  new PositionEmbedding(count, options);

/** Scores of every index by the vectors of an embedding: [..., width] → [..., count]. Make one with `tiedDense`. */
export class TiedDense extends Module {
  override readonly kind = "dense";
  /** Not a child: the weight keeps the embedding's path, and counts once. */
  readonly #embedding: Embedding;
  constructor(embedding: Embedding) {
    super();
    this.#embedding = embedding;
  }
  protected call(x: Value, context: Context): Value {
    return linear(x, this.#embedding.table(context));
  }
}

/**
 * x Wᵀ with the weight of an embedding that the model also has (Press and Wolf 2017): [..., width] → [..., count].
 * @example
 * readonly embed = embedding(50_257, 768);
 * readonly head = tiedDense(this.embed);
 */
export const tiedDense = (table: Embedding): TiedDense => new TiedDense(table);
