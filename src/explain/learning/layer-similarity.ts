/** How alike the features of layers are, of one model or of two. */
import { DataError } from "../../core/errors.ts";
import { count, pathPatternsType } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import type { PathPatterns } from "../../core/path-pattern.ts";
import { size } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";
import type { Batch, Dataset } from "../../data/pipeline/dataset.ts";
import type { Value } from "../../graph/ir.ts";
import { type CompileOptions, checkCompile } from "../../jit/compile.ts";
import { type AnyModule, type Context, Module } from "../../nn/index.ts";
import { add, concat, constant, div, matmul, mul, reduceSum, reshape, square, sub } from "../../ops/index.ts";
import { samplesOf } from "../../train/engine/objective.ts";
import { predictor } from "../../train/predict.ts";
import { type FeatureLayer, inputsOfBatch, layerGrams } from "./layer-grams.ts";

/** Options of `layerSimilarity`. */
export interface LayerSimilarityOptions {
  /** Which layers, by their paths in either model; default all that compute. */
  readonly layers?: PathPatterns | undefined;
  /** Read so many batches at the most; default all of the first epoch. */
  readonly batches?: number;
  /** Threads; float64 is computed by the processor. */
  readonly compile?: CompileOptions | undefined;
}

/** Similarities of layers with layers. */
export interface LayerSimilarity {
  /** Layers of the first model, in the order in which they run. */
  readonly rows: readonly FeatureLayer[];
  /** Layers of the second model. */
  readonly columns: readonly FeatureLayer[];
  /**
   * Linear CKA of row and column, row after row: 1 for features that are the same up to rotation and scale, about 0 for unrelated ones; NaN
   * where a layer gives the same for all samples. An unbiased estimate, which may lie a little below 0.
   */
  readonly values: Float64Array;
  /** Samples over which it is estimated. */
  readonly samples: number;
}

const checkOptions = optionsOf<LayerSimilarityOptions>("layerSimilarity", {
  layers: pathPatternsType,
  batches: count(),
  compile: checkCompile.type,
});

/** The unbiased HSIC of all pairs of layers of two models, then of each layer with itself: float64 [rows · columns + rows + columns]. */
class PairedLayers extends Module<Readonly<Record<string, Value>>, Value> {
  override readonly inputs = "tree";
  readonly first: AnyModule;
  readonly second: AnyModule;
  readonly #layers: PathPatterns | undefined;
  #found: { readonly rows: readonly FeatureLayer[]; readonly columns: readonly FeatureLayer[] } | undefined;

  constructor(first: AnyModule, second: AnyModule, layers: PathPatterns | undefined) {
    super();
    this.first = first;
    this.second = second;
    this.#layers = layers;
  }

  /** Those of the last trace. */
  get found() {
    return this.#found ?? { rows: [], columns: [] };
  }

