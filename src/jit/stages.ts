/** Graphs in which processes meet: compiled as stages, between which sums over all of them are made. */
import { allocate } from "../core/dtype.ts";
import { size } from "../core/shape.ts";
import { Tensor } from "../core/tensor.ts";
import { constantOf, input, nodesOf, type Value } from "../graph/ir.ts";
import { rewrite } from "../graph/rewrite.ts";
import { SumOverRanks } from "../ops/training/ranks.ts";
import { type CompileOptions, compile, type Executable } from "./compile.ts";

/** A compiled graph, of one stage or of several. */
export interface Staged {
  readonly executables: readonly Executable[];
  /** As `Executable.run`. @param ready called with the number of each group of outputs once they are there, in their order */
  run(
    inputs: readonly Tensor[],
    places?: readonly (Tensor | undefined)[],
    ready?: (group: number) => void,
  ): Promise<readonly Tensor[]>;
}

/** How a graph is divided. */
export interface StageOptions {
  /** Replaces numbers by their sums over all processes; called by all in one order. */
  readonly sum: (values: Float64Array) => Promise<void>;
  /** Outputs, by their places among all, that are to be there one group after the other, each as soon as can be; default all are one. */
  readonly groups?: readonly (readonly number[])[] | undefined;
}

/** Whether processes meet within a graph. */
export const meets = (outputs: readonly Value[]): boolean => nodesOf(outputs).some(({ op }) => op === SumOverRanks);

interface Stage {
  /** What it computes: operands of sums, what later stages read, and outputs of the whole. */
  readonly outputs: readonly Value[];
  /** The sums that follow it. */
  readonly sums: readonly { readonly operand: Value; readonly result: Value }[];
  /** The groups of outputs that are there then. */
  readonly completes: readonly number[];
}

/**
 * Compiles a graph as `compile` does, in as many stages as processes meet one after the other, and as there are groups of outputs.
 * @param staying see `compile`
 */
export async function compileStages(
  inputs: readonly Value[],
  outputs: readonly Value[],
  options: CompileOptions | undefined,
  staying: ReadonlySet<Value>,
  { sum, groups = [[...outputs.keys()]] }: StageOptions,
): Promise<Staged> {
  if (groups.length === 1 && !meets(outputs)) {
    const executable = await compile(inputs, outputs, options, staying);
    return {
      executables: [executable],
      async run(tensors, places, ready) {
        const results = await executable.run(tensors, places);
        ready?.(0);
        return results;
      },
    };
  }
  const known = new Map<Value, Value>(inputs.map((value) => [value, value]));
  const stages: (Stage & { readonly executable: Executable; readonly entering: readonly Value[] })[] = [];
  for (const { outputs: computed, sums, completes } of stagesOf(outputs, groups)) {
    const graph = rewrite(computed, () => undefined, known).outputs.map((value) => known.get(value) ?? value);
    const read = readBy(graph);
    const entering = [...known].filter(([, stand]) => read.has(stand));
    const executable = await compile(
      entering.map(([, stand]) => stand),
      graph,
      options,
      new Set(graph.filter((_, i) => staying.has(computed[i] as Value))),
    );
    stages.push({ executable, outputs: computed, sums, completes, entering: entering.map(([value]) => value) });
    // From here on they are given.
    const results = sums.map(({ result }) => result);
    for (const value of [...computed, ...results])
      if (!known.has(value)) known.set(value, input(value.dtype, value.shape, value.name));
  }
  const returned = new Set(outputs);
  // What stages hand on takes the same place in every run: memory that is new each time costs more than what is computed there.
  const handed = new Map<Value, Tensor>();
  return {
    executables: stages.map(({ executable }) => executable),
    async run(tensors, places = [], ready) {
      const values = new Map<Value, Tensor>(inputs.map((value, i) => [value, tensors[i] as Tensor]));
      const rooms = new Map([...handed, ...outputs.map((value, i) => [value, places[i]] as const)]);
      for (const { executable, outputs: computed, sums, entering, completes } of stages) {
        const given = entering.map((value) => values.get(value) as Tensor);
        const results = await executable.run(
          given,
          computed.map((value) => rooms.get(value)),
        );
        for (const [i, value] of computed.entries()) {
          values.set(value, results[i] as Tensor);
          if (!returned.has(value)) handed.set(value, results[i] as Tensor);
        }
        await meet(sums, values, sum);
        for (const group of completes) {
          for (const i of groups[group] ?? []) settle(i);
          ready?.(group);
        }
      }
      return outputs.map((value, i) => places[i] ?? (values.get(value) as Tensor));

      function settle(i: number): void {
        const [value, place] = [outputs[i] as Value, places[i]];
        const found = values.get(value) as Tensor;
        // A sum, or the place of an output that stands twice.
        if (place && place !== found) (place.data as Float32Array).set(found.data as Float32Array);
      }
    },
  };
}

