/** From a graph to something that runs: passes, ONNX model, session. */
import { count, flag, functionOf, oneOf, string } from "../core/option-types.ts";
import { type OptionTypes, optionsOf } from "../core/options.ts";
import { sameShape } from "../core/shape.ts";
import { Tensor } from "../core/tensor.ts";
import { graphsOf } from "../graph/attributes.ts";
import { bytesOf, constantOf, type Graph, graphOf, type Value } from "../graph/ir.ts";
import { makeNode } from "../graph/op.ts";
import { foldConstants, lower, lowerForWebGpu, type Pass, shareCommon, simplify } from "../graph/passes.ts";
import { rewrite } from "../graph/rewrite.ts";
import { verify } from "../graph/verify.ts";
import { encodeModel, nodeName } from "../onnx/model.ts";
import { Constant } from "../ops/constant.ts";
import { Reshape } from "../ops/movement.ts";
import { selectBackend } from "../runtime/select.ts";
import {
  type Backend,
  type ComputePrecision,
  computePrecisions,
  type DeviceChoice,
  deviceChoices,
  endOutput,
  ownsMemory,
  type Placement,
  type Session,
  type SessionOptions,
} from "../runtime/session.ts";
import { resolveDevice } from "./auto-device.ts";
import { engineError } from "./engine-errors.ts";
import { halfPrecision } from "./half-precision.ts";
import { rowLayout } from "./row-layout.ts";

/** Passes that leave a graph to be read, differentiated and run as before. */
export const tidy: readonly Pass[] = [(outputs) => simplify(outputs), foldConstants(Constant), shareCommon];

/** Passes in the order in which they run before a graph is compiled for an engine. */
export function pipelineFor(
  { device, blocks, halfSums }: Pick<Backend, "device" | "blocks" | "halfSums">,
  precision: CompileOptions["precision"] = "float32",
): readonly Pass[] {
  const first = precision === "float16" ? [...tidy, halfPrecision(halfSums), ...tidy] : tidy;
  if (device === "webgpu") return [...first, lowerForWebGpu, ...tidy];
  // Rows and blocks suit the caches of processors. cuDNN takes convolutions as they are and chooses how to lay them out; what CUDA's
  // provider lacks the engine leaves to the processor, which has all that `lower` gives.
  if (device === "cuda") return [...first, lower, ...tidy];
  return [...first, rowLayout(blocks), ...tidy, lower, ...tidy];
}

/** Passes that run before a graph is compiled, for any processor. */
export const pipeline = pipelineFor({ device: "cpu", blocks: false, halfSums: "rounded" });

/**
 * The graph after passes, by default those that run before a graph is compiled: simplified, constants folded, common
 * parts shared, lowered to what the engine has. What a pass changes is verified.
 */
export function optimize(graph: Graph, passes: readonly Pass[] = pipeline): Graph {
  const start = optimizeBranches(graph, passes);
  return passes.reduce((current, pass) => {
    const outputs = pass(current.outputs);
    if (outputs.every((value, i) => value === current.outputs[i])) return current;
    const next = graphOf(current.inputs, outputs);
    verify(next);
    return next;
  }, start);
}

/** The graph with those that its nodes hold optimized. */
function optimizeBranches(graph: Graph, passes: readonly Pass[]): Graph {
  const { outputs, changed } = rewrite(graph.outputs, (node) => {
    const branches = graphsOf(node).map(([name, branch]) => [name, optimize(branch, passes)] as const);
    if (branches.length === 0) return undefined;
    return makeNode(node.op, node.inputs, { ...node.attributes, ...Object.fromEntries(branches) }, node.scope).outputs;
  });
  return changed ? graphOf(graph.inputs, outputs) : graph;
}

export const precisionType = oneOf(...computePrecisions);

/** How a graph is compiled and run: the device, its threads, memory and profile. */
export interface CompileOptions extends SessionOptions {
  /** Where to compute, `"auto"` for what is best here (`chooseDevice`); default `"cpu"` in Node and `"wasm"` elsewhere. */
  readonly device?: DeviceChoice;
  /**
   * What matrix products and convolutions are computed in. `"float16"` is mixed precision: they take float16 and give float16, everything else
   * stays float32. It is for graphics cards; the processor computes float32 of numbers that are rounded so, which is slower and shows how a
   * model fares. Default `"float32"`.
   */
  readonly precision?: ComputePrecision | undefined;
  /**
   * Called after the first run of each compiled graph on a device that is not the processor, in Node: which nodes the engine left to the
   * processor. That run is profiled, and a little slower.
   */
  readonly onPlacement?: (placement: Placement) => void;
}

export const compileTypes: OptionTypes<CompileOptions> = {
  device: oneOf(...deviceChoices),
  precision: precisionType,
  threads: count(),
  spinning: flag,
  memoryPattern: flag,
  profilePrefix: string,
  onPlacement: functionOf("(placement) => …"),
};
export const checkCompile = optionsOf("compile", compileTypes);

/** A graph compiled for a device. */
export interface Executable {
  /** The graph that runs, after the passes. */
  readonly graph: Graph;
  /** What runs it; release it when it is done with. */
  readonly session: Session;
  /** What it holds in memory, as estimated: the model with its constants, and the values that are there at once. */
  readonly bytes: number;
  /** How much what is compiled may hold together on this machine. */
  readonly room: number;
  /** Inputs and preallocated outputs in the graph's order; see Session.run. Throws what the inputs' checks throw. */
  run(inputs: readonly Tensor[], outputs?: readonly (Tensor | undefined)[]): Promise<Tensor[]>;
}

