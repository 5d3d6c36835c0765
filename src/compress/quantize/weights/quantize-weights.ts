/** Quantization of weights alone: 4 or 8 bits in blocks, computed by ONNX Runtime's product with packed weights. */
import { OptionError } from "../../../core/errors.ts";
import { count, flag, having, matching, oneOf, pathPatternsType } from "../../../core/option-types.ts";
import { optionsOf, required } from "../../../core/options.ts";
import type { PathPatterns } from "../../../core/path-pattern.ts";
import { Tensor } from "../../../core/tensor.ts";
import type { Batch, Dataset } from "../../../data/pipeline/dataset.ts";
import { inputsType, metadataType } from "../../../formats/files/export-onnx.ts";
import { input, type Node, type Value } from "../../../graph/ir.ts";
import { apply } from "../../../graph/op.ts";
import { rewrite } from "../../../graph/rewrite.ts";
import type { AnyModule, TypeTree } from "../../../nn/index.ts";
import { add, cast, int64s, MatMulNBits, mul, Reshape, reshape, slice, sub, unsqueeze } from "../../../ops/index.ts";
import { traceForCompression } from "../../graph/trace-model.ts";
import { encodeWeighted, type WeightedGraph, withOutputs } from "../../graph/weighted-graph.ts";
import { featureMoments, featureSizes } from "../feature-statistics.ts";
import { type QuantizedWeight, quantizedWeight, realNumbers } from "../grid.ts";
import { type QuantizedLayer, type QuantizedModel, quantizedLayer } from "../quantized-model.ts";
import { lookupsOf, namesWithout, requireSites, rowsOf, type Site, sitesOf, withoutKept } from "../sites.ts";
import { dequantized } from "../stored-weight.ts";
import { compareLevels } from "./accuracy-level.ts";
import { awqScaled } from "./awq.ts";
import { type BlockForm, roundToNearest } from "./blocks.ts";
import { gptq } from "./gptq.ts";

/** How weights are rounded. */
export const roundingMethods = ["nearest", "gptq", "awq"] as const;
/** Name of a way to round, see `roundingMethods`. */
export type RoundingMethod = (typeof roundingMethods)[number];

