/** The backward pass of a network: its gradient graph, and what stops gradients on their way. */
import { type Graph, graphOf, type Node, nodesOf, type Value } from "../../graph/ir.ts";
import { deriveStep, type StepOptions } from "../../transform/derive-step.ts";
import type { NetworkParameter } from "../networks/network.ts";

export interface Backward {
  /** From data, targets and parameters to the loss, new running statistics, and the gradients. */
  readonly graph: Graph;
  /** Nodes that compute the loss and the statistics; the others are the backward pass. */
  readonly forward: ReadonlySet<Node>;
  /** Names of operators through which no gradient passes, and how often one would have to. */
  readonly stops: ReadonlyMap<string, number>;
  /** Trainable parameters that no gradient reaches. */
  readonly unreached: readonly NetworkParameter[];
}

/**
 * Differentiates a training graph with respect to the trainable parameters. Where an operator has no gradient, what lies
 * before it gets none.
 * @param again what is computed again on the way back; default as by itself
 */
export function backwardOf(
  training: Graph,
  parameters: readonly NetworkParameter[],
  again: Pick<StepOptions, "checkpoint" | "budget"> = {},
): Backward {
  const [traced, ...statistics] = training.outputs as readonly [Value, ...Value[]];
  const trainable = parameters.filter((parameter) => parameter.trainable);
  const values = trainable.map(({ value }) => value);
  const stops = new Map<string, number>();
  const present = values.filter((value) => value !== undefined);
  const { forward, gradients } = deriveStep([traced, ...statistics], {
    ...again,
    wrt: present,
    onStop: ({ op }) => stops.set(op.type, (stops.get(op.type) ?? 0) + 1),
  });
  const byValue = new Map(present.map((value, i) => [value, gradients[i]]));
  const found = gradients.filter((gradient) => gradient !== undefined);
  return {
    graph: graphOf(training.inputs, [...forward, ...found]),
    forward: new Set(nodesOf(forward)),
    stops,
    unreached: trainable.filter(({ value }) => value === undefined || byValue.get(value) === undefined),
  };
}
