/** What training would take: work and time for an amount of data, trained whole or in one of the cheaper ways. */
import { OptionError } from "../../core/errors.ts";
import { costOf } from "../cost/cost.ts";
import { type TrainingOptions, trainingCost } from "../cost/training.ts";
import { flowOf } from "../networks/flow.ts";
import { learnedOf, type Network, parameterValues, tooLargeToTrain, total } from "../networks/network.ts";
import { rolesOf } from "../networks/roles.ts";
import { type LoraOptions, withLora } from "./lora.ts";
import { quantized } from "./what-if.ts";

/** A way to train a network. */
export interface Way {
  /** What it is called in reports. */
  readonly name: string;
  /** The network with what this way freezes, adds or quantizes. */
  readonly network: Network;
}

/** What a training step costs in one way. */
export interface WayCost {
  /** The way's name. */
  readonly name: string;
  /** Parameters that it trains. */
  readonly trainable: number;
  /** FLOPs of a step: forward and backward of the whole batch. */
  readonly stepFlops: number;
  /** Peak memory of a step, in bytes. */
  readonly bytes: number;
}

/**
 * The network trained whole, its output layers alone, with low-rank adapters, and with those on 4-bit weights; a way
 * that it does not offer is left out.
 * @example
 * const costs = waysToTrain(network).map((way) => costOfWay(way, { optimizer: adamw(), precision: "float32" }));
 */
export function waysToTrain(network: Network, lora: LoraOptions = { rank: 8 }): readonly Way[] {
  const ways: Way[] = [{ name: "all parameters", network }];
  const head = withHeadOnly(network);
  if (head) ways.push({ name: "output layers only", network: head });
  const targets = adaptable(network, lora);
  const adapted = targets && withLora(network, targets);
  // Adapters that are as many as what they adapt spare nothing.
  if (adapted && trainableOf(adapted) < trainableOf(network)) {
    ways.push({ name: `LoRA, rank ${lora.rank}`, network: adapted });
    ways.push({ name: `LoRA on 4-bit weights`, network: withLora(quantized(network, 4), targets) });
  }
  return ways;
}

const trainableOf = (network: Network): number =>
  total(learnedOf(network), ({ trainable, elements }) => (trainable ? elements : 0));

function withHeadOnly(network: Network): Network | undefined {
  const forward = network.graphs?.forward;
  if (!forward) return undefined;
  const roles = rolesOf(network, flowOf(forward, parameterValues(network)));
  const parameters = network.parameters.map((parameter) => ({
    ...parameter,
    trainable: parameter.trainable && roles.get(parameter.layer) === "output",
  }));
  const some = parameters.some(({ trainable }) => trainable);
  return some && parameters.some(({ trainable }, i) => trainable !== network.parameters[i]?.trainable)
    ? { ...network, parameters }
    : undefined;
}

/** The usual targets where there are such layers, else every dense layer that is not an output. */
function adaptable(network: Network, lora: LoraOptions): LoraOptions | undefined {
  const dense = network.layers.filter(({ kind }) => kind === "dense").map(({ name }) => name);
  const choices: LoraOptions[] = [
    lora,
    ...(dense.length > 1 ? [{ ...lora, targets: dense.slice(0, -1).join(",") }] : []),
  ];
  for (const choice of choices) {
    try {
      withLora(network, choice);
      return choice;
    } catch (error) {
      if (!(error instanceof OptionError)) throw error;
    }
  }
  return undefined;
}

/** Why training cannot be estimated. */
function obstacle({ graphs }: Network): string {
  if (!graphs) return "only its weights are known; give its config.json too";
  if (graphs.trainingLimit !== undefined) return tooLargeToTrain(graphs);
  return graphs.hasOpenShapes
    ? "the shapes of some of its values are not known, see sardonyx inspect"
    : "no output of it is a float";
}

/** What a step costs in one way. Throws OptionError for a network whose training cannot be traced. */
export function costOfWay({ name, network }: Way, options: TrainingOptions): WayCost {
  const forward = network.graphs?.forward;
  const training = trainingCost(network, options);
  if (!forward || !training) throw new OptionError(`${network.name} cannot be trained here: ${obstacle(network)}`);
  return {
    name,
    trainable: trainableOf(network),
    stepFlops: costOf(forward.nodes).flops + training.backward.flops,
    bytes: training.memory.total,
  };
}
