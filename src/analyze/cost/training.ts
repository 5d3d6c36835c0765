/** What training a network costs: the backward pass, the activations kept for it, and memory by what it holds. */
import { objectOf, oneOf, pathPatternsType, positive } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import type { PathPatterns } from "../../core/path-pattern.ts";
import { bytesOf, type Graph, graphOf, type Value } from "../../graph/ir.ts";
import { optimize } from "../../jit/compile.ts";
import { engineMemory, fragmentation, runMemory, trainedMemory } from "../../jit/run-memory.ts";
import { storageOf } from "../../ops/registry.ts";
import { lossPath } from "../networks/loss.ts";
import { learnedOf, type Network, type NetworkParameter, parameterValues, total } from "../networks/network.ts";
import { type Backward, backwardOf } from "./backward.ts";
import { costOf, type GraphCost } from "./cost.ts";
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
  /** Bytes that a step may take: as much is computed again on the way back as that needs; default no bound. */
  readonly memory?: number | undefined;
  /** Modules, by their paths, whose outputs alone are kept, what is inside them being computed again; default none. */
  readonly checkpoint?: PathPatterns | undefined;
}

export const checkTraining = optionsOf<TrainingOptions>("inspect", {
  optimizer: required(objectOf("an optimizer such as adam()")),
  precision: required(oneOf(...(Object.keys(precisions) as Precision[]))),
  memory: positive,
  checkpoint: pathPatternsType,
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

/** `undefined` for a network whose training cannot be traced. Throws OptionError for memory that no step fits into. */
export function trainingCost(network: Network, options: TrainingOptions): TrainingCost | undefined {
  const training = network.graphs?.training;
  if (!training) return undefined;
  const { graph, parts } = withPackedInputs(training, network.parameters);
  const { precision, memory, checkpoint } = options;
  const held = heldMemory(network, options);
  const fixed = held.weights + held.gradients + held.optimizer;
  const budget =
    memory === undefined
      ? undefined
      : {
          bytes: memory,
          measure: (outputs: readonly Value[]) => fixed + valueMemory({ inputs: graph.inputs, outputs }, precision),
        };
  const backward = backwardOf(graph, network.parameters, { checkpoint, budget });
  const activations = valueMemory(backward.graph, precision);
  const nodes = backward.graph.nodes.filter((node) => !backward.forward.has(node));
  return {
    backward: costOf(nodes, (path) => path !== lossPath),
    activationBytes: scaled(activationBytes(network, backward, parts), precision),
    memory: { ...held, activations, total: fixed + activations },
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

/** What a step holds beside the values that it computes. */
function heldMemory(
  network: Network,
  { optimizer, precision }: TrainingOptions,
): Omit<TrainingMemory, "activations" | "total"> {
  const trainable = total(learnedOf(network), (parameter) => (parameter.trainable ? parameter.elements : 0));
  const weights = total(network.parameters, ({ elements, bits }) => Math.ceil((elements * bits) / 8));
  return {
    weights,
    ...trainedMemory({ trainable, slots: optimizer.slots.length, bits: precisions[precision].computing }),
  };
}

/** What the engine takes to run a graph, and so for the values that it computes. */
const valueMemory = ({ inputs, outputs }: Pick<Graph, "inputs" | "outputs">, precision: Precision): number =>
  Math.round(scaled(engineMemory(optimize(graphOf(inputs, outputs))), precision));

/** Memory to predict: the parameters, and the values that are alive together. */
export function predictionMemory(network: Network, precision: Precision): number {
  if (!network.graphs) return 0;
  const { graph, parts } = withPackedInputs(network.graphs.forward, network.parameters);
  const { peak, constants } = runMemory(parts.size > 0 ? optimize(graph) : graph);
  const weights = total(network.parameters, ({ elements, bits }) => Math.ceil((elements * bits) / 8));
  return weights + Math.round(scaled(peak * fragmentation + constants, precision));
}
