/** Permutation importance: how much worse a metric gets when a column is shuffled. */
import { OptionError, ShapeError } from "../../core/errors.ts";
import { count, having, objectOf } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import { foldIn, type Key, keyOf, keyType, Random } from "../../core/random.ts";
import { showShape } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";
import type { Batch } from "../../data/pipeline/dataset.ts";
import { gatherRows } from "../../data/pipeline/rows.ts";
import type { Value } from "../../graph/ir.ts";
import { type CompileOptions, checkCompile } from "../../jit/compile.ts";
import { type Context, Module } from "../../nn/index.ts";
import { measured } from "../../train/engine/objective.ts";
import type { Metric } from "../../train/metrics/metric.ts";
import { predictor } from "../../train/predict.ts";
import { copyInto, type Explainable } from "../explained.ts";

/** Options of `permutationImportance`. */
export interface PermutationOptions {
  /** What gets worse, such as `accuracy()` or `rootMeanSquaredError()`. */
  readonly metric: Metric;
  /** Columns of x that are shuffled together, by a name for each group, such as the columns of one category; default each by its number. */
  readonly columns?: Readonly<Record<string, readonly number[]>>;
  /** Shuffles of each group; default 5. */
  readonly repeats?: number;
  /** Of the shuffles: the same key gives the same values; default keyOf(0). */
  readonly key?: Key;
  /** Rows that are computed at once; default 256. */
  readonly chunk?: number;
  /** Device, threads; default the processor. */
  readonly compile?: CompileOptions | undefined;
}

/** How much a group of columns matters. */
export interface ColumnImportance {
  readonly name: string;
  /** How much worse the metric is on average, in its units; below 0 where it is better. */
  readonly mean: number;
  /** The standard deviation over the repeats. */
  readonly deviation: number;
  /** Of each repeat. */
  readonly each: readonly number[];
}

/** What `permutationImportance` gives. */
export interface PermutationImportance {
  /** The name of the metric. */
  readonly metric: string;
  /** What it is of the data as they are. */
  readonly score: number;
  /** The groups of columns, the most important first. */
  readonly columns: readonly ColumnImportance[];
  /** What the reader should know of this result, a sentence each. */
  readonly notes: readonly string[];
}

const checkOptions = optionsOf<PermutationOptions>("permutationImportance", {
  metric: required(having<Metric>("update", "a metric, such as accuracy()")),
  columns: objectOf<Readonly<Record<string, readonly number[]>>>("column numbers by name: { size: [0, 1] }"),
  repeats: count(),
  key: keyType,
  chunk: count(),
  compile: checkCompile.type,
});

/** A batch with its labels. */
type Labelled = Readonly<Record<"x" | "y", Value>>;

/** The statistics of a metric for a batch, float32 [size]. */
class Statistics extends Module<Labelled, Value> {
  override readonly inputs = { x: "required", y: "required" } as const;
  readonly model: Explainable;
  readonly #metric: Metric;

  constructor(model: Explainable, metric: Metric) {
    super();
    this.model = model;
    this.#metric = metric;
  }

