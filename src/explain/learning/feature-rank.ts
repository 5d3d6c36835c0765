/** How many dimensions the features of layers fill. */
import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import { DataError } from "../../core/errors.ts";
import { flag, pathPatternsType } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import type { PathPatterns } from "../../core/path-pattern.ts";
import type { Tensor } from "../../core/tensor.ts";
import type { Batch } from "../../data/pipeline/dataset.ts";
import type { Value } from "../../graph/ir.ts";
import { type CompileOptions, checkCompile } from "../../jit/compile.ts";
import { type AnyModule, type Context, Module } from "../../nn/index.ts";
import { samplesOf } from "../../train/engine/objective.ts";
import { predictor } from "../../train/predict.ts";
import { type FeatureLayer, inputsOfBatch, layerGrams } from "./layer-grams.ts";

/** Options of `featureRank`. */
export interface FeatureRankOptions {
  /** Which layers, by their paths; default all that compute. */
  readonly layers?: PathPatterns | undefined;
  /** Subtract each feature's mean over the samples, so that what all samples share is no dimension; default true. */
  readonly centered?: boolean;
  /** Threads; float64 is computed by the processor. */
  readonly compile?: CompileOptions | undefined;
}

/** The dimensions that the features of a layer fill, from 0 of a constant layer to `most`. */
export interface LayerRank extends FeatureLayer {
  /** exp of the entropy of σ / Σσ, of the singular values σ of the features [N, features] (Roy and Vetterli 2007). */
  readonly effective: number;
  /** Σσ² / largest σ²: how many times the strongest direction's energy there is. */
  readonly stable: number;
  /** What either can be at the most: the features, or the samples, less one when centered. */
  readonly most: number;
}

/** Beyond this, singular values take minutes a layer. */
const mostSamples = 1024;

const checkOptions = optionsOf<FeatureRankOptions>("featureRank", {
  layers: pathPatternsType,
  centered: flag,
  compile: checkCompile.type,
});

/** The Gram matrices of a model's layers. */
class FeatureGrams extends Module<Readonly<Record<string, Value>>, Value> {
  override readonly inputs = "tree";
  readonly model: AnyModule;
  readonly #options: Parameters<typeof layerGrams>[3];
  #layers: readonly FeatureLayer[] = [];

  constructor(model: AnyModule, options: Parameters<typeof layerGrams>[3]) {
    super();
    this.model = model;
    this.#options = options;
  }

  /** Those of the last trace. */
  get layers(): readonly FeatureLayer[] {
    return this.#layers;
  }

  protected call(batch: Readonly<Record<string, Value>>, context: Context): Value {
    const { layers, grams } = layerGrams(this.model, batch, context, this.#options);
    this.#layers = layers;
    return grams;
  }
}

/**
 * The effective and the stable rank of each layer's features over the samples of a batch: how many dimensions a layer uses of those that it has.
 * Features of images and sequences count at every place. The model computes as in evaluation. With N samples no rank is above N, so that wide
 * layers want several hundred; 1,024 at the most. Throws OptionError for a layer that there is not, DataError for too few or too many samples.
 * @example const [first] = await explain.featureRank(model, batch, { layers: "layers.*" });
 */
export async function featureRank(
  model: AnyModule,
  batch: Batch,
  options: FeatureRankOptions = {},
): Promise<readonly LayerRank[]> {
  const { layers, centered = true, compile } = checkOptions(options);
  const inputs = inputsOfBatch([model], batch);
  const samples = samplesOf(inputs);
  if (samples < 2 || samples > mostSamples)
    throw new DataError(
      `featureRank: the batch has ${samples} samples; pass from 2 to ${mostSamples}, such as the first of data.batch(256)`,
    );
  const module = new FeatureGrams(model, { layers, centered });
  const ask = predictor(module, { compile });
  try {
    const { data } = (await ask(inputs as never)) as unknown as Tensor<"float64">;
    const each = samples * samples;
    return module.layers.map((layer, i): LayerRank => {
      const squares = squaresOf(data.subarray(i * each, (i + 1) * each), samples);
      const most = Math.min(layer.features, centered ? samples - 1 : samples);
      return { ...layer, ...ranksOf(squares), most };
    });
  } finally {
    await ask.release();
  }
}

/** The squared singular values of features by their Gram matrix, whose eigenvalues they are; what rounding leaves is 0. */
function squaresOf(gram: Float64Array, samples: number): readonly number[] {
  if (gram.some((value) => !Number.isFinite(value))) return [Number.NaN];
  const matrix = Matrix.from1DArray(samples, samples, gram);
  const { realEigenvalues } = new EigenvalueDecomposition(matrix, { assumeSymmetric: true });
  const largest = realEigenvalues.reduce((most, own) => Math.max(most, own), 0);
  const floor = largest * samples * 2 ** -52;
  return realEigenvalues.map((own) => (own > floor ? own : 0));
}

/** Ranks from squared singular values; 0 where all are 0. */
export function ranksOf(squares: readonly number[]): Pick<LayerRank, "effective" | "stable"> {
  const singular = squares.map(Math.sqrt);
  const sum = singular.reduce((total, own) => total + own, 0);
  const energy = squares.reduce((total, own) => total + own, 0);
  if (sum === 0) return { effective: 0, stable: 0 };
  const entropy = singular.reduce((total, own) => (own === 0 ? total : total - (own / sum) * Math.log(own / sum)), 0);
  return { effective: Math.exp(entropy), stable: energy / Math.max(...squares) };
}
