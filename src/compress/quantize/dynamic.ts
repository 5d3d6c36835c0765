/** Dynamic quantization: weights in 8 bits, and what they multiply by the range that it has in each run. */
import { pathPatternsType } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import type { PathPatterns } from "../../core/path-pattern.ts";
import { Tensor, transposed } from "../../core/tensor.ts";
import { inputsType, metadataType } from "../../formats/files/export-onnx.ts";
import { input, type Value } from "../../graph/ir.ts";
import { makeNode } from "../../graph/op.ts";
import { rewrite } from "../../graph/rewrite.ts";
import type { AnyModule, TypeTree } from "../../nn/index.ts";
import { add, constant, DynamicQuantizeLinear } from "../../ops/index.ts";
import { realProduct } from "../../ops/quantized/products.ts";
import { traceForCompression } from "../graph/trace-model.ts";
import { encodeWeighted, withOutputs } from "../graph/weighted-graph.ts";
import { quantizedWeight, realNumbers } from "./grid.ts";
import { type QuantizedLayer, type QuantizedModel, quantizedLayer } from "./quantized-model.ts";
import { namesWithout, requireSites, rowsOf, type Site, sitesOf, withoutKept } from "./sites.ts";

/** Options of `quantizeDynamic`. */
export interface DynamicOptions {
  /** Types of the inputs; default those that the model was last applied to. */
  readonly inputs?: TypeTree | undefined;
  /** Layers that stay float32, by their paths; default none. */
  readonly keep?: PathPatterns | undefined;
  /** Text to note in the file, such as the names of classes; default none. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

const checkOptions = optionsOf<DynamicOptions>("quantizeDynamic", {
  inputs: inputsType,
  keep: pathPatternsType,
  metadata: metadataType,
});

/**
 * A model whose dense layers hold int8, with a scale for each output, and are computed in 8 bits: what they take is rounded in each run by its own range, so that no
 * data is needed. For Transformers and other networks of dense layers; convolutions stay float32, since ONNX Runtime computes them slower so. Throws OptionError for
 * a model without dense layers or where `keep` names one that is not there, and what tracing throws.
 * @example const { bytes } = quantizeDynamic(encoder, { inputs: { dtype: "int64", shape: [1, 128] } });
 */
export function quantizeDynamic(model: AnyModule, options: DynamicOptions = {}): QuantizedModel {
  const { inputs, keep, metadata } = checkOptions(options);
  const traced = traceForCompression(model, inputs, "quantizeDynamic");
  const all = sitesOf(traced);
  const sites = withoutKept(all, keep).filter(({ kind }) => kind === "dense");
  requireSites(sites, "quantizeDynamic");
  const weights = new Map(traced.parameters);
  const siteOf = new Map(sites.map((site) => [site.node, site]));
  const layers = new Map<Value, QuantizedLayer>();
  const stored = new Map<Value, { readonly numbers: Value; readonly scale: Value; readonly zero: Value }>();
  const store = (name: string, tensor: Tensor): Value => {
    const value = input(tensor.dtype, tensor.shape, name);
    weights.set(value, tensor);
    return value;
  };
  const storedOf = (site: Site) => {
    const known = stored.get(site.weight);
    if (known) return known;
    const { rows, data } = rowsOf(site);
    const turned = new Tensor("float32", [rows, data.length / rows], data);
    // [inputs, outputs], as products of whole numbers take it.
    const own = quantizedWeight(transposed(turned, [1, 0]), 1, 127);
    layers.set(site.weight, quantizedLayer({ ...site, held: transposed(turned, [1, 0]) }, 8, realNumbers(own, 1)));
    const result = {
      numbers: store(`${site.weight.name}_int8`, own.numbers),
      scale: store(`${site.weight.name}_scale`, own.scale),
      zero: constant(own.zero),
    };
    stored.set(site.weight, result);
    return result;
  };
  /** What is multiplied, rounded once for all layers that take it. */
  const rounded = new Map<Value, readonly Value[]>();
  const { outputs } = rewrite(traced.graph.outputs, (node, original) => {
    const site = siteOf.get(original);
    const [x, , bias] = node.inputs;
    if (!site || !x) return undefined;
    const parts = rounded.get(x) ?? makeNode(DynamicQuantizeLinear, [x]).outputs;
    rounded.set(x, parts);
    const [numbers, scale, zero] = parts as readonly [Value, Value, Value];
    const product = realProduct({ numbers, scale, zero }, storedOf(site));
    return [bias ? add(product, bias) : product];
  });
  return {
    bytes: encodeWeighted(withOutputs(traced, outputs, weights), metadata),
    layers: [...layers.values()],
    kept: namesWithout(all, sites),
    notes: [],
  };
}
