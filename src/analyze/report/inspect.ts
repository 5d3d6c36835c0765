/** Inspection: everything that is reported of one network, put together. */

import { groupBy } from "../../core/group-by.ts";
import { flag, objectOf, oneOf, pathPatternsType, positive } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import type { Value } from "../../graph/ir.ts";
import { costOf } from "../cost/cost.ts";
import { type Hardware, peakOf, usualUtilization } from "../cost/hardware.ts";
import { type Precision, precisions } from "../cost/precision.ts";
import { scaleOf } from "../cost/scale.ts";
import { predictionMemory, type TrainingOptions, trainingCost } from "../cost/training.ts";
import { blockCount } from "../depth/blocks.ts";
import { creditAssignmentDepth, recurrentDepth, weightedDepth } from "../depth/depth.ts";
import { type Paths, pathsOf } from "../depth/paths.ts";
import { type Flow, flowOf } from "../networks/flow.ts";
import {
  learnedOf,
  type Network,
  type NetworkParameter,
  parameterValues,
  tooLargeToTrain,
  total,
} from "../networks/network.ts";
import { rolesOf } from "../networks/roles.ts";
import { blocksOf } from "../what-if/what-if.ts";
import type { InspectedLayer, Inspection } from "./schema.ts";

/** Options of `inspect`. */
export interface InspectOptions extends TrainingOptions {
  /** The accelerator on which the time of a step is predicted; default none. */
  readonly hardware?: Hardware | undefined;
  /** Leaves out what training takes, which is most of the work; default false. */
  readonly withoutTraining?: boolean | undefined;
}

const checkOptions = optionsOf<InspectOptions>("inspect", {
  optimizer: required(objectOf("an optimizer such as adam()")),
  precision: required(oneOf(...(Object.keys(precisions) as Precision[]))),
  memory: positive,
  checkpoint: pathPatternsType,
  hardware: objectOf("an accelerator, with its name, float32, half and memory"),
  withoutTraining: flag,
});

/** The document, and what reports draw that it leaves out. */
export interface Inspected {
  /** The document. */
  readonly inspection: Inspection;
  /** What was inspected. */
  readonly network: Network;
  /** `undefined` for a network without a graph. */
  readonly paths: Paths | undefined;
}

/**
 * Inspects a network: depth, parameters, cost and memory, layer by layer and in all.
 * @example
 * const { inspection } = inspect(network, { optimizer: adam(), precision: "float32" });
 * console.log(inspection.parameters.total, inspection.cost.macs);
 */
export function inspect(network: Network, options: InspectOptions): Inspected {
  const { hardware, withoutTraining = false, ...trained } = checkOptions(options);
  const forward = network.graphs?.forward;
  const plain = network.graphs?.plain ?? forward;
  const flow = plain && flowOf(plain, parameterValues(network));
  const paths = flow && pathsOf(flow);
  const cost = forward && costOf(forward.nodes);
  const training = withoutTraining ? undefined : trainingCost(network, trained);
  const stepFlops = cost && training ? known(cost.flops + training.backward.flops) : null;
  const roles = rolesOf(network, flow);
  const macsOf = (paths: Iterable<string>) =>
    cost ? known(total(paths, (path) => cost.byPath.get(path)?.macs ?? 0)) : null;

  const learned = learnedOf(network);
  const owned = groupBy(learned, ({ layer }) => layer);
  const layers = network.layers.map(({ name, type, kind, scopes, outputShape, formula }): InspectedLayer => {
    const own = owned.get(name) ?? [];
    const count = elementsOf(own);
    return {
      name,
      type,
      kind,
      role: roles.get(name) ?? "hidden",
      outputShape: outputShape ? [...outputShape] : null,
      parameters: count,
      trainable: elementsOf(own.filter(({ trainable }) => trainable)),
      formula: own.length > 0 ? `${formula} = ${count.toLocaleString("en-US")}` : "",
      macs: macsOf(new Set(scopes.map(({ path }) => path))),
      runs: scopes.length,
    };
  });
  const inspection: Inspection = {
    model: network.name,
    source: network.source,
    scale: scaleOf(elementsOf(learned)),
    inputs: inputsOf(network).map(({ name, dtype, shape }) => ({ name: name ?? "input", dtype, shape: [...shape] })),
    settings: {
      optimizer: options.optimizer.name,
      precision: options.precision,
      hardware: hardware?.name ?? null,
    },
    parameters: parametersOf(network, flow),
    depth: {
      weighted: flow ? weightedDepth(flow) : null,
      parameterLayers: owned.size,
      creditAssignmentPath: flow ? creditAssignmentDepth(flow) : null,
      blocks: flow ? blockCount(flow) : null,
      paths: paths ? { count: countOf(paths.count), min: paths.min, max: paths.max, mean: paths.mean } : null,
      recurrent: (flow && recurrentDepth(flow)) ?? null,
    },
    cost: {
      macs: known(cost?.macs),
      forwardFlops: known(cost?.flops),
      backwardFlops: known(training?.backward.flops),
      activationBytes: training?.activationBytes ?? null,
      trainingBytes: training?.memory.total ?? null,
      predictionBytes: forward && !network.graphs?.hasOpenShapes ? predictionMemory(network, options.precision) : null,
      memory: training ? memoryOf(training.memory) : null,
      stepSeconds:
        hardware && stepFlops !== null ? stepFlops / (usualUtilization * peakOf(hardware, options.precision)) : null,
    },
    layers,
    blocks: [...blocksOf(network)],
    byKind: sharesBy(layers, ({ kind }) => kind).map(([kind, share]) => ({ kind, ...share })),
    byRole: sharesBy(layers, ({ role }) => role).map(([role, share]) => ({ role, ...share })),
    notes: [...network.notes, ...pathNotes(flow, paths), ...trainingNotes(network, training)],
  };
  return { inspection, network, paths };
}

