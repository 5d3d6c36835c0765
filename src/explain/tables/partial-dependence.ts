/** Partial dependence: what a model gives on average as one column takes value after value, and for each row by itself. */
import { isFloat } from "../../core/dtype.ts";
import { OptionError, ShapeError } from "../../core/errors.ts";
import { count, listOf, number } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import { showShape } from "../../core/shape.ts";
import { fullTensor, Tensor } from "../../core/tensor.ts";
import { rowOf } from "../../data/pipeline/rows.ts";
import type { Value } from "../../graph/ir.ts";
import { type CompileOptions, checkCompile } from "../../jit/compile.ts";
import type { Module } from "../../nn/index.ts";
import { scoresOfRows } from "../explained.ts";
import { type ScoreFunction, type Target, targetType } from "../target.ts";

/** Options of `partialDependence`. */
export interface DependenceOptions<O> {
  /** The column of x that takes the values. */
  readonly column: number;
  /** The class whose score is followed, or your own number of the outputs; default the only score. */
  readonly target?: Target<O> | undefined;
  /** Values that the column takes; default those that it has where they are no more than `points`, otherwise evenly from its 5th to its 95th percentile. */
  readonly grid?: readonly number[] | undefined;
  /** Values by default; default 20. */
  readonly points?: number;
  /** Rows that are computed at once; default 256. */
  readonly chunk?: number;
  /** Device, threads; default the processor. */
  readonly compile?: CompileOptions | undefined;
}

/** How scores depend on a column. */
export interface PartialDependence {
  readonly column: number;
  /** The values that the column takes. */
  readonly grid: readonly number[];
  /** The mean score over the rows at each value. */
  readonly mean: readonly number[];
  /** The score of each row at each value, [rows][values]: individual conditional expectation (Goldstein et al. 2015). */
  readonly individual: readonly (readonly number[])[];
  /** What the reader should know of this result, a sentence each. */
  readonly notes: readonly string[];
}

const checkOptions = optionsOf<DependenceOptions<never>>("partialDependence", {
  column: required(count(0)),
  target: targetType,
  grid: listOf(number, "numbers"),
  points: count(2),
  chunk: count(),
  compile: checkCompile.type,
});

/** A quantile of ascending numbers, linear between them. */
function quantile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1);
  const [low = 0, high = low] = sorted.slice(Math.floor(at), Math.floor(at) + 2);
  return low + (at - Math.floor(at)) * (high - low);
}

/** The values that a column takes. */
function gridOf(values: readonly number[], points: number): readonly number[] {
  const own = values.filter((value) => Number.isFinite(value)).sort((a, b) => a - b);
  const distinct = [...new Set(own)];
  if (distinct.length <= points) return distinct;
  const [low, high] = [quantile(own, 0.05), quantile(own, 0.95)];
  if (low === high)
    return [distinct[0] as number, low, distinct.at(-1) as number].filter((v, i, all) => all.indexOf(v) === i);
  return Array.from({ length: points }, (_, i) => low + ((high - low) * i) / (points - 1));
}

/** Curves whose spread at the ends of the grid says that rows differ: as a share of the mean curve's range. */
const crossing = 1;

/**
 * What a model gives on average over rows [rows, columns] where one column has this value or that in all of them, the others as they are
 * (Friedman 2001, section 8.2), and for each row by itself. A mean may hide that rows go up and down: then `notes` says so, and `individual` shows it.
 * Values that do not occur with the others of a row are asked for nevertheless. Throws ShapeError for x of another form, and OptionError for a
 * column or a class that there is not, or where several scores are given and none is named.
 * @example const { grid, mean } = await explain.partialDependence(model, rows, { column: 2, target: 1 });
 */
export async function partialDependence<O>(
  model: Module<Value, O>,
  x: Tensor,
  options: DependenceOptions<O>,
): Promise<PartialDependence> {
  const { column, points = 20, chunk = 256, ...own } = checkOptions(options as DependenceOptions<never>);
  if (!(x instanceof Tensor) || x.shape.length !== 2 || x.data.length === 0)
    throw new ShapeError(
      `partialDependence: x is ${x instanceof Tensor ? showShape(x.shape) : typeof x}; pass rows [rows, columns]`,
    );
  const [rows = 0, width = 0] = x.shape;
  if (column >= width)
    throw new OptionError(
      `partialDependence: there is no column ${column} in rows of ${width}; pass 0 to ${width - 1}`,
    );
  const target = options.target === "largest" ? undefined : options.target;
  const isFunction = typeof target === "function";
  const ask = await scoresOfRows(model, isFunction ? (target as ScoreFunction) : undefined, own.compile);
  const values = Array.from({ length: rows }, (_, row) => Number(x.data[row * width + column]));
  // Between integers there is nothing.
  const nearest = gridOf(values, points).map((value) => (isFloat(x.dtype) ? value : Math.round(value)));
  const grid = own.grid ?? [...new Set(nearest)];
  if (grid.length === 0)
    throw new OptionError(`partialDependence: column ${column} has no number to start from; pass a grid`);
  const individual = Array.from({ length: rows }, () => new Array<number>(grid.length).fill(0));
  for (const [at, value] of grid.entries()) {
    const [element] = fullTensor(x.dtype, [1], value).data;
    for (let first = 0; first < rows; first += chunk) {
      const taken = Math.min(chunk, rows - first);
      const data = x.data.slice(first * width, (first + taken) * width);
      for (let row = 0; row < taken; row++) data[row * width + column] = element as number;
      const scores = await ask(new Tensor(x.dtype, [taken, width], data as typeof x.data));
      const [, classes = 1] = scores.shape;
      const place = isFunction ? 0 : (target ?? (classes === 1 ? 0 : undefined));
      if (place === undefined)
        throw new OptionError(`partialDependence: the model gives ${classes} scores; name one: { target: 0 }`);
      if (place >= classes)
        throw new OptionError(`target: there is no class ${place} in scores of ${classes}; pass 0 to ${classes - 1}`);
      for (let row = 0; row < taken; row++)
        (individual[first + row] as number[])[at] = Number(rowOf(scores, row).data[place]);
    }
  }
  const mean = grid.map((_, at) => individual.reduce((sum, curve) => sum + (curve[at] as number), 0) / rows);
  return { column, grid, mean, individual, notes: hiddenBy(mean, individual) };
}

/** A note where single rows go another way than their mean. */
function hiddenBy(mean: readonly number[], individual: readonly (readonly number[])[]): readonly string[] {
  const riseOf = (curve: readonly number[]) => (curve.at(-1) ?? 0) - (curve[0] ?? 0);
  const rises = individual.map(riseOf);
  const middle = riseOf(mean);
  const spread = Math.sqrt(rises.reduce((sum, own) => sum + (own - middle) ** 2 / rises.length, 0));
  const against = rises.filter((own) => Math.sign(own) === -Math.sign(middle)).length / rises.length;
  return spread > crossing * Math.abs(middle) && against > 0.1
    ? [
        `the mean hides that rows differ: from the first value to the last it changes by ${middle.toPrecision(3)}, single rows by ${spread.toPrecision(3)} more or less; look at individual`,
      ]
    : [];
}
