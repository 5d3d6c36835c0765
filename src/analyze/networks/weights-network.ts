/** Networks of which only the weights are known: a file of named tensors, without what is computed of them. */

import { groupBy } from "../../core/group-by.ts";
import { greatest } from "../../core/lists.ts";
import { elementsOf, isBuffer, logicalTensors, packingNotes, type StoredTensor } from "../../formats/stored-tensors.ts";
import type { LayerKind } from "../../nn/index.ts";
import { formulaOf } from "./formula.ts";
import type { Network, NetworkParameter } from "./network.ts";

/** The network of a file of weights: layers by the names before the last part, kinds by names and shapes. */
export function weightsNetwork(name: string, source: string, stored: readonly StoredTensor[]): Network {
  const tensors = logicalTensors(stored);
  const parameters = tensors.map(storedParameter);
  const packed = new Set(tensors.filter(({ packing }) => packing !== undefined).map(ownerOf));
  const layers = Array.from(
    groupBy(parameters, ({ layer }) => layer),
    ([layer, own]) => {
      // Weights before biases, however the file has them.
      const learned = own.filter(({ isBuffer }) => !isBuffer).sort((a, b) => b.shape.length - a.shape.length);
      return {
        name: layer,
        type: "weights",
        // Only products are packed.
        kind: packed.has(layer) ? "dense" : kindOfShapes(layer, learned),
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
      ...packingNotes(tensors),
      "A file of weights alone: what is computed with them is not in it. Kinds of layers are inferred from names and shapes; depth and cost need a config.json beside it, or an .onnx file.",
    ],
  };
}

/** A tensor of a file as the parameter or buffer that it is. */
export function storedParameter(tensor: StoredTensor): NetworkParameter {
  const { name, shape, type, bits } = tensor;
  return {
    name,
    layer: ownerOf(tensor),
    shape,
    elements: elementsOf(tensor),
    type,
    bits,
    isBuffer: isBuffer(tensor),
    trainable: !isBuffer(tensor) && /^b?float/.test(type),
    value: undefined,
  };
}

/** The layer that a tensor belongs to: what stands before the last part of its name, or before the name of what it unpacks. */
function ownerOf({ name, isScale = false }: StoredTensor): string {
  const [own = name] = isScale ? name.split(/\.weight\.|\.(?=\w+$)/) : [name.replace(/\.[^.]*$/, "")];
  return name.includes(".") ? own : "model";
}

function kindOfShapes(layer: string, parameters: readonly NetworkParameter[]): LayerKind {
  const ranks = parameters.map(({ shape }) => shape.length);
  if (/lstm|gru|rnn/i.test(layer) && ranks.includes(2)) return "recurrent";
  if (/(^|[._])(embed\w*|wte|wpe|word_embeddings|position_embeddings|shared)$/i.test(layer)) return "embedding";
  const rank = greatest(ranks, 0);
  if (rank > 2) return "convolution";
  return rank === 2 ? "dense" : "normalization";
}