const elementsOf = (parameters: readonly NetworkParameter[]): number => total(parameters, ({ elements }) => elements);

const memoryOf = ({
  weights,
  gradients,
  optimizer,
  activations,
}: Record<"weights" | "gradients" | "optimizer" | "activations", number>) => ({
  weights,
  gradients,
  optimizer,
  activations,
});

/** A cost, or null where operators of unknown shapes leave it open. */
const known = (cost: number | undefined): number | null => (cost === undefined || Number.isNaN(cost) ? null : cost);

/** A number, or a decimal string beyond what a number holds exactly. */
const countOf = (count: bigint): number | string =>
  count <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(count) : count.toString();

/** The data inputs. */
function inputsOf(network: Network): readonly Value[] {
  const own = parameterValues(network);
  return network.graphs?.forward.inputs.filter((value) => !own.has(value)) ?? [];
}

function parametersOf(network: Network, flow: Flow | undefined): Inspection["parameters"] {
  const learned = learnedOf(network);
  const count = elementsOf(learned);
  const trainable = elementsOf(learned.filter((parameter) => parameter.trainable));
  const at = (bits: number) => Math.ceil((count * bits) / 8);
  return {
    total: count,
    trainable,
    frozen: count - trainable,
    buffers: elementsOf(network.parameters.filter(({ isBuffer }) => isBuffer)),
    effective: learned.some(({ zeros }) => zeros === undefined)
      ? null
      : count - total(learned, ({ zeros }) => zeros ?? 0),
    bytes: total(learned, ({ elements, bits }) => Math.ceil((elements * bits) / 8)),
    bytesByPrecision: { float32: at(32), float16: at(16), int8: at(8), int4: at(4) },
    shared: flow ? sharedParameters(network, flow) : [],
  };
}

/** Share of parameters that are 0 from which on it is told: weights of few bits have some by rounding. */
const noticed = 0.05;

/** Whether so many parameters are 0 that those that are not are worth a line. */
export const isSparse = ({ total, effective }: Inspection["parameters"]): boolean =>
  effective !== null && total - effective > noticed * total;

/** Parameters that several layers read, also transposed or reshaped on the way. */
function sharedParameters(network: Network, flow: Flow): Inspection["parameters"]["shared"] {
  const layerOf = new Map(network.layers.flatMap(({ name, scopes }) => scopes.map((scope) => [scope, name])));
  const readers = new Map<Value, Set<string>>();
  const sources = new Map<Value, readonly Value[]>();
  const sourcesOf = (value: Value): readonly Value[] => sources.get(value) ?? [value];
  for (const node of flow.graph.nodes) {
    const behind = [
      ...new Set(node.inputs.flatMap((value) => (value && flow.isLearned(value) ? sourcesOf(value) : []))),
    ];
    if (behind.length === 0) continue;
    if (flow.activeOperands(node).length === 0) for (const output of node.outputs) sources.set(output, behind);
    const layer = node.scope && layerOf.get(node.scope);
    if (layer === undefined) continue;
    for (const value of behind) readers.set(value, (readers.get(value) ?? new Set()).add(layer));
  }
  return learnedOf(network).flatMap(({ name, layer, value }) => {
    const others = [...((value && readers.get(value)) ?? [])].filter((reader) => reader !== layer);
    return others.length > 0 ? [{ name, layers: [layer, ...others] }] : [];
  });
}

interface Share {
  readonly parameters: number;
  readonly trainable: number;
  readonly macs: number | null;
}

/** Sums over layers with the same key, those with most parameters first. */
function sharesBy<K extends string>(
  layers: readonly InspectedLayer[],
  keyOf: (layer: InspectedLayer) => K,
): (readonly [K, Share])[] {
  const shares = [...groupBy(layers, keyOf)].map(([key, own]) => {
    const share: Share = {
      parameters: total(own, ({ parameters }) => parameters),
      trainable: total(own, ({ trainable }) => trainable),
      macs: own.some(({ macs }) => macs === null) ? null : total(own, ({ macs }) => macs ?? 0),
    };
    return [key, share] as const;
  });
  return shares.sort(([, a], [, b]) => b.parameters - a.parameters || (b.macs ?? 0) - (a.macs ?? 0));
}

const pathNotes = (flow: Flow | undefined, paths: Paths | undefined): readonly string[] =>
  flow && !paths ? ["The paths through the network are not counted: there are too many ways for that."] : [];

function trainingNotes({ graphs }: Network, training: ReturnType<typeof trainingCost>): readonly string[] {
  if (graphs?.trainingLimit !== undefined) return [`What training costs is not counted: ${tooLargeToTrain(graphs)}.`];
  if (!training) return [];
  const { stops, unreached } = training;
  const notes = [...stops].map(
    ([type, count]) =>
      `No gradient passes ${type}${count > 1 ? ` (${count} times)` : ""}: what lies before it gets none.`,
  );
  if (unreached.length > 0) {
    const elements = total(unreached, (parameter) => parameter.elements).toLocaleString("en-US");
    const names = unreached.slice(0, 3).map(({ name }) => name);
    notes.push(
      `${elements} trainable parameters get no gradient: ${names.join(", ")}${unreached.length > 3 ? `, and ${unreached.length - 3} more tensors` : ""}.`,
    );
  }
  return notes;
}
