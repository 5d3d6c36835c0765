/** A graph with rounded weights and values, as ONNX Runtime fuses it to products of whole numbers. */
import { Tensor } from "../../core/tensor.ts";
import type { Node, Value } from "../../graph/ir.ts";
import { apply } from "../../graph/op.ts";
import { rewrite } from "../../graph/rewrite.ts";
import { AveragePool, constant, DequantizeLinear, QuantizeLinear } from "../../ops/index.ts";
import { type WeightedGraph, withOutputs } from "../graph/weighted-graph.ts";
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
import type { Placement } from "./placement.ts";
import { type QuantizedLayer, quantizedLayer } from "./quantized-model.ts";
import type { Site } from "./sites.ts";
import { dequantized, type Stored } from "./stored-weight.ts";

/** How weights and activations are rounded. */
export interface Form {
  readonly perChannel: boolean;
  readonly activations: Byte;
  readonly symmetric: boolean;
  readonly reduceRange: boolean;
}

/** What is rounded, and by which ranges. */
export interface Plan {
  readonly sites: readonly Site[];
  readonly placement: Placement;
  readonly ranges: ReadonlyMap<Value, Range>;
}

/** The graph with rounded values and weights. */
export function quantizedGraph(traced: WeightedGraph, { sites, placement, ranges }: Plan, form: Form) {
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
