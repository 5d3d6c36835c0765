/** Takes whole residual blocks out of a model: x + f(x) becomes x. */
import { OptionError } from "../../core/errors.ts";
import { plural } from "../../core/number-text.ts";
import { count } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import { sameShape, size } from "../../core/shape.ts";
import type { Batch, Dataset } from "../../data/pipeline/dataset.ts";
import { inputsType, typesToTrace } from "../../formats/files/export-onnx.ts";
import { type PredictionGraph, sampleGraph } from "../../formats/files/traced-graph.ts";
import { type Graph, graphOf, type Node, nodesOf, type Value } from "../../graph/ir.ts";
import { rewrite } from "../../graph/rewrite.ts";
import { optimize, tidy } from "../../jit/compile.ts";
import type { AnyModule, TypeTree } from "../../nn/index.ts";
import { Add } from "../../ops/elementwise.ts";
import { evaluate, type LossSpec } from "../../train/index.ts";
import type { BeforeAndAfter } from "./channels/plan.ts";
import { dataType, lossType } from "./gradients.ts";
import { type CutOptions, cutOptions, type PrunedModel, prunedModel } from "./pruned-model.ts";

/** Options of `planBlocks` and `pruneBlocks`. */
export interface PruneBlocksOptions {
  /** How many blocks go: those without which the loss is least. */
  readonly drop: number;
  /** Batches by which blocks are compared, of the training or the validation part. */
  readonly data: Dataset<Batch>;
  /** The loss by which they are compared. */
  readonly loss: LossSpec;
  /** Types of the inputs, nested as the model takes them; default those it was last applied to. */
  readonly inputs?: TypeTree;
}

const checkOptions = optionsOf<PruneBlocksOptions>("pruneBlocks", {
  drop: required(count()),
  data: required(dataType),
  loss: required(lossType),
  inputs: inputsType,
});
const checkCut = cutOptions("cutBlocks");

/** A residual block. */
export interface PlannedBlock {
  /** Paths of the parameters that go with it. */
  readonly parameters: readonly string[];
  /** Elements of these. */
  readonly elements: number;
  /** Multiply-adds that go with it, for one sample. */
  readonly macs: number;
  /** The loss on the data without it, less that of the whole model. */
  readonly lossIncrease: number;
  /** Whether it goes. */
  readonly dropped: boolean;
}

/** Which residual blocks a model would lose. */
export interface BlockPlan {
  /** All of them, as they are computed. */
  readonly blocks: readonly PlannedBlock[];
  /** Multiply-adds of the whole model for one sample. */
  readonly macs: BeforeAndAfter;
}

/** A sum of what a block took and what it made of that. */
interface Residual {
  readonly node: Node;
  /** What it took. */
  readonly skip: Value;
}

/** The residual sums of a graph, in its order. */
function residualsOf({ nodes }: Graph): readonly Residual[] {
  const isBehind = (value: Value, other: Value) =>
    nodesOf([other], new Set([value])).some((node) => node.inputs.includes(value));
  return nodes.flatMap((node): Residual[] => {
    const [a, b] = node.inputs as readonly [Value, Value];
    if (node.op !== Add || !a.producer || !b.producer || a === b || !sameShape(a.shape, b.shape)) return [];
    if (isBehind(a, b)) return [{ node, skip: a }];
    return isBehind(b, a) ? [{ node, skip: b }] : [];
  });
}

/** The graph without some of its residual blocks. */
function withoutBlocks(graph: Graph, gone: ReadonlySet<number>): Graph {
  const going = residualsOf(graph).filter((_, i) => gone.has(i));
  // From the last to the first: what is before a sum stays the same nodes as it is replaced.
  const outputs = going.reduceRight<readonly Value[]>(
    (own, { node, skip }) => rewrite(own, () => undefined, new Map([[node.outputs[0], skip]])).outputs,
    graph.outputs,
  );
  return graphOf(graph.inputs, outputs);
}

const macsOf = ({ nodes }: Graph): number => nodes.reduce((sum, node) => sum + node.op.macs(node), 0);

/** Names of the parameters that a graph reads. */
function readBy({ nodes }: Graph, parameters: PredictionGraph["parameters"]): ReadonlySet<string> {
  const read = new Set(nodes.flatMap((node) => node.inputs));
  return new Set([...parameters.keys()].filter((value) => read.has(value)).map((value) => value.name ?? ""));
}

