/** What would change: other precisions, frozen parameters, quantized weights. Each makes a network of another. */
import { OptionError, unknownName } from "../../core/errors.ts";
import { matchesPath } from "../../core/path-pattern.ts";
import type { Value } from "../../graph/ir.ts";
import { depthGroups, type LayerGroup } from "../../transform/depth-groups.ts";
import { type Precision, precisions } from "../cost/precision.ts";
import { flowOf } from "../networks/flow.ts";
import { type Network, type NetworkParameter, parameterValues } from "../networks/network.ts";

/** The network with its float parameters stored at another precision; everything else stays. */
export function atPrecision(network: Network, precision: Precision): Network {
  const bits = precisions[precision].stored;
  const change = (parameter: NetworkParameter): NetworkParameter =>
    /^b?float/.test(parameter.type) ? { ...parameter, type: precision, bits } : parameter;
  return { ...network, parameters: network.parameters.map(change) };
}

/**
 * The network with the parameters frozen whose name or layer matches: a path, everything below it, `*` for any run of
 * characters. Throws OptionError with the nearest name when nothing matches.
 */
export function frozen(network: Network, pattern: string): Network {
  const matches = ({ name, layer, isBuffer }: NetworkParameter) =>
    !isBuffer && (matchesPath(name, pattern) || matchesPath(layer, pattern));
  if (!network.parameters.some(matches)) {
    const layers = [...new Set(network.parameters.map(({ layer }) => layer))];
    throw unknownName("parameter to freeze", pattern, layers.length > 12 ? nearestFew(pattern, layers) : layers);
  }
  return {
    ...network,
    parameters: network.parameters.map((parameter) =>
      matches(parameter) ? { ...parameter, trainable: false } : parameter,
    ),
  };
}

/** What stands before the first block, each block, and what comes after the last: by names, in the order of the graph that predicts. */
function groupsOf({ parameters, graphs }: Network): readonly LayerGroup[] {
  const forward = graphs?.plain ?? graphs?.forward;
  const byValue = new Map(parameters.map((parameter) => [parameter.value, parameter]));
  const read = new Set<Value>(forward?.nodes.flatMap(({ inputs }) => inputs.filter((value) => value !== undefined)));
  const used = forward ? [...read].flatMap((value) => byValue.get(value) ?? []) : parameters;
  return depthGroups(
    used.map(({ name, shape, isBuffer }) => ({ path: name, isMatrix: shape.length > 1 && !isBuffer })),
  );
}

/** Paths of the blocks of a network, or of its layers where names show no blocks, from the input to the output. */
export const blocksOf = (network: Network): readonly string[] =>
  groupsOf(network)
    .slice(1, -1)
    .map(({ name }) => name);

/**
 * The network with its first blocks frozen, and what comes before them, such as embeddings. Throws OptionError for more blocks than there are.
 * @example
 * const top = frozenBlocks(network, 10); // of BERT's 12 blocks the last two are trained, and the head
 */
export function frozenBlocks(network: Network, count: number): Network {
  const groups = groupsOf(network);
  const most = groups.length - 2;
  if (!Number.isSafeInteger(count) || count < 0 || count > most)
    throw new OptionError(
      most === 0
        ? `${network.name} has no blocks that could be frozen one after another; freeze layers by their names: --freeze`
        : `${count} blocks cannot be frozen; ${network.name} has ${most}, pass a whole number from 0 to that`,
    );
  const names = new Set(count === 0 ? [] : groups.slice(0, count + 1).flatMap(({ paths }) => paths));
  const parameters = network.parameters.map((own) =>
    names.has(own.name) && !own.isBuffer ? { ...own, trainable: false } : own,
  );
  return { ...network, parameters };
}

/** A dozen names that share the longest beginnings with one. */
function nearestFew(name: string, candidates: readonly string[]): readonly string[] {
  const shared = (other: string) => [...other].findIndex((letter, i) => letter !== name[i]);
  return [...candidates].sort((a, b) => shared(b) - shared(a)).slice(0, 12);
}

/** Weights that share a scale: a row of outputs for 8 bits, 32 in a row for 4 (ONNX Runtime's MatMulNBits). */
const blockOf = { 4: 32, 8: undefined } as const;

export type QuantizedBits = keyof typeof blockOf;

/** The quantization of a number of bits. Throws OptionError for another. */
export function quantizedBitsOf(text: string): QuantizedBits {
  if (text === "4" || text === "8") return text === "4" ? 4 : 8;
  throw new OptionError(`quantization to ${text} bits is not known; pass 4 or 8`);
}

/**
 * The network with the matrices of its weighted layers, or other parameters, stored in 4 or 8 bits, each group of weights with a float32
 * scale: 32 weights at 4 bits, a row of outputs at 8. Quantized weights are frozen; what is trained beside them is, say, LoRA.
 */
export function quantized(
  network: Network,
  bits: QuantizedBits,
  chosen: ReadonlySet<NetworkParameter> = weightMatrices(network),
): Network {
  return {
    ...network,
    parameters: network.parameters.map((parameter) => {
      if (!chosen.has(parameter)) return parameter;
      const { elements, shape } = parameter;
      const block = blockOf[bits] ?? elements / (shape[0] ?? 1);
      const scales = Math.ceil(elements / block);
      const stored = bits + (32 * scales) / elements;
      return { ...parameter, type: `int${bits}`, bits: stored, packing: { bits, block }, trainable: false };
    }),
  };
}

/** Parameters with two axes or more that products with data are made of; without a graph, all with two axes or more. */
function weightMatrices(network: Network): ReadonlySet<NetworkParameter> {
  const candidates = network.parameters.filter(({ shape, isBuffer }) => !isBuffer && shape.length > 1);
  const graph = network.graphs?.forward;
  if (!graph) return new Set(candidates);
  const flow = flowOf(graph, parameterValues(network));
  const used = new Set<unknown>();
  for (const node of graph.nodes) {
    if (!flow.isWeighted(node)) continue;
    for (const value of node.inputs) {
      if (!value || !flow.isLearned(value)) continue;
      used.add(value);
      // A weight that is only moved on its way: transposed, reshaped.
      for (let made = value.producer; made; made = made.inputs[0]?.producer)
        for (const own of made.inputs) used.add(own);
    }
  }
  return new Set(candidates.filter(({ value }) => used.has(value)));
}
