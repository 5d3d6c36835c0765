/** What is analyzed: a network's graph, its parameters and its layers, wherever they come from. */
import { type Limits, limitOf } from "../../core/limits.ts";
import type { Shape } from "../../core/shape.ts";
import type { Tensor } from "../../core/tensor.ts";
import type { Graph, Scope, Value } from "../../graph/ir.ts";
import type { LayerKind } from "../../nn/index.ts";

/** A tensor that training moves, or a buffer: running statistics, which the forward pass keeps up, and stored constants. */
export interface NetworkParameter {
  /** `layers.0.weight`. */
  readonly name: string;
  /** Of the layer that owns it. */
  readonly layer: string;
  /** Its extents. */
  readonly shape: Shape;
  /** Number of elements; more than the shape says where elements are packed. */
  readonly elements: number;
  /** Element type by name, such as `float32`, `bfloat16`, `int4`. */
  readonly type: string;
  /** Bits of an element. */
  readonly bits: number;
  /** How a float parameter is stored in few bits, where it is; its value in the graphs is the float one. */
  readonly packing?: { readonly bits: 4 | 8; readonly block: number };
  /** How many of its elements are 0, where they are at hand; of elements in blocks it is not known. */
  readonly zeros?: number | undefined;
  /** Whether it is a buffer, which no optimizer moves. */
  readonly isBuffer: boolean;
  /** Whether training moves it. */
  readonly trainable: boolean;
  /** Its value in the graphs, unless there are none. */
  readonly value: Value | undefined;
}

/** One layer; a shared one stands once, for all of its runs. */
export interface NetworkLayer {
  /** Path: `layers.0`. */
  readonly name: string;
  /** What it is called where it comes from: `conv2d`, `Conv`. */
  readonly type: string;
  /** The kind that reports group it under. */
  readonly kind: LayerKind;
  /** Marks of its nodes, one for each run. */
  readonly scopes: readonly Scope[];
  /** `undefined` where it is not known. */
  readonly outputShape: Shape | undefined;
  /** How many parameters it owns and why: `3·3·32·64 + 64`. */
  readonly formula: string;
}

/** The graphs of a network. */
export interface NetworkGraphs {
  /** Prediction: from data and parameters to the outputs. */
  readonly forward: Graph;
  /** Training: to the loss, and new running statistics; `undefined` when no output is a float. */
  readonly training: Graph | undefined;
  /** How large the graph of a training step may be, where it would be larger and is left out. */
  readonly trainingLimit?: number | undefined;
  /** Whether the shapes of some values are not known, so that memory is not either. */
  readonly hasOpenShapes?: boolean;
  /** The forward graph of which depth and structure are reported, where adapters were put beside it; default `forward`. */
  readonly plain?: Graph;
}

/**
 * A network as it is analyzed, wherever it comes from: its parameters, its layers, and its graphs where they are known.
 */
export interface Network {
  /** Its name in reports. */
  readonly name: string;
  /** Where it comes from, in a few words. */
  readonly source: string;
  /** Every parameter and buffer. */
  readonly parameters: readonly NetworkParameter[];
  /** Every layer, in the order in which it first runs. */
  readonly layers: readonly NetworkLayer[];
  /** `undefined` when only the parameters are known, as of a file of weights. */
  readonly graphs: NetworkGraphs | undefined;
  /** What a reader of the report must know: operators that are not understood, shapes that are not known. */
  readonly notes: readonly string[];
}

/** Why the training of a network was not traced. */
export const tooLargeToTrain = ({ trainingLimit }: NetworkGraphs): string =>
  `the graph of a step has more than ${trainingLimit} nodes, the limit trainingNodes; raise it: --limit trainingNodes=N`;

/** The graph of training, or the limit that it would pass. It is not even made where it has as many nodes at least. */
export function trainingWithin(
  least: number,
  limits: Limits | undefined,
  make: () => Graph | undefined,
): Pick<NetworkGraphs, "training" | "trainingLimit"> {
  const trainingLimit = limitOf("trainingNodes", limits);
  if (least > trainingLimit) return { training: undefined, trainingLimit };
  const training = make();
  return training && training.nodes.length > trainingLimit ? { training: undefined, trainingLimit } : { training };
}

/** How many elements of a tensor are 0. */
export const zerosIn = ({ data }: Tensor): number => {
  let zeros = 0;
  for (let i = 0; i < data.length; i++) if (Number(data[i]) === 0) zeros++;
  return zeros;
};

/** The parameters that an optimizer could move. */
export const learnedOf = ({ parameters }: Pick<Network, "parameters">): readonly NetworkParameter[] =>
  parameters.filter(({ isBuffer }) => !isBuffer);

/** Sum of a number over a list. */
export const total = <T>(items: Iterable<T>, count: (item: T) => number): number => {
  let sum = 0;
  for (const item of items) sum += count(item);
  return sum;
};

/** The values of a network's parameters and buffers. */
export const parameterValues = ({ parameters }: Pick<Network, "parameters">): Set<Value> =>
  new Set(parameters.flatMap(({ value }) => value ?? []));