  protected call(batch: Readonly<Record<string, Value>>, context: Context): Value {
    // Features are centered for the sake of rounding alone: the unbiased estimate is the same without.
    const options = { layers: this.#layers, centered: true };
    const own = (model: AnyModule) => layerGrams(model, batch, context, options);
    const rows = own(this.first);
    const columns = this.first === this.second ? rows : own(this.second);
    this.#found = { rows: rows.layers, columns: columns.layers };
    const n = samplesOf(batch);
    const [k, l] = [withoutDiagonal(rows.grams, n), withoutDiagonal(columns.grams, n)];
    const all = [hsicOfPairs(k, l, n), hsicOfItself(k, n), hsicOfItself(l, n)];
    return concat(all.map((values) => reshape(values, [size(values.shape)])));
  }
}

/** Gram matrices [layers, N, N] with 0 on their diagonals. */
const withoutDiagonal = (grams: Value, n: number): Value =>
  mul(
    grams,
    constant(
      new Tensor(
        "float64",
        [n, n],
        Float64Array.from({ length: n * n }, (_, i) => Number(i % (n + 1) !== 0)),
      ),
    ),
  );

const sumsOf = (k: Value) => {
  const rows = reduceSum(k, [2]); // [layers, N]
  return { rows, total: reduceSum(rows, [1], { keepDims: true }) }; // [layers, 1]
};

/**
 * HSIC₁(K, L) = (tr(K L) + 1ᵀK1 · 1ᵀL1 / ((n-1)(n-2)) - 2/(n-2) · 1ᵀK L 1) / (n(n-3)) of all pairs, [rows, columns] (Song et al. 2012, eq. 5;
 * Nguyen et al. 2021, eq. 3).
 */
function hsicOfPairs(k: Value, l: Value, n: number): Value {
  const [a, b] = [sumsOf(k), sumsOf(l)];
  const flat = (grams: Value) => reshape(grams, [grams.shape[0] ?? 1, n * n]);
  return hsic(
    {
      trace: matmul(flat(k), flat(l), { transB: true }),
      totals: matmul(a.total, b.total, { transB: true }),
      rows: matmul(a.rows, b.rows, { transB: true }),
    },
    n,
  );
}

/** HSIC₁(K, K) of each layer, [layers, 1]. */
function hsicOfItself(k: Value, n: number): Value {
  const { rows, total } = sumsOf(k);
  return hsic(
    {
      trace: reshape(reduceSum(square(k), [1, 2]), total.shape),
      totals: square(total),
      rows: reduceSum(square(rows), [1], { keepDims: true }),
    },
    n,
  );
}

function hsic({ trace, totals, rows }: Readonly<Record<"trace" | "totals" | "rows", Value>>, n: number): Value {
  const whole = sub(add(trace, div(totals, (n - 1) * (n - 2))), mul(rows, 2 / (n - 2)));
  return div(whole, n * (n - 3));
}

/**
 * Linear CKA between all layers of two models, or of one with itself (Kornblith et al. 2019), from minibatches by unbiased HSIC (Nguyen et al.
 * 2021): sums of HSIC over the batches, the product of both models' own under a root. Samples must be the same for both models, their
 * features may differ in number. Models compute as in evaluation; a graph gives the products of a batch, not its activations. Batches of 64 to
 * 256 samples are usual, each of 4 at least: smaller ones are left out. Throws OptionError for a layer that there is not, DataError for data
 * without a batch of 4 samples.
 * @example
 * const { rows, values } = await explain.layerSimilarity(model, model, test.batch(128), { batches: 4 });
 */
export async function layerSimilarity(
  first: AnyModule,
  second: AnyModule,
  data: Dataset<Batch>,
  options: LayerSimilarityOptions = {},
): Promise<LayerSimilarity> {
  const { layers, batches: most = Number.POSITIVE_INFINITY, compile } = checkOptions(options);
  const module = new PairedLayers(first, second, layers);
  const ask = predictor(module, { compile });
  let sums: Float64Array | undefined;
  let [samples, batches] = [0, 0];
  try {
    for await (const batch of data.epoch(0)) {
      if (batches === most) break;
      batches++;
      const inputs = inputsOfBatch([first, second], batch);
      const own = samplesOf(inputs);
      if (own < 4) continue;
      const { data: found } = (await ask(inputs as never)) as unknown as Tensor<"float64">;
      sums = sums ? sums.map((value, i) => value + (found[i] ?? 0)) : Float64Array.from(found);
      samples += own;
    }
  } finally {
    await ask.release();
  }
  if (!sums)
    throw new DataError(
      `layerSimilarity: none of ${batches} batches has 4 samples, which the unbiased estimate needs; pass data.batch(128)`,
    );
  const { rows, columns } = module.found;
  const [pairs, both] = [rows.length * columns.length, sums];
  const values = new Float64Array(pairs).map((_, i) => {
    const a = both[pairs + Math.floor(i / columns.length)] ?? 0;
    const b = both[pairs + rows.length + (i % columns.length)] ?? 0;
    return a > 0 && b > 0 ? (both[i] ?? 0) / Math.sqrt(a * b) : Number.NaN;
  });
  return { rows, columns, values, samples };
}
