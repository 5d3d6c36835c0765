/** What training a network costs: the backward pass, the activations kept for it, and memory by what it holds. */
import { objectOf, oneOf } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import { bytesOf, type Graph, graphOf, type Value } from "../../graph/ir.ts";
import { optimize, usesMemoryPattern } from "../../jit/compile.ts";
import { storageOf } from "../../ops/registry.ts";
import { lossPath } from "../networks/loss.ts";
import { learnedOf, type Network, type NetworkParameter, parameterValues, total } from "../networks/network.ts";
import { type Backward, backwardOf } from "./backward.ts";
import { costOf, type GraphCost } from "./cost.ts";
import { runMemory } from "./memory.ts";
import { withPackedInputs } from "./packed.ts";
import { type Precision, precisions } from "./precision.ts";

/** What an optimizer remembers: vectors as long as the trainable parameters. */
export interface OptimizerMemory {
  /** Its name. */
  readonly name: string;
  /** Names of the vectors that it remembers, each as long as what is trained. */
  readonly slots: readonly string[];
}

/** How a network is assumed to be trained. */
export interface TrainingOptions {
  /** The optimizer, by what it remembers of each parameter. */
  readonly optimizer: OptimizerMemory;
  /** The element type of parameters, gradients and activations. */
  readonly precision: Precision;
}

export const checkTraining = optionsOf<TrainingOptions>("inspect", {
  optimizer: required(objectOf("an optimizer such as adam()")),
  precision: required(oneOf(...(Object.keys(precisions) as Precision[]))),
});

/** Peak memory of a training step in bytes, without the process's own. */
export interface TrainingMemory {
  /** Parameters and running statistics. */
  readonly weights: number;
  /** Gradients, and the engine's copies of them. */
  readonly gradients: number;
  /** What the optimizer remembers; with 16-bit weights also their float32 originals. */
  readonly optimizer: number;
  /** Values that are alive together while the step runs, activations kept for the backward pass first of all. */
  readonly activations: number;
  readonly total: number;
}

export interface TrainingCost {
  /** Backward pass alone; the loss is not counted. */
  readonly backward: GraphCost;
  /** Bytes of forward values that the backward pass reads. */
  readonly activationBytes: number;
  readonly memory: TrainingMemory;
  readonly stops: Backward["stops"];
  readonly unreached: readonly NetworkParameter[];
}

/**
 * onnxruntime-node returns a copy of every output, also of those that it writes into preallocated tensors, and the copies of
 * the step before are still there while a step runs (measured, docs/performance.md).
 */
const gradientCopies = 2;
/** What the engine's arena takes for a byte of buffers, measured between 1.0 and 1.4 (docs/performance.md). */
const fragmentation = 1.3;

/** `undefined` for a network whose training cannot be traced. */
export function trainingCost(network: Network, { optimizer, precision }: TrainingOptions): TrainingCost | undefined {
  const training = network.graphs?.training;
  if (!training) return undefined;
  const { graph, parts } = withPackedInputs(training, network.parameters);
  const backward = backwardOf(graph, network.parameters);
  const nodes = backward.graph.nodes.filter((node) => !backward.forward.has(node));
  return {
    backward: costOf(nodes, (path) => path !== lossPath),
    activationBytes: scaled(activationBytes(network, backward, parts), precision),
    memory: trainingMemory(network, backward.graph, { optimizer, precision }),
    stops: backward.stops,
    unreached: backward.unreached,
  };
}

/** Bytes of values at a precision, when they were counted as float32. */
const scaled = (bytes: number, precision: Precision): number => (bytes * precisions[precision].computing) / 32;

/** Forward values that the backward pass reads, each memory once; parameters are there anyway. */
function activationBytes(network: Network, { graph, forward }: Backward, parts: ReadonlySet<Value>): number {
  const own = new Set([...parameterValues(network), ...parts]);
  const kept = new Set<Value>();
  for (const node of graph.nodes) {
    if (forward.has(node)) continue;
    for (const value of node.inputs) {
      const source = value && storageOf(value);
      if (!source || own.has(source)) continue;
      const isForward = source.producer ? forward.has(source.producer) && source.producer.inputs.length > 0 : true;
      if (isForward) kept.add(source);
    }
  }
  return total(kept, bytesOf);
}

function trainingMemory(network: Network, graph: Graph, { optimizer, precision }: TrainingOptions): TrainingMemory {
  const { computing } = precisions[precision];
  const trainable = total(learnedOf(network), (parameter) => (parameter.trainable ? parameter.elements : 0));
  const weights = total(network.parameters, ({ elements, bits }) => Math.ceil((elements * bits) / 8));
  const gradients = ((1 + gradientCopies) * trainable * computing) / 8;
  // Mixed precision (Micikevicius et al. 2018): what is summed over many steps stays float32.
  const originals = computing < 32 ? 1 : 0;
  const optimizerBytes = 4 * (optimizer.slots.length + originals) * trainable;
  const executed = optimize(graphOf(graph.inputs, graph.outputs));
  const { peak, constants } = runMemory(executed);
  const buffers = peak * fragmentation + (usesMemoryPattern(executed) ? peak : 0);
  const activations = Math.round(scaled(buffers + constants, precision));
  return {
    weights,
    gradients,
    optimizer: optimizerBytes,
    activations,
    total: weights + gradients + optimizerBytes + activations,
  };
}

/** Memory to predict: the parameters, and the values that are alive together. */
export function predictionMemory(network: Network, precision: Precision): number {
  if (!network.graphs) return 0;
  const { graph, parts } = withPackedInputs(network.graphs.forward, network.parameters);
  const { peak, constants } = runMemory(parts.size > 0 ? optimize(graph) : graph);
  const weights = total(network.parameters, ({ elements, bits }) => Math.ceil((elements * bits) / 8));
  return weights + Math.round(scaled(peak * fragmentation + constants, precision));
}
