/** What the numbers of a table's row are, and how a network takes them: numbers, categories, words and images, missing or not. */

import { Tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import {
  add,
  and,
  cast,
  clip,
  concat,
  constant,
  div,
  greaterOrEqual,
  isNan,
  less,
  mul,
  reduceMean,
  reshape,
  slice,
  sub,
  where,
} from "../../ops/index.ts";

/** A number, with what training data showed of it. */
export interface NumberColumn {
  readonly kind: "number";
  /** Stands for a missing value: the median. */
  readonly fill: number;
  readonly mean: number;
  /** Standard deviation; 1 of a constant column. */
  readonly deviation: number;
  /** Ends of bins that hold equally many values, ascending; two at least. */
  readonly edges: readonly number[];
  /** Whether values were missing, so that it matters which are. */
  readonly hasMissing: boolean;
}

/** One of several values, as its place among them; any other number stands for a value that is missing or was never seen. */
export interface CategoryColumn {
  readonly kind: "category";
  /** How many values there are. */
  readonly values: number;
}

/** A text, as weights of the words of a vocabulary: most are 0. */
export interface WordsColumn {
  readonly kind: "words";
  /** Words that are known, each a number of the row. */
  readonly words: number;
}

/** Mean and standard deviation of numbers. */
type Spread = { readonly mean: number; readonly deviation: number };

/** An image, as its pixels [channels, height, width] from 0 to 1; NaN where it is missing. */
export interface ImageColumn {
  readonly kind: "image";
  readonly channels: number;
  /** A multiple of 16. */
  readonly height: number;
  /** A multiple of 16. */
  readonly width: number;
  /** Of the pixels of each channel in training data. */
  readonly pixels: readonly Spread[];
  /** Of the means of 4 x 4 parts of each channel. */
  readonly parts: readonly Spread[];
  /** Whether images were missing, so that it matters which are. */
  readonly hasMissing: boolean;
}

/** What a number of a row is, or several that belong together. */
export type TableColumn = NumberColumn | CategoryColumn | WordsColumn | ImageColumn;

function widthOf(column: TableColumn): number {
  if (column.kind === "image") return column.channels * column.height * column.width;
  return column.kind === "words" ? column.words : 1;
}

/** Numbers of a row that columns take. */
export const rowWidth = (columns: readonly TableColumn[]): number =>
  columns.reduce((sum, column) => sum + widthOf(column), 0);

const ofKind = <K extends TableColumn["kind"]>(columns: readonly TableColumn[], kind: K) => {
  const found: { readonly column: Extract<TableColumn, { readonly kind: K }>; readonly at: number }[] = [];
  let at = 0;
  for (const column of columns) {
    if (column.kind === kind) found.push({ column: column as Extract<TableColumn, { readonly kind: K }>, at });
    at += widthOf(column);
  }
  return found;
};

/** Numbers of x [N, F] at places; neighbours are taken together. */
function columnsAt(x: Value, places: readonly number[]): Value {
  const runs: { start: number; end: number }[] = [];
  for (const at of places) {
    const last = runs.at(-1);
    if (last?.end === at) last.end++;
    else runs.push({ start: at, end: at + 1 });
  }
  const parts = runs.map((run) => slice(x, { axis: 1, ...run }));
  return parts.length === 1 ? (parts[0] as Value) : concat(parts, 1);
}

const row = (values: readonly number[]): Value =>
  constant(new Tensor("float32", [1, values.length], Float32Array.from(values)));

/** Standardized numbers, and 1 where a value is missing of columns that had missing ones, [N, …]; nothing without numbers. */
export function standardized(x: Value, columns: readonly TableColumn[]): Value | undefined {
  const numbers = ofKind(columns, "number");
  if (numbers.length === 0) return undefined;
  const of = (pick: (column: NumberColumn) => number) => row(numbers.map(({ column }) => pick(column)));
  const raw = columnsAt(
    x,
    numbers.map(({ at }) => at),
  );
  const filled = where(
    isNan(raw),
    of(({ fill }) => fill),
    raw,
  );
  const scaled = div(
    sub(
      filled,
      of(({ mean }) => mean),
    ),
    of(({ deviation }) => deviation),
  );
  // What lies far outside of what was seen leads nowhere.
  const bounded = clip(scaled, -furthest, furthest);
  const gaps = numbers.filter(({ column }) => column.hasMissing);
  if (gaps.length === 0) return bounded;
  const missing = isNan(
    columnsAt(
      x,
      gaps.map(({ at }) => at),
    ),
  );
  return concat([bounded, cast(missing, "float32")], 1);
}

/** Standard deviations beyond which numbers do not count more. */
const furthest = 6;

/**
 * Numbers in bins, as far as they fill each: 1 for bins below a value, 0 for those above, a share for its own (piecewise linear encoding;
 * Gorishniy et al. 2022, "On Embeddings for Numerical Features", eq. 1), [N, bins of all columns]; missing values fill none.
 */
export function binned(x: Value, columns: readonly TableColumn[]): Value | undefined {
  const numbers = ofKind(columns, "number");
  if (numbers.length === 0) return undefined;
  const bins = Math.max(...numbers.map(({ column }) => column.edges.length - 1));
  const each = (pick: (edges: readonly number[], bin: number) => number) => {
    const values = numbers.flatMap(({ column: { edges } }) =>
      Array.from({ length: bins }, (_, bin) => pick(edges, bin)),
    );
    return constant(new Tensor("float32", [1, numbers.length, bins], Float32Array.from(values)));
  };
  const lows = each((edges, bin) => edges[bin] ?? 0);
  // A bin that a column does not have is never filled.
  const steepness = each((edges, bin) => 1 / ((edges[bin + 1] ?? Number.POSITIVE_INFINITY) - (edges[bin] ?? 0)));
  const rows = x.shape[0] ?? 1;
  const raw = columnsAt(
    x,
    numbers.map(({ at }) => at),
  );
  const filled = where(isNan(raw), row(numbers.map(({ column }) => column.edges[0] ?? 0)), raw);
  const shares = clip(mul(sub(reshape(filled, [rows, numbers.length, 1]), lows), steepness), 0, 1);
  return reshape(shares, [rows, numbers.length * bins]);
}

/** How many values all category columns have, with one more in each for what is missing or unknown. */
export const categoryCount = (columns: readonly TableColumn[]): number =>
  ofKind(columns, "category").reduce((sum, { column }) => sum + column.values + 1, 0);

/**
 * Places of categories in one list of the values of all category columns, int32 [N, columns]; nothing without such columns. The last place
 * of a column stands for values that are missing or unknown.
 */
export function categoryIds(x: Value, columns: readonly TableColumn[]): Value | undefined {
  const found = ofKind(columns, "category");
  if (found.length === 0) return undefined;
  const values = found.map(({ column }) => column.values);
  const offsets = values.map((_, i) => values.slice(0, i).reduce((sum, own) => sum + own + 1, 0));
  const raw = columnsAt(
    x,
    found.map(({ at }) => at),
  );
  const unknown = row(values);
  // NaN is neither.
  const isKnown = and(greaterOrEqual(raw, 0), less(raw, unknown));
  return cast(add(where(isKnown, raw, unknown), row(offsets)), "int32");
}

/** Weights of words, [N, words of all columns]. */
export function wordWeights(x: Value, columns: readonly TableColumn[]): Value | undefined {
  const places = ofKind(columns, "words").flatMap(({ column, at }) =>
    Array.from({ length: column.words }, (_, i) => at + i),
  );
  return places.length === 0 ? undefined : columnsAt(x, places);
}

/** An image column of rows. */
export type ImagesOfRows = {
  /** Standardized pixels, 0 where an image is missing, [N, channels, height, width]. */
  readonly pixels: Value;
  /** 1 where an image is missing, [N, 1]; nothing where none were. */
  readonly missing: Value | undefined;
};

/** Images of rows x [N, F], column by column. */
export const imagesOf = (x: Value, columns: readonly TableColumn[]): readonly ImagesOfRows[] =>
  ofKind(columns, "image").map(({ column, at }) => {
    const { channels, height, width, hasMissing } = column;
    const rows = x.shape[0] ?? 1;
    const raw = reshape(slice(x, { axis: 1, start: at, end: at + widthOf(column) }), [rows, channels, height, width]);
    const of = (pick: (own: Spread) => number) => reshape(row(column.pixels.map(pick)), [1, channels, 1, 1]);
    const scaled = div(
      sub(
        raw,
        of(({ mean }) => mean),
      ),
      of(({ deviation }) => deviation),
    );
    const isMissing = isNan(slice(x, { axis: 1, start: at, end: at + 1 }));
    return { pixels: where(isNan(raw), 0, scaled), missing: hasMissing ? cast(isMissing, "float32") : undefined };
  });

/** Of images the means of 4 x 4 parts of each channel, standardized, 0 where an image is missing, and whether it is, [N, …]; nothing without images. */
export function partsOfImages(x: Value, columns: readonly TableColumn[]): Value | undefined {
  const images = columns.filter((column) => column.kind === "image");
  const found = imagesOf(x, columns).flatMap(({ pixels, missing }, i) => {
    const { channels, height, width, parts, pixels: spreads } = images[i] as ImageColumn;
    const grid = reshape(pixels, [x.shape[0] ?? 1, channels, 4, height / 4, 4, width / 4]);
    // In deviations of the channel's pixels, and from there in those of the part.
    const means = reshape(reduceMean(grid, [3, 5]), [x.shape[0] ?? 1, parts.length]);
    const own = parts.map((part, place) => ({ part, channel: spreads[Math.floor(place / 16)] as Spread }));
    const shift = row(own.map(({ part, channel }) => (part.mean - channel.mean) / channel.deviation));
    const scaled = mul(sub(means, shift), row(own.map(({ part, channel }) => channel.deviation / part.deviation)));
    return missing ? [mul(scaled, sub(1, missing)), missing] : [scaled];
  });
  return found.length > 1 ? concat(found, 1) : found[0];
}
