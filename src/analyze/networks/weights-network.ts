/** Networks of which only the weights are known: a file of named tensors, without what is computed of them. */

import { groupBy } from "../../core/group-by.ts";
import { type Shape, size } from "../../core/shape.ts";
import type { LayerKind } from "../../nn/index.ts";
import { formulaOf } from "./formula.ts";
import type { Network, NetworkParameter } from "./network.ts";

/** A tensor of a file of weights, by name, without its elements. */
export interface NamedTensor {
  readonly name: string;
  readonly shape: Shape;
  /** Element type by name, such as `float32`, `bfloat16`, `int4`. */
  readonly type: string;
  /** Bits of an element. */
  readonly bits: number;
}

/** Names by which running statistics and other tensors that no optimizer moves are known. */
const bufferNames = /(^|\.)(running_(mean|var)|num_batches_tracked|moving_(mean|variance)|position_ids|inv_freq)$/;

/** The network of a file of weights: layers by the names before the last part, kinds by names and shapes. */
export function weightsNetwork(name: string, source: string, tensors: readonly NamedTensor[]): Network {
  const ownerOf = (tensor: string) => (tensor.includes(".") ? tensor.slice(0, tensor.lastIndexOf(".")) : "model");
  const parameters = tensors.map(({ name: path, shape, type, bits }): NetworkParameter => {
    const isBuffer = bufferNames.test(path) || /^(int|uint|bool)(?!4|8)/.test(type);
    return {
      name: path,
      layer: ownerOf(path),
      shape,
      elements: size(shape),
      type,
      bits,
      isBuffer,
      trainable: !isBuffer && /^b?float/.test(type),
      value: undefined,
    };
  });
  const layers = Array.from(
    groupBy(parameters, ({ layer }) => layer),
    ([layer, own]) => {
      // Weights before biases, however the file has them.
      const learned = own.filter(({ isBuffer }) => !isBuffer).sort((a, b) => b.shape.length - a.shape.length);
      return {
        name: layer,
        type: "weights",
        kind: kindOfShapes(layer, learned),
        scopes: [],
        outputShape: undefined,
        formula: formulaOf(learned.map(({ shape }) => shape)),
      };
    },
  );
  return {
    name,
    source,
    parameters,
    layers,
    graphs: undefined,
    notes: [
      "A file of weights alone: what is computed with them is not in it. Kinds of layers are inferred from names and shapes; depth and cost need a config.json beside it, or an .onnx file.",
    ],
  };
}

function kindOfShapes(layer: string, parameters: readonly NetworkParameter[]): LayerKind {
  const ranks = parameters.map(({ shape }) => shape.length);
  if (/lstm|gru|rnn/i.test(layer) && ranks.includes(2)) return "recurrent";
  if (/(^|[._])(embed\w*|wte|wpe|word_embeddings|position_embeddings|shared)$/i.test(layer)) return "embedding";
  const rank = Math.max(0, ...ranks);
  if (rank > 2) return "convolution";
  return rank === 2 ? "dense" : "normalization";
}