/** Options of `quantizeWeights`. */
export interface WeightOptions {
  /** Bits of a weight. */
  readonly bits: 4 | 8;
  /** Weights of a row that share a scale: 16, 32 (the default), 64, 128 or 256. */
  readonly block?: number | undefined;
  /** Blocks around 0, which take no zero; default false: each block has a zero of its own. */
  readonly symmetric?: boolean | undefined;
  /** To the nearest (the default); by GPTQ, which makes up for errors in the rest of a row; or by AWQ, which scales features first. The latter two need `data`. */
  readonly method?: RoundingMethod | undefined;
  /** Batches like those of training, of the training part. */
  readonly data?: Dataset<Batch> | undefined;
  /** Samples of `data` that are looked at, at most, to the end of a batch; default 128. */
  readonly samples?: number | undefined;
  /**
   * What products are computed in: 0 and 1 float32, 4 int8 with a scale for each block of what is multiplied. Default: what is faster on this machine with `data`, where
   * int8 changes the outputs no more than rounding the weights did; without data 0.
   */
  readonly accuracyLevel?: 0 | 1 | 4 | undefined;
  /** Types of the inputs; default those that the model was last applied to. */
  readonly inputs?: TypeTree | undefined;
  /** Layers that stay float32, by their paths; default none. */
  readonly keep?: PathPatterns | undefined;
  /** Text to note in the file, such as the names of classes; default none. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

const checkOptions = optionsOf<WeightOptions>("quantizeWeights", {
  bits: required(matching("4 or 8", (bits) => bits === 4 || bits === 8)),
  block: matching("16, 32, 64, 128 or 256", (block) => [16, 32, 64, 128, 256].includes(block as number)),
  symmetric: flag,
  method: oneOf(...roundingMethods),
  data: having<Dataset<Batch>>("epoch", "a dataset"),
  samples: count(),
  accuracyLevel: matching("0, 1 or 4", (level) => [0, 1, 4].includes(level as number)),
  inputs: inputsType,
  keep: pathPatternsType,
  metadata: metadataType,
});

/**
 * A model whose weights take 4 or 8 bits, in blocks of a row with a scale each, while everything is computed in float32 (or products in int8, see `accuracyLevel`):
 * dense layers by ONNX Runtime's MatMulNBits, embeddings as rows of int8 with a scale each, of which only those that are asked for are read (as blocks where a product reads the table too), and
 * convolutions in int8 by DequantizeLinear. It makes files smaller, and single rows, such as a token at a time, faster where memory is the limit.
 *
 * Throws OptionError where nothing is to be quantized, a method lacks its data, or `keep` names a layer that is not there, DataError for data
 * without samples, and what tracing throws.
 * @example const { bytes } = await quantizeWeights(model, { bits: 4, method: "gptq", data: train.batch(8) });
 */
export async function quantizeWeights(model: AnyModule, options: WeightOptions): Promise<QuantizedModel> {
  const {
    bits,
    block = 32,
    symmetric = false,
    method = "nearest",
    data,
    samples = 128,
    accuracyLevel,
    inputs,
    keep,
    metadata,
  } = checkOptions(options);
  if (method !== "nearest" && !data)
    throw new OptionError(
      `quantizeWeights: ${method} looks at what layers take; pass some of the training data: { data }`,
    );
  const form: BlockForm = { bits, block, symmetric };
  const traced = traceForCompression(model, inputs, "quantizeWeights");
  const everything = (graph: WeightedGraph) => [...sitesOf(graph), ...lookupsOf(graph)];
  const sites = withoutKept(everything(traced), keep);
  requireSites(sites, "quantizeWeights");
  const taken = [
    ...new Set(sites.flatMap(({ kind, node }) => (kind === "dense" && node.inputs[0] ? [node.inputs[0]] : []))),
  ];
  const graph =
    method === "awq" && data
      ? awqScaled(traced, sites, await featureSizes(traced, taken, { data, samples }), form)
      : traced;
  const moments = method === "gptq" && data ? await featureMoments(traced, taken, { data, samples }) : undefined;
  const chosen = withoutKept(everything(graph), keep);
  const kept = namesWithout(everything(graph), chosen);
  const build = (level: number) => packedGraph(graph, chosen, { form, level, moments });
  const plain = build(accuracyLevel ?? 0);
  const plainFile = { graph: plain.graph, bytes: encodeWeighted(plain.graph, metadata) };
  if (accuracyLevel !== undefined || !data) return { bytes: plainFile.bytes, layers: plain.layers, kept, notes: [] };
  const whole = build(4);
  const wholeFile = { graph: whole.graph, bytes: encodeWeighted(whole.graph, metadata) };
  const { isBetter, note } = await compareLevels(traced, plainFile, wholeFile, data);
  return { bytes: (isBetter ? wholeFile : plainFile).bytes, layers: plain.layers, kept, notes: [note] };
}

interface Packing {
  readonly form: BlockForm;
  readonly level: number;
  /** Of what dense layers take, for GPTQ. */
  readonly moments: ReadonlyMap<Value, Float64Array> | undefined;
}

/** The graph that reads packed weights. */
function packedGraph(traced: WeightedGraph, sites: readonly Site[], { form, level, moments }: Packing) {
  const weights = new Map(traced.parameters);
  const siteOf = new Map(sites.map((site) => [site.node, site]));
  const layers: QuantizedLayer[] = [];
  const packed = new Map<Value, Packed>();
  /**
   * Tables that are also the weight of a product, as of a language model's head: both read the same blocks, of 8 bits, since an error counts twice, and without
   * zeros.
   */
  const looked = new Set(sites.flatMap(({ kind, weight }) => (kind === "embedding" ? [weight] : [])));
  const tied = new Set(sites.flatMap(({ kind, weight }) => (kind === "dense" && looked.has(weight) ? [weight] : [])));
  /** Of convolutions and of tables. */
  const inBytes = new Map<Value, QuantizedWeight>();
  const store = (name: string, tensor: Tensor): Value => {
    const value = input(tensor.dtype, tensor.shape, name);
    weights.set(value, tensor);
    return value;
  };
  /** The packed weight of a site, once for all that read it. */
  const packedWeight = (site: Site): Packed => {
    const known = packed.get(site.weight);
    if (known) return known;
    const { rows, data } = rowsOf(site);
    const isTied = tied.has(site.weight);
    const own = isTied ? ({ ...form, bits: 8, symmetric: true } as const) : form;
    const [x] = site.node.inputs;
    const seen = isTied || !x ? undefined : moments?.get(x);
    const made = seen ? gptq(data, rows, seen, own) : roundToNearest(data, rows, own);
    const columns = data.length / rows;
    const real = (i: number) => made.at(Math.floor(i / columns), i % columns);
    layers.push(quantizedLayer({ ...site, held: new Tensor("float32", [rows, columns], data) }, own.bits, real));
    const { elements, scales, zeros } = made.tensors();
    const name = site.weight.name ?? site.name;
    const result = {
      elements: store(`${name}_q${own.bits}`, elements),
      scales: store(`${name}_scales`, scales),
      zeros: zeros && store(`${name}_zeros`, zeros),
      rows,
      columns,
      bits: own.bits,
    };
    packed.set(site.weight, result);
    return result;
  };
  const { outputs } = rewrite(traced.graph.outputs, (node, original) => {
    const site = siteOf.get(original);
    if (!site) return undefined;
    if (site.kind === "embedding" && tied.has(site.weight)) return [rowsInBlocks(packedWeight(site), node)];
    if (site.kind !== "dense") {
      const stored = inBytes.get(site.weight) ?? quantizedWeight(site.held, 0, 127);
      if (!inBytes.has(site.weight)) layers.push(quantizedLayer(site, 8, realNumbers(stored, 0)));
      inBytes.set(site.weight, stored);
      if (site.kind === "embedding") return [rowsInBytes(site, stored, node, store)];
      const [x, , ...others] = node.inputs;
      return [apply(node.op, [x, dequantized(site.weight, stored, 0, weights), ...others], node.attributes)];
    }
    const { elements, scales, zeros, rows, columns, bits } = packedWeight(site);
    const [x, , bias] = node.inputs;
    const attributes = { K: columns, N: rows, bits, block_size: form.block, accuracy_level: level };
    const flat = reshape(scales, [rows * Math.ceil(columns / form.block)]);
    const product = apply(
      MatMulNBits,
      zeros ? [x, elements, flat, reshape(zeros, [-1])] : [x, elements, flat],
      attributes,
    );
    return [bias ? add(product, bias) : product];
  });
  return { graph: withOutputs(traced, outputs, weights), layers };
}

/** What stands for a weight in a graph. */
interface Packed {
  readonly elements: Value;
  readonly scales: Value;
  readonly zeros: Value | undefined;
  readonly rows: number;
  readonly columns: number;
  readonly bits: 4 | 8;
}

/** Rows of a table that is packed in blocks of 8 bits around 128, by their index. */
function rowsInBlocks(
  { elements, scales, columns }: Packed,
  { op, inputs: [, indices], outputs: [y], attributes }: Node,
): Value {
  const found = apply(op, [elements, indices], attributes); // [..., blocks, numbers]
  const scale = apply(op, [scales, indices], attributes); // [..., blocks]
  const real = mul(sub(cast(found, "float32"), 128), unsqueeze(scale, [scale.rank]));
  const length = (elements.shape[1] ?? 1) * (elements.shape[2] ?? 1);
  // Of any batch.
  const whole = apply(Reshape, [real, int64s([-1, ...y.shape.slice(1, -1), length])]);
  return slice(whole, { axis: -1, start: 0, end: columns });
}

/** Rows of a table in int8, by their index: the numbers that are looked up, by the scales of their rows. */
function rowsInBytes(
  { weight: { name } }: Site,
  { numbers, scale }: QuantizedWeight,
  { op, inputs: [, indices], attributes }: Node,
  store: (name: string, tensor: Tensor) => Value,
): Value {
  const rows = apply(op, [store(`${name}_int8`, numbers), indices], attributes);
  const column = new Tensor("float32", [scale.data.length, 1], scale.data);
  return mul(cast(rows, "float32"), apply(op, [store(`${name}_scale`, column), indices], attributes));
}
