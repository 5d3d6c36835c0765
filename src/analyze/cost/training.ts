/** What training a network costs: the backward pass, the activations kept for it, and memory by what it holds. */
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

/** Peak memory of a training step in bytes, without the process's own. */
export interface TrainingMemory {
  /** Parameters and running statistics. */
  readonly weights: number;
  /** Gradients; with the engine's copies where they take less than 1 MiB. */
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
  const { precision } = options;
  const held = heldMemory(network, options);
  const fixed = held.weights + held.gradients + held.optimizer;
  const { kept, engine, ...derived } = derivedStep(training, network, options, fixed);
  const activations = Math.round(scaled(engine, precision));
  return {
    ...derived,
    activationBytes: scaled(kept, precision),
    memory: { ...held, activations, total: fixed + activations },
  };
}

/** What does not depend on how parameters are stored and updated. Bytes are those of float32. */
interface DerivedCost extends Pick<TrainingCost, "backward" | "stops" | "unreached"> {
  /** Bytes of forward values that the backward pass reads. */
  readonly kept: number;
  /** Bytes that the engine takes for the values of a step. */
  readonly engine: number;
}

/** Of each training graph the costs that were derived last: to derive one is nearly all of the work, and many what-ifs share it. */
const derivedCosts = new WeakMap<Graph, Map<string, DerivedCost>>();
const mostDerived = 64;

/** The cost of a step, derived once for what is trained, stored in few bits and computed again. @param fixed bytes that do not depend on the step */
function derivedStep(
  training: Graph,
  network: Network,
  { precision, memory, checkpoint }: TrainingOptions,
  fixed: number,
): DerivedCost {
  const known = derivedCosts.get(training) ?? new Map<string, DerivedCost>();
  derivedCosts.set(training, known);
  const parts = network.parameters.map(({ name, trainable, packing }) => [name, trainable, packing]);
  const patterns = [checkpoint ?? []].flat().map(String);
  const key = JSON.stringify([parts, patterns, memory !== undefined && [memory, fixed, precision]]);
  const found = known.get(key);
  if (found) return found;
  const { graph, parts: packed } = withPackedInputs(training, network.parameters);
  const measure = (outputs: readonly Value[]) =>
    fixed + Math.round(scaled(engineBytes({ inputs: graph.inputs, outputs }), precision));
  const budget = memory === undefined ? undefined : { bytes: memory, measure };
  const backward = backwardOf(graph, network.parameters, { checkpoint, budget });
  const nodes = backward.graph.nodes.filter((node) => !backward.forward.has(node));
  const made: DerivedCost = {
    backward: costOf(nodes, (path) => path !== lossPath),
    kept: activationBytes(network, backward, packed),
    engine: engineBytes(backward.graph),
    stops: backward.stops,
    unreached: backward.unreached,
  };
  const [oldest] = known.keys();
  if (known.size >= mostDerived && oldest !== undefined) known.delete(oldest);
  known.set(key, made);
  return made;
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
const engineBytes = ({ inputs, outputs }: Pick<Graph, "inputs" | "outputs">): number =>
  engineMemory(optimize(graphOf(inputs, outputs)));

/** Memory to predict: the parameters, and the values that are alive together. */
export function predictionMemory(network: Network, precision: Precision): number {
  if (!network.graphs) return 0;
  const { graph, parts } = withPackedInputs(network.graphs.forward, network.parameters);
  const { peak, constants } = runMemory(parts.size > 0 ? optimize(graph) : graph);
  const weights = total(network.parameters, ({ elements, bits }) => Math.ceil((elements * bits) / 8));
  return weights + Math.round(scaled(peak * fragmentation + constants, precision));
}
