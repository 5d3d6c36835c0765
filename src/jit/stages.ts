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
  /** As `Executable.run`. */
  run: Executable["run"];
}

/** Whether processes meet within a graph. */
export const meets = (outputs: readonly Value[]): boolean => nodesOf(outputs).some(({ op }) => op === SumOverRanks);

interface Stage {
  /** What it computes: operands of sums, what later stages read, and outputs of the whole. */
  readonly outputs: readonly Value[];
  /** The sums that follow it. */
  readonly sums: readonly { readonly operand: Value; readonly result: Value }[];
}

/**
 * Compiles a graph as `compile` does, in as many stages as processes meet one after the other.
 * @param staying see `compile`
 * @param sum replaces numbers by their sums over all processes; called by all in one order
 */
export async function compileStages(
  inputs: readonly Value[],
  outputs: readonly Value[],
  options: CompileOptions | undefined,
  staying: ReadonlySet<Value>,
  sum: (values: Float64Array) => Promise<void>,
): Promise<Staged> {
  if (!meets(outputs)) {
    const executable = await compile(inputs, outputs, options, staying);
    return { executables: [executable], run: executable.run };
  }
  const known = new Map<Value, Value>(inputs.map((value) => [value, value]));
  const stages: (Stage & { readonly executable: Executable; readonly entering: readonly Value[] })[] = [];
  for (const { outputs: computed, sums } of stagesOf(outputs)) {
    const graph = rewrite(computed, () => undefined, known).outputs.map((value) => known.get(value) ?? value);
    const read = readBy(graph);
    const entering = [...known].filter(([, stand]) => read.has(stand));
    const executable = await compile(
      entering.map(([, stand]) => stand),
      graph,
      options,
      new Set(graph.filter((_, i) => staying.has(computed[i] as Value))),
    );
    stages.push({ executable, outputs: computed, sums, entering: entering.map(([value]) => value) });
    // From here on they are given.
    const results = sums.map(({ result }) => result);
    for (const value of [...computed, ...results])
      if (!known.has(value)) known.set(value, input(value.dtype, value.shape, value.name));
  }
  return {
    executables: stages.map(({ executable }) => executable),
    async run(tensors, places = []) {
      const values = new Map<Value, Tensor>(inputs.map((value, i) => [value, tensors[i] as Tensor]));
      const rooms = new Map(outputs.map((value, i) => [value, places[i]]));
      for (const { executable, outputs: computed, sums, entering } of stages) {
        const given = entering.map((value) => values.get(value) as Tensor);
        const results = await executable.run(
          given,
          computed.map((value) => rooms.get(value)),
        );
        for (const [i, value] of computed.entries()) values.set(value, results[i] as Tensor);
        await meet(sums, values, sum);
      }
      return outputs.map((value, i) => {
        const [found, place] = [values.get(value) as Tensor, places[i]];
        if (!place || place === found) return found;
        // A sum, or the place of an output that stands twice.
        (place.data as Float32Array).set(found.data as Float32Array);
        return place;
      });
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

/** The stages of a graph in their order: each begins where the sums before it are known. */
function stagesOf(outputs: readonly Value[]): readonly Stage[] {
  const nodes = nodesOf(outputs);
  const stageOf = new Map<Value, number>();
  const at = (value: Value) => stageOf.get(value) ?? 0;
  const stages: { outputs: Set<Value>; sums: Stage["sums"][number][] }[] = [];
  const stage = (index: number) => {
    const own = stages[index] ?? { outputs: new Set<Value>(), sums: [] };
    stages[index] = own;
    return own;
  };
  for (const node of nodes) {
    const operands = node.inputs.filter((value) => value !== undefined);
    const own = Math.max(0, ...operands.map(at));
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
  for (const output of outputs) if (output.producer?.op !== SumOverRanks) stage(at(output)).outputs.add(output);
  return stages.map((own) => ({ outputs: [...own.outputs], sums: own.sums }));

  function hand(value: Value): void {
    // A sum is known to the stages after it as it is.
    if (value.producer?.op !== SumOverRanks) stage(at(value)).outputs.add(value);
  }
}
