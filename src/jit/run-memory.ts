/** How much memory ONNX Runtime takes to run a graph: its order of execution and its plan of buffers; and what a training step takes. */
import { appendTo } from "../core/lists.ts";
import { sameShape } from "../core/shape.ts";
import { bytesOf, constantOf, type Graph, type Node, type Value } from "../graph/ir.ts";
import { elementwiseOps, isView, storageOf } from "../ops/registry.ts";
import { leastUncopied } from "../runtime/session.ts";
import { usesMemoryPattern } from "./compile.ts";

export interface RunMemory {
  /** The most bytes of buffers that are in use together: of values that are alive, and idle ones kept for the next of their shape. */
  readonly peak: number;
  /** Bytes of constants. */
  readonly constants: number;
}

/** What running a graph takes beside its inputs and outputs, which are the caller's. `bytes` gives those of a value. */
export function runMemory(graph: Graph, bytes: (value: Value) => number = bytesOf): RunMemory {
  const order = executionOrder(graph);
  const constants = order.reduce((sum, { outputs: [y] }) => sum + (constantOf(y) ? bytes(y) : 0), 0);
  const { taken, givenBack } = planBuffers(graph, order);
  let [used, peak] = [0, 0];
  for (const node of order) {
    for (const buffer of taken.get(node) ?? []) used += bytes(buffer);
    peak = Math.max(peak, used);
    for (const buffer of givenBack.get(node) ?? []) used -= bytes(buffer);
  }
  return { peak, constants };
}

/** What the engine's arena takes for a byte of buffers, measured between 1.0 and 1.4 (docs/performance.md). */
export const fragmentation = 1.3;

/** Bytes that the engine takes to run a compiled graph beside its inputs and outputs. */
export function engineMemory(graph: Graph): number {
  const { peak, constants } = runMemory(graph);
  return peak * fragmentation + (usesMemoryPattern(graph) ? peak : 0) + constants;
}

/**
 * Copies of small gradients, which onnxruntime-node returns beside those that it writes into preallocated tensors; those of the step before are still
 * there while a step runs.
 */
const copiesOf = (bytes: number): number => (bytes < leastUncopied ? 2 : 0);

/** What is trained. */
export interface TrainedSizes {
  /** Elements of the trainable parameters. */
  readonly trainable: number;
  /** Vectors as long that are remembered from step to step. */
  readonly slots: number;
  /** Bits of a number of parameters and gradients; default 32. */
  readonly bits?: number;
}

/** Bytes of gradients, with the engine's copies where they are small, and of what is remembered. */
export function trainedMemory({ trainable, slots, bits = 32 }: TrainedSizes): {
  readonly gradients: number;
  readonly optimizer: number;
} {
  // Mixed precision (Micikevicius et al. 2018): what is summed over many steps stays float32.
  const originals = bits < 32 ? 1 : 0;
  const once = (trainable * bits) / 8;
  return { gradients: (1 + copiesOf(once)) * once, optimizer: 4 * (slots + originals) * trainable };
}

/** Depth first from the nodes that nothing reads, the last one first, operands of later nodes before those of earlier ones. */
export function executionOrder({ nodes }: Pick<Graph, "nodes">): readonly Node[] {
  const index = new Map(nodes.map((node, i) => [node, i]));
  const read = new Set(nodes.flatMap((node) => node.inputs.map((value) => value?.producer)));
  const order: Node[] = [];
  const seen = new Set<Node>();
  const stack: { readonly node: Node; readonly leave: boolean }[] = nodes
    .filter((node) => !read.has(node))
    .map((node) => ({ node, leave: false }));
  for (let top = stack.pop(); top; top = stack.pop()) {
    const { node, leave } = top;
    if (leave) order.push(node);
    if (leave || seen.has(node)) continue;
    seen.add(node);
    stack.push({ node, leave: true });
    const makers = [...new Set(node.inputs.map((value) => value?.producer))].filter((maker) => maker !== undefined);
    makers.sort((a, b) => (index.get(a) ?? 0) - (index.get(b) ?? 0));
    for (const maker of makers) if (!seen.has(maker)) stack.push({ node: maker, leave: false });
  }
  return order;
}

interface BufferPlan {
  /** Buffers that come into use with a node, each named by its first value. */
  readonly taken: ReadonlyMap<Node, readonly Value[]>;
  /** Buffers that go out of use after a node. */
  readonly givenBack: ReadonlyMap<Node, readonly Value[]>;
}

/**
 * Which values share a buffer (allocation_planner.cc): a view that of its source, an elementwise result that of an operand that
 * nothing else reads, any other that of an earlier value of its type and shape that is done with. A buffer is given back
 * after the last of its values, however long it lay idle between two of them.
 */
function planBuffers(graph: Graph, order: readonly Node[]): BufferPlan {
  const results = new Set(graph.outputs);
  const readers = new Map<Value, number>();
  const count = (value: Value) => readers.set(value, (readers.get(value) ?? 0) + 1);
  for (const node of order) for (const value of node.inputs) if (value) count(value);
  for (const output of graph.outputs) count(output);

  const bufferOf = new Map<Value, Value>();
  /** Readers that a buffer still has to wait for. */
  const waiting = new Map<Value, number>();
  const idle = new Map<string, Value[]>();
  const keyOf = ({ dtype, shape }: Value) => `${dtype}${shape}`;
  const taken = new Map<Node, Value[]>();
  const lastUser = new Map<Value, Node>();

  const bufferFor = (node: Node, y: Value): Value | undefined => {
    const [first] = node.inputs;
    if (isView(node.op)) return first && bufferOf.get(first);
    const source = elementwiseOps.has(node.op)
      ? node.inputs.slice(0, 2).find((value) => {
          const buffer = value && bufferOf.get(value);
          return buffer && waiting.get(buffer) === 1 && value.dtype === y.dtype && sameShape(value.shape, y.shape);
        })
      : undefined;
    return (source && bufferOf.get(source)) ?? idle.get(keyOf(y))?.pop();
  };

  for (const node of order) {
    if (constantOf(node.outputs[0])) continue;
    for (const y of node.outputs) {
      // What nothing reads is not computed; a result goes into the caller's memory, a view of an input is there already.
      const source = storageOf(y);
      const isGiven = source !== y && (!source.producer || constantOf(source) !== undefined);
      if (!readers.has(y) || results.has(y) || isGiven) continue;
      const shared = bufferFor(node, y);
      const buffer = shared ?? y;
      if (!shared) appendTo(taken, node, y);
      bufferOf.set(y, buffer);
      waiting.set(buffer, (waiting.get(buffer) ?? 0) + (readers.get(y) ?? 0));
      lastUser.set(buffer, node);
    }
    for (const value of node.inputs) {
      const buffer = value && bufferOf.get(value);
      if (!buffer) continue;
      const left = (waiting.get(buffer) ?? 0) - 1;
      waiting.set(buffer, left);
      lastUser.set(buffer, node);
      if (left === 0) appendTo(idle, keyOf(buffer), buffer);
    }
  }
  const givenBack = new Map<Node, Value[]>();
  for (const [buffer, node] of lastUser) if (waiting.get(buffer) === 0) appendTo(givenBack, node, buffer);
  return { taken, givenBack };
}
