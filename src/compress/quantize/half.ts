/** Weights in float16: half the file, for any device. */

import { float16Number, float32ToFloat16 } from "../../core/half.ts";
import { pathPatternsType } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import type { PathPatterns } from "../../core/path-pattern.ts";
import { asFloat32, Tensor } from "../../core/tensor.ts";
import { inputsType, metadataType } from "../../formats/files/export-onnx.ts";
import { input, type Value } from "../../graph/ir.ts";
import { rewrite } from "../../graph/rewrite.ts";
import type { AnyModule, TypeTree } from "../../nn/index.ts";
import { cast } from "../../ops/index.ts";
import { traceForCompression } from "../graph/trace-model.ts";
import { encodeWeighted, withOutputs } from "../graph/weighted-graph.ts";
import { type QuantizedModel, quantizedLayer } from "./quantized-model.ts";
import { lookupsOf, requireSites, sitesOf, withoutKept } from "./sites.ts";

/** Options of `halveWeights`. */
export interface HalfOptions {
  /** Types of the inputs; default those that the model was last applied to. */
  readonly inputs?: TypeTree | undefined;
  /** Layers that stay float32, by their paths; default none. */
  readonly keep?: PathPatterns | undefined;
  /** Text to note in the file, such as the names of classes; default none. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

const checkOptions = optionsOf<HalfOptions>("halveWeights", {
  inputs: inputsType,
  keep: pathPatternsType,
  metadata: metadataType,
});

/** The largest number of float16. */
const largest = 65504;

/**
 * A model whose convolutions, dense layers and embeddings are stored in float16, and made float32 by a Cast as the file is loaded, which every device
 * can: half the bytes, the same speed. A weight with a number beyond 65,504 stays float32, which `notes` says. Throws OptionError where nothing is to be
 * stored so or `keep` names a layer that is not there, and what tracing throws.
 * @example const { bytes } = halveWeights(model, { inputs: { dtype: "float32", shape: [1, 3, 224, 224] } });
 */
export function halveWeights(model: AnyModule, options: HalfOptions = {}): QuantizedModel {
  const { inputs, keep, metadata } = checkOptions(options);
  const traced = traceForCompression(model, inputs, "halveWeights");
  const all = [...sitesOf(traced), ...lookupsOf(traced)];
  const chosen = withoutKept(all, keep);
  requireSites(chosen, "halveWeights");
  const fits = chosen.filter(({ held }) => held.data.every((w) => Math.abs(w) <= largest));
  const unique = new Map(fits.map((site) => [site.weight, site]));
  const weights = new Map(traced.parameters);
  const given = new Map<Value, Value>();
  const layers = Array.from(unique.values(), (site) => {
    const numbers = float32ToFloat16(asFloat32(site.held).data);
    const stored = input("float16", site.held.shape, site.weight.name);
    weights.set(stored, new Tensor("float16", site.held.shape, numbers));
    given.set(site.weight, cast(stored, "float32"));
    return quantizedLayer(site, 16, (i) => float16Number(numbers[i] as number));
  });
  const { outputs } = rewrite(traced.graph.outputs, () => undefined, given);
  const stayed = [...new Set(all.flatMap(({ weight, name }) => (unique.has(weight) ? [] : [name])))];
  const large = chosen.flatMap(({ weight, name }) => (unique.has(weight) ? [] : [name]));
  return {
    bytes: encodeWeighted(withOutputs(traced, outputs, weights), metadata),
    layers,
    kept: stayed,
    notes: large.length > 0 ? [`${large.join(", ")}: numbers beyond 65,504, which float16 lacks; kept in float32`] : [],
  };
}