/**
 * Graphs whose values take more than this do without the engine's memory pattern: it makes a small step some 3 % faster,
 * but keeps the memory of the first run beside that of the others (docs/performance.md).
 */
const patternLimit = 2 ** 28;

/** Whether a graph runs with a memory pattern. */
export const usesMemoryPattern = ({ nodes }: Graph): boolean => {
  let bytes = 0;
  for (const { outputs } of nodes) for (const output of outputs) bytes += bytesOf(output);
  return bytes <= patternLimit;
};

/** Bytes of the values that are there at once when nodes run in their order, at the most. */
function mostAlive({ nodes, outputs }: Graph): number {
  const lastUse = new Map<Value, number>();
  for (const [at, { inputs }] of nodes.entries()) for (const value of inputs) if (value) lastUse.set(value, at);
  for (const value of outputs) lastUse.set(value, nodes.length);
  let [alive, most] = [0, 0];
  for (const [at, node] of nodes.entries()) {
    for (const value of node.outputs) alive += bytesOf(value);
    most = Math.max(most, alive);
    const ending = new Set([...node.inputs, ...node.outputs]);
    for (const value of ending) if (value?.producer && (lastUse.get(value) ?? at) <= at) alive -= bytesOf(value);
  }
  return most;
}

/**
 * Outputs without the reshapes that come last: the engine copies what an output is a reshape of, and the numbers are the same. A value is
 * returned once.
 */
function withoutReshapes(outputs: readonly Value[]): readonly Value[] {
  const taken = new Set(outputs);
  return outputs.map((output) => {
    const source = output.producer?.op === Reshape ? output.producer.inputs[0] : undefined;
    if (!source?.producer || constantOf(source) || taken.has(source)) return output;
    taken.add(source);
    return source;
  });
}

/** A tensor in the shape of a value with as many elements. */
const labelled = ({ dtype, data }: Tensor, { shape }: Value): Tensor => new Tensor(dtype, shape, data);

/** The same for a room that an output is written into: the same tensor for the same room, since the engine keeps a handle of each. */
function roomOf(room: Tensor, value: Value, known: WeakMap<Tensor, Tensor>): Tensor {
  if (sameShape(room.shape, value.shape)) return room;
  const made = known.get(room) ?? labelled(room, value);
  known.set(room, made);
  return made;
}

/** The names in the model of the nodes of a graph for a graphics card that are left to the processor. */
const nodesOnProcessor = ({ nodes }: Graph): readonly string[] =>
  nodes.flatMap((node, i) => (node.op.onWebGpu(node) === "processor" ? [nodeName(node, i)] : []));

/**
 * Compiles the graph from `inputs` to `outputs`; `jit` does so for functions. Throws DTypeError for an operator that
 * the engine does not compute in its operands' dtype, OptionError for a device that is not there, or that has no float16 where that is asked for.
 * @example
 * const x = input("float32", [2, 3], "x");
 * const { run, session } = await compile([x], [ops.softmax(x)]);
 * const [y] = await run([tensor([[1, 2, 3], [4, 5, 6]])]);
 * await session.release();
 * @param staying the outputs that stay in the memory of the device, where it has its own; see Session.run
 */
export async function compile(
  inputs: readonly Value[],
  outputs: readonly Value[],
  compileOptions: CompileOptions = {},
  staying: ReadonlySet<Value> = new Set(),
): Promise<Executable> {
  const { device, precision, onPlacement, ...options } = checkCompile(compileOptions);
  const backend = await selectBackend(await resolveDevice(device));
  if (precision === "float16") {
    // Most never ask for it.
    const { requireHalf } = await import("./half-support.ts");
    await requireHalf(backend);
  }
  const graph = optimize(graphOf(inputs, outputs), pipelineFor(backend, precision));
  const hasOwn = ownsMemory(backend.device);
  // What stays on the device has the shape that it is read in.
  const returned = hasOwn ? graph.outputs : withoutReshapes(graph.outputs);
  const run = graphOf(graph.inputs, returned);
  const outputNames = returned.map((_, i) => `output_${i}`);
  const sequence = backend.copiesOutputs ? endOutput : undefined;
  const model = encodeModel(run, { outputNames, sequence });
  const session = await backend
    .compile(
      model,
      { memoryPattern: usesMemoryPattern(graph), ...options },
      {
        staying: hasOwn ? outputNames.filter((_, i) => staying.has(outputs[i] as Value)) : [],
        onProcessor: backend.device === "webgpu" ? nodesOnProcessor(run) : [],
        onPlacement,
      },
    )
    .catch((error: unknown) => {
      throw engineError(error, "compiling", graph);
    });
  const known = new WeakMap<Tensor, Tensor>();
  const checked = inputs.flatMap(({ checks, name }, i) =>
    checks ? [{ i, name: name ?? `input ${i}`, checks: [...checks.values()] }] : [],
  );
  return {
    graph,
    session,
    bytes: model.length + mostAlive(graph),
    room: backend.memory / 2,
    async run(tensors, preallocated) {
      for (const { i, name, checks } of checked) for (const check of checks) check(tensors[i] as Tensor, name);
      const rooms = preallocated?.map((room, i) => room && roomOf(room, returned[i] as Value, known));
      const results = await session.run(tensors, rooms).catch((error: unknown) => {
        throw engineError(error, "running", graph);
      });
      return results.map((result, i) => {
        const asked = graph.outputs[i] as Value;
        return preallocated?.[i] ?? (asked === returned[i] ? result : labelled(result, asked));
      });
    },
  };
}