/**
 * Which residual blocks a model loses, without taking any out: each is left out by itself, and those without which the loss on the data is
 * least go. A block is a sum of what it takes and what it makes of that; where the shape changes on the way, as between stages, there is
 * none. Throws OptionError for a model with fewer blocks than are to go, and what evaluation throws.
 * @example const { blocks } = await planBlocks(model, { drop: 2, data: validation, loss: crossEntropy() });
 */
export async function planBlocks(model: AnyModule, options: PruneBlocksOptions): Promise<BlockPlan> {
  const { drop, data, loss, inputs } = checkOptions(options);
  const types = typesToTrace(model, inputs, "planBlocks");
  const { graph: traced, parameters } = sampleGraph(model, types);
  const graph = optimize(traced, tidy);
  const residuals = residualsOf(graph);
  if (residuals.length < drop)
    throw new OptionError(
      `planBlocks: ${drop} are to go, and the model has ${plural(residuals.length, "residual block")}; pass a smaller drop`,
    );
  const lossOf = async (own: AnyModule) => (await evaluate(own, data, { loss })).results["loss"] ?? Number.NaN;
  const whole = await lossOf(model);
  const read = readBy(graph, parameters);
  const all = model.parameters();
  const found: Omit<PlannedBlock, "dropped">[] = [];
  for (const i of residuals.keys()) {
    const rest = withoutBlocks(graph, new Set([i]));
    const still = readBy(rest, parameters);
    const gone = [...read].filter((path) => !still.has(path));
    const { model: smaller } = cutAt(model, new Set([i]), undefined, { inputs: types });
    found.push({
      parameters: gone,
      elements: gone.reduce((sum, path) => sum + size(all.get(path)?.shape ?? []), 0),
      macs: macsOf(graph) - macsOf(rest),
      lossIncrease: (await lossOf(smaller)) - whole,
    });
  }
  const order = [...found.keys()].sort((a, b) => increaseOf(found[a]) - increaseOf(found[b]) || a - b);
  const dropped = new Set(order.slice(0, drop));
  return {
    blocks: found.map((own, i) => ({ ...own, dropped: dropped.has(i) })),
    macs: { before: macsOf(graph), after: macsOf(withoutBlocks(graph, dropped)) },
  };
}

/** A loss that is no number is the worst. */
const increaseOf = (block: Pick<PlannedBlock, "lossIncrease"> | undefined): number =>
  Number.isNaN(block?.lossIncrease) ? Number.POSITIVE_INFINITY : (block?.lossIncrease ?? 0);

/**
 * Takes out the blocks that a plan drops. The model itself stays as it is. Throws OptionError for a plan of another model.
 * @example const { model: smaller } = cutBlocks(model, await planBlocks(model, { drop: 2, data, loss }));
 */
export function cutBlocks(model: AnyModule, plan: BlockPlan, options: CutOptions = {}): PrunedModel<BlockPlan> {
  const given = checkCut(options);
  const gone = new Set(plan.blocks.flatMap(({ dropped }, i) => (dropped ? [i] : [])));
  return cutAt(model, gone, plan, given);
}

function cutAt<Plan extends BlockPlan | undefined>(
  model: AnyModule,
  gone: ReadonlySet<number>,
  plan: Plan,
  options: CutOptions,
): PrunedModel<Plan> {
  const types = typesToTrace(model, options.inputs, "cutBlocks");
  const { graph: traced, parameters } = sampleGraph(model, types);
  const graph = optimize(traced, tidy);
  const found = residualsOf(graph).length;
  if (plan && plan.blocks.length !== found)
    throw new OptionError(
      `cutBlocks: the plan has ${plural(plan.blocks.length, "block")}, the model ${found}; make the plan of this model`,
    );
  const still = readBy(withoutBlocks(graph, gone), parameters);
  const dropped = new Set([...readBy(graph, parameters)].filter((path) => !still.has(path)));
  return prunedModel(model, plan, {
    ...options,
    inputs: types,
    dropped,
    change: (own) => {
      const { inputs, outputs } = withoutBlocks(own.graph, gone);
      const left = inputs.filter((value) => !own.parameters.has(value) || !dropped.has(value.name ?? ""));
      return { graph: graphOf(left, outputs), changed: new Map() };
    },
  });
}

/** Plans which residual blocks a model loses, and takes them out: see `planBlocks` and `cutBlocks`. The model itself stays as it is. */
export async function pruneBlocks(model: AnyModule, options: PruneBlocksOptions): Promise<PrunedModel<BlockPlan>> {
  const { inputs } = options;
  return cutBlocks(model, await planBlocks(model, options), inputs ? { inputs } : {});
}