  protected call({ x, y }: Labelled, context: Context): Value {
    const { reads } = this.#metric;
    const metric = { ...this.#metric, reads: { output: reads?.output, target: "y" } };
    return measured(metric, this.model.apply(x, context), { y }, { ignoreIndex: metric.ignoreIndex });
  }
}

/** Rows with labels. */
interface Rows {
  readonly x: Tensor;
  readonly y: Tensor;
  /** Rows. */
  readonly count: number;
  /** Elements of a row. */
  readonly width: number;
}

function rowsOf(data: Batch, { reads }: Metric): Rows {
  const target = reads?.target ?? "y";
  const { x, [target]: y } = data;
  if (!(x instanceof Tensor) || !(y instanceof Tensor))
    throw new OptionError(
      `permutationImportance: the data are no { x, ${target} } of tensors; pass rows and what they are to give`,
    );
  const [rows = 0] = x.shape;
  if (x.shape.length !== 2 || rows < 2)
    throw new ShapeError(`permutationImportance: x is ${showShape(x.shape)}; pass 2 rows or more, [rows, columns]`);
  if (y.shape[0] !== rows)
    throw new ShapeError(
      `permutationImportance: x has ${rows} rows, ${target} is ${showShape(y.shape)}; pass as many labels as rows`,
    );
  return { x, y, count: rows, width: x.shape[1] ?? 0 };
}

/** Groups of columns by name. Throws OptionError for a column that there is not. */
function groupsOf(
  columns: PermutationOptions["columns"],
  width: number,
): readonly (readonly [string, readonly number[]])[] {
  const groups = columns
    ? Object.entries(columns)
    : Array.from({ length: width }, (_, column) => [`${column}`, [column]] as const);
  for (const [name, own] of groups)
    if (!Array.isArray(own) || own.length === 0 || own.some((at) => !Number.isInteger(at) || at < 0 || at >= width))
      throw new OptionError(
        `permutationImportance: columns "${name}" are ${JSON.stringify(own)}; pass a list of numbers from 0 to ${width - 1}`,
      );
  return groups;
}

/**
 * How much a metric suffers where the values of a column, or a group of columns, are shuffled among the rows of data that the model did not learn
 * from, such as a validation part: the model then reads them at random (Breiman 2001, section 10; the mean and deviation over repeats as
 * scikit-learn has them). What columns say alike the others stand in for: of two such neither may seem to matter, so shuffle them together. Throws
 * ShapeError for data that are no rows with labels, under the name that the metric reads, `y` by default, OptionError for columns that there are not, and what the metric throws.
 * @example const { columns } = await explain.permutationImportance(model, validation.tensors, { metric: accuracy() });
 */
export async function permutationImportance(
  model: Explainable,
  data: Batch,
  options: PermutationOptions,
): Promise<PermutationImportance> {
  const { metric, columns, repeats = 5, key = keyOf(0), chunk = 256, compile } = checkOptions(options);
  const rows = rowsOf(data, metric);
  const groups = groupsOf(columns, rows.width);
  const ask = predictor(new Statistics(model, metric), { compile });
  const isUp = metric.direction === "up";
  /** The metric where columns of row i are those of row order[i]. */
  const metricOf = async (shuffled: readonly number[], order: Uint32Array): Promise<number> => {
    const sums = new Float64Array(metric.size);
    for (let first = 0; first < rows.count; first += chunk) {
      const places = Uint32Array.from({ length: Math.min(chunk, rows.count - first) }, (_, i) => first + i);
      const x = gatherRows(rows.x, places);
      const from = gatherRows(
        rows.x,
        places.map((place) => order[place] as number),
      );
      for (const column of shuffled)
        for (let at = column; at < x.data.length; at += rows.width)
          copyInto(x.data.subarray(at, at + 1), from.data.subarray(at, at + 1));
      const { data: statistics } = await ask({ x, y: gatherRows(rows.y, places) });
      for (const [i, own] of sums.entries()) sums[i] = own + Number(statistics[i]);
    }
    return metric.result(sums);
  };
  try {
    const score = await metricOf(
      [],
      Uint32Array.from({ length: rows.count }, (_, i) => i),
    );
    const found: ColumnImportance[] = [];
    for (const [name, own] of groups) {
      const each: number[] = [];
      for (let i = 0; i < repeats; i++) {
        const changed = await metricOf(own, new Random(foldIn(key, "permutation", name, i)).permutation(rows.count));
        each.push(isUp ? score - changed : changed - score);
      }
      const mean = each.reduce((sum, value) => sum + value, 0) / repeats;
      const deviation = Math.sqrt(each.reduce((sum, value) => sum + (value - mean) ** 2, 0) / repeats);
      found.push({ name, mean, deviation, each });
    }
    const sorted = found.sort((a, b) => b.mean - a.mean);
    const isPlain = sorted.every(({ mean, deviation }) => mean <= 2 * deviation);
    const notes = isPlain
      ? [
          `no column alone makes ${metric.name} worse by more than two deviations: columns may stand in for one another, or the model may read none`,
        ]
      : [];
    return { metric: metric.name, score, columns: sorted, notes };
  } finally {
    await ask.release();
  }
}
