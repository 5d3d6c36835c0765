/** Static quantization: weights and activations in 8 bits, with ranges that were seen on data. */
import { count, flag, oneOf, pathPatternsType, share } from "../../core/option-types.ts";
import { type OptionTypes, optionsOf } from "../../core/options.ts";
import type { PathPatterns } from "../../core/path-pattern.ts";
import type { Batch, Dataset } from "../../data/pipeline/dataset.ts";
import { inputsType, metadataType } from "../../formats/files/export-onnx.ts";
import type { AnyModule, TypeTree } from "../../nn/index.ts";
import { traceForCompression } from "../graph/trace-model.ts";
import { encodeWeighted, type WeightedGraph } from "../graph/weighted-graph.ts";
import { calibrate } from "./calibrate.ts";
import type { Byte, Range } from "./grid.ts";
import { placementOf } from "./placement.ts";
import { quantizedGraph } from "./quantized-graph.ts";
import type { QuantizedModel } from "./quantized-model.ts";
import { type RangeMethod, rangeMethods } from "./ranges.ts";
import { saturatesHere, saturationNote } from "./saturation.ts";
import { namesWithout, plainProducts, requireSites, sitesOf, withoutKept } from "./sites.ts";
import { smoothed } from "./smooth.ts";

/** Options of `quantizeStatic`. */
export interface StaticOptions {
  /** Types of the inputs; default those that the model was last applied to. */
  readonly inputs?: TypeTree | undefined;
  /** Layers that stay float32, by their paths; default none. */
  readonly keep?: PathPatterns | undefined;
  /** How ranges of activations are chosen of what calibration saw; default `"minmax"`. */
  readonly ranges?: RangeMethod | undefined;
  /** Samples that calibration looks at, at most, to the end of a batch; default 256. */
  readonly samples?: number | undefined;
  /** A scale for each output channel of a weight, rather than one for all; default true. */
  readonly perChannel?: boolean | undefined;
  /** Dtype of activations; default `"uint8"`, which ONNX Runtime has the fastest products for. */
  readonly activations?: Byte | undefined;
  /** Activations whose zero lies in the middle of their numbers; default false. */
  readonly symmetric?: boolean | undefined;
  /**
   * Weights of 7 bits, for processors whose products of 8 bits saturate (x86 before VNNI); default false. A note says so where this machine
   * does.
   */
  readonly reduceRange?: boolean | undefined;
  /**
   * How much of the size of what dense layers take is moved to their weights before both are rounded, from 0 to 1 (SmoothQuant; Xiao et al. 2023,
   * eq. 4, where 0.5 is usual); default nothing is. For Transformers whose features have outliers.
   */
  readonly smooth?: number | undefined;
  /** Text to note in the file, such as the names of classes; default none. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

export const staticTypes: OptionTypes<StaticOptions> = {
  inputs: inputsType,
  keep: pathPatternsType,
  ranges: oneOf(...rangeMethods),
  samples: count(),
  perChannel: flag,
  activations: oneOf("uint8", "int8"),
  symmetric: flag,
  reduceRange: flag,
  smooth: share,
  metadata: metadataType,
};
const checkOptions = optionsOf("quantizeStatic", staticTypes);

/**
 * A model whose products are computed in 8 bits: weights around 0 by output channel, activations by the ranges that they have on `data`,
 * written as QuantizeLinear and DequantizeLinear, which ONNX Runtime fuses to products of whole numbers (Jacob et al. 2018; Nagel et al. 2021).
 * Normalization by running statistics is folded first. What the model computes otherwise stays float32.
 *
 * Throws OptionError for a model without such layers, or where `keep` names one that is not there, DataError for data without samples, or of one
 * class alone, NonFiniteError where calibration meets such numbers, and what tracing throws.
 * @param data batches like those of training, of the training part
 * @example const { bytes } = await quantizeStatic(model, train.batch(32), { inputs: { dtype: "float32", shape: [1, 1, 28, 28] } });
 */
export const quantizeStatic = async (
  model: AnyModule,
  data: Dataset<Batch>,
  options: StaticOptions = {},
): Promise<QuantizedModel> => (await calibratedModel(model, data, checkOptions(options))).quantized();

/** A model whose ranges are known, of which any layers can be quantized. */
export interface CalibratedModel {
  /** In float32. */
  readonly traced: WeightedGraph;
  /** Layers that can be quantized. */
  readonly layers: readonly string[];
  /** The model with all of these layers quantized but some. */
  quantized(keep?: PathPatterns): QuantizedModel;
}

/** Looks at the data for `quantizeStatic`, whose options were checked. Throws as that does. */
export async function calibratedModel(
  model: AnyModule,
  data: Dataset<Batch>,
  options: StaticOptions = {},
): Promise<CalibratedModel> {
  const {
    inputs,
    keep,
    ranges: method = "minmax",
    samples = 256,
    perChannel = true,
    activations = "uint8",
    symmetric = false,
    reduceRange = false,
    smooth,
    metadata,
  } = options;
  const plain = plainProducts(traceForCompression(model, inputs, "quantizeStatic"));
  const all = sitesOf(plain);
  requireSites(withoutKept(all, keep), "quantizeStatic");
  const traced =
    smooth === undefined ? plain : await smoothed(plain, withoutKept(all, keep), { data, samples, strength: smooth });
  const sites = withoutKept(sitesOf(traced), keep);
  const whole = placementOf(traced, sites);
  const sources = await calibrate(traced, [...new Set(whole.values())], { data, samples, method });
  // Of fewer layers a value may be the first of those that share a range.
  const ranges = new Map([...whole].map(([value, source]) => [value, sources.get(source) as Range]));
  const form = { perChannel, activations, symmetric, reduceRange };
  const saturates = !reduceRange && (await saturatesHere());
  return {
    traced: plain,
    layers: [...new Set(sites.map(({ name }) => name))],
    quantized(others) {
      const chosen = withoutKept(sites, others);
      requireSites(chosen, "quantizeStatic");
      const { graph, layers } = quantizedGraph(
        traced,
        { sites: chosen, placement: placementOf(traced, chosen), ranges },
        form,
      );
      const notes = saturates ? [saturationNote] : [];
      return { bytes: encodeWeighted(graph, metadata), layers, kept: namesWithout(all, chosen), notes };
    },
  };
}
