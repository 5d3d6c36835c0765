/** Static quantization: weights and activations in 8 bits, with ranges that were seen on data. */
import { count, flag, oneOf, pathPatternsType, share } from "../../core/option-types.ts";
import { type OptionTypes, optionsOf } from "../../core/options.ts";
import type { PathPatterns } from "../../core/path-pattern.ts";
import { Tensor } from "../../core/tensor.ts";
import type { Batch, Dataset } from "../../data/pipeline/dataset.ts";
import { inputsType, metadataType } from "../../formats/files/export-onnx.ts";
import type { Node, Value } from "../../graph/ir.ts";
import { apply } from "../../graph/op.ts";
import { rewrite } from "../../graph/rewrite.ts";
import type { AnyModule, TypeTree } from "../../nn/index.ts";
import { AveragePool, constant, DequantizeLinear, QuantizeLinear } from "../../ops/index.ts";
import { traceForCompression } from "../graph/trace-model.ts";
import { encodeWeighted, type WeightedGraph, withOutputs } from "../graph/weighted-graph.ts";
import { calibrate } from "./calibrate.ts";
import {
  type Byte,
  type Grid,
  gridOf,
  type QuantizedWeight,
  quantizedWeight,
  type Range,
  realNumbers,
  roundHalfEven,
} from "./grid.ts";
import { type Placement, placementOf } from "./placement.ts";
import { type QuantizedLayer, type QuantizedModel, quantizedLayer } from "./quantized-model.ts";
import { type RangeMethod, rangeMethods } from "./ranges.ts";
import { saturatesHere, saturationNote } from "./saturation.ts";
import { namesWithout, plainProducts, requireSites, type Site, sitesOf, withoutKept } from "./sites.ts";
import { smoothed } from "./smooth.ts";
import { dequantized, type Stored } from "./stored-weight.ts";

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

/** How weights and activations are rounded. */
interface Form {
  readonly perChannel: boolean;
  readonly activations: Byte;
  readonly symmetric: boolean;
  readonly reduceRange: boolean;
}

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

interface Plan {
  readonly sites: readonly Site[];
  readonly placement: Placement;
  readonly ranges: ReadonlyMap<Value, Range>;
}

/** The graph with rounded values and weights. */
function quantizedGraph(traced: WeightedGraph, { sites, placement, ranges }: Plan, form: Form) {
  const weights = new Map(traced.parameters);
  const grids = new Map<Value, Grid>();
  const gridFor = (value: Value | undefined): Grid | undefined => {
    const source = value && placement.get(value);
    const range = source && ranges.get(source);
    if (!source || !range) return undefined;
    const known = grids.get(source) ?? gridOf(range, form.activations, form.symmetric);
    grids.set(source, known);
    return known;
  };
  const siteOf = new Map(sites.map((site) => [site.weight, site]));
  const layers = new Map<Value, QuantizedLayer>();
  /** A weight may serve several products. */
  const known = new Map<Value, QuantizedWeight>();
  /** The value of the float graph whose rounded form a rewritten one is. */
  const sources = new Map<Value, Value>();
  const rounded = (value: Value, source: Value): Value => {
    const grid = gridFor(source);
    if (!grid) return value;
    const settings = [scalarOf(grid.scale), constant(zeroTensor(grid))];
    const result = apply(DequantizeLinear, [apply(QuantizeLinear, [value, ...settings]), ...settings]);
    sources.set(result, source);
    return result;
  };
  const given = new Map(
    traced.graph.inputs.flatMap((value) => (placement.has(value) ? [[value, rounded(value, value)] as const] : [])),
  );
  const { outputs } = rewrite(
    traced.graph.outputs,
    (node, original) => {
      const [x, weight, bias] = node.inputs;
      const site = weight && siteOf.get(weight);
      const grid = site && x && gridFor(sources.get(x));
      let results: readonly Value[] = plainPool(node) ?? node.outputs;
      if (site && grid) {
        const heldBias = bias && weights.get(bias);
        const own = known.get(weight) ?? storedWeight(site, heldBias, grid, form);
        known.set(weight, own);
        const w = dequantized(weight, own, site.outputAxis, weights);
        const b =
          heldBias && isChannelBias(heldBias, site)
            ? dequantized(bias, storedBias(heldBias, own, grid), 0, weights)
            : bias;
        layers.set(weight, quantizedLayer(site, 8, realNumbers(own, site.outputAxis)));
        results = [apply(node.op, [x, w, b], node.attributes)];
      }
      const replaced = results.map((value, i) => {
        const source = original.outputs[i] as Value;
        return placement.has(source) ? rounded(value, source) : value;
      });
      return replaced.every((value, i) => value === node.outputs[i]) ? undefined : replaced;
    },
    given,
  );
  return { graph: withOutputs(traced, outputs, weights), layers: [...layers.values()] };
}

/**
 * A mean of windows without the attribute `dilations`, which ONNX Runtime refuses where it makes whole numbers of one (QLinearAveragePool 1.30:
 * "Unrecognized attribute"); `undefined` for any other node.
 */
function plainPool({ op, inputs, attributes }: Node): readonly Value[] | undefined {
  if (op !== AveragePool || attributes["dilations"] === undefined) return undefined;
  const { dilations: _, ...others } = attributes;
  return [apply(op, inputs, others)];
}

const scalarOf = (scale: number): Value => constant(new Tensor("float32", [], Float32Array.of(scale)));

const zeroTensor = ({ dtype, zero }: Grid): Tensor =>
  dtype === "uint8" ? new Tensor("uint8", [], Uint8Array.of(zero)) : new Tensor("int8", [], Int8Array.of(zero));

const isChannelBias = (bias: Tensor, { held, outputAxis }: Site): boolean =>
  bias.data.length === held.shape[outputAxis];

/** The largest number of 32 bits that float32 holds. */
const largest = 2 ** 31 - 2 ** 8;

/**
 * A weight in int8. A bias that is large beside its weights would not fit into 32 bits by the product of both scales: the scale of the weights
 * grows until it does.
 */
function storedWeight(
  site: Site,
  bias: Tensor | undefined,
  grid: Grid,
  { perChannel, reduceRange }: Form,
): QuantizedWeight {
  const least = new Float64Array(perChannel ? (site.held.shape[site.outputAxis] ?? 1) : 1);
  for (const [c, b] of bias && isChannelBias(bias, site) ? (bias.data as Float32Array).entries() : []) {
    const own = perChannel ? c : 0;
    least[own] = Math.max(least[own] as number, Math.abs(b) / (grid.scale * largest));
  }
  return quantizedWeight(site.held, perChannel ? site.outputAxis : undefined, reduceRange ? 63 : 127, least);
}

/** A bias in int32 by the product of the scales of what is multiplied, as ONNX Runtime adds it. */
function storedBias(bias: Tensor, { scale }: QuantizedWeight, grid: Grid): Stored {
  const scales = scale.data.map((own) => own * grid.scale);
  const of = (c: number) => scales[scales.length === 1 ? 0 : c] as number;
  const numbers = Int32Array.from(bias.data as Float32Array, (b, c) => roundHalfEven(b / of(c)));
  return { numbers: new Tensor("int32", [numbers.length], numbers), scale: new Tensor("float32", scale.shape, scales) };
}