/** Graph inputs that values are, or are computed from. */
const readBy = (outputs: readonly Value[]): ReadonlySet<Value | undefined> =>
  new Set([...outputs, ...nodesOf(outputs).flatMap((node) => node.inputs)]);

/** All sums of a stage at once. */
async function meet(
  sums: Stage["sums"],
  values: Map<Value, Tensor>,
  sum: (values: Float64Array) => Promise<void>,
): Promise<void> {
  const all = new Float64Array(sums.reduce((length, { operand }) => length + size(operand.shape), 0));
  if (all.length === 0) return;
  let next = 0;
  const places = sums.map(({ operand, result }) => {
    const place = all.subarray(next, next + size(operand.shape));
    next += place.length;
    place.set((values.get(operand) as Tensor).data as Float32Array | Float64Array);
    return { result, place };
  });
  await sum(all);
  for (const { result, place } of places) {
    const data = allocate(result.dtype, place.length) as Float32Array | Float64Array;
    data.set(place);
    values.set(result, new Tensor(result.dtype, result.shape, data));
  }
}

/** The stages of a graph in their order: each begins where the sums before it are known, and a group of outputs where those before are there. */
function stagesOf(outputs: readonly Value[], groups: readonly (readonly number[])[]): readonly Stage[] {
  const stageOf = new Map<Value, number>();
  const at = (value: Value) => stageOf.get(value) ?? 0;
  const stages: { outputs: Set<Value>; sums: Stage["sums"][number][]; completes: number[] }[] = [];
  const stage = (index: number) => {
    while (stages.length <= index) stages.push({ outputs: new Set(), sums: [], completes: [] });
    return stages[index] as (typeof stages)[number];
  };
  for (const [number, group] of groups.entries()) {
    const first = stages.length;
    for (const node of nodesOf(group.map((i) => outputs[i]))) {
      const operands = node.inputs.filter((value) => value !== undefined);
      // Of a group before.
      if (node.outputs.some((output) => stageOf.has(output))) continue;
      const own = Math.max(first, ...operands.map(at));
      stage(own);
      // What an earlier stage computes is handed on; constants are made again.
      for (const value of operands) if (value.producer && at(value) < own && !constantOf(value)) hand(value);
      const [operand, result] = [operands[0], node.outputs[0]];
      const isSum = node.op === SumOverRanks && operand !== undefined && result !== undefined;
      for (const output of node.outputs) stageOf.set(output, isSum ? own + 1 : own);
      if (isSum) {
        hand(operand);
        stage(own).sums.push({ operand, result });
      }
    }
    stages.at(-1)?.completes.push(number);
  }
  for (const output of outputs) if (output.producer?.op !== SumOverRanks) stage(at(output)).outputs.add(output);
  return stages.map(({ outputs: computed, sums, completes }) => ({ outputs: [...computed], sums, completes }));

  function hand(value: Value): void {
    // A sum is known to the stages after it as it is.
    if (value.producer?.op !== SumOverRanks) stage(at(value)).outputs.add(value);
  }
}
