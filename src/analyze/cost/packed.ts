/** Graphs of networks whose parameters are stored in few bits: they are unpacked on the way, which takes memory and time. */
import { size } from "../../core/shape.ts";
import { type Graph, graphOf, input, type Value } from "../../graph/ir.ts";
import { rewrite } from "../../graph/rewrite.ts";
import { partShapes, unpackedValue } from "../../nn/packed.ts";
import type { NetworkParameter } from "../networks/network.ts";

/** A graph, and its inputs that stand for the packed parameters. */
export interface PackedGraph {
  readonly graph: Graph;
  readonly parts: ReadonlySet<Value>;
}

/** The graph with the packed parameters as inputs in their blocks, in place of the float ones. */
export function withPackedInputs(graph: Graph, parameters: readonly NetworkParameter[]): PackedGraph {
  const parts = new Set<Value>();
  const given = new Map<Value, Value>();
  for (const { packing, value, shape, elements } of parameters) {
    if (!packing || value?.dtype !== "float32" || size(value.shape) !== elements) continue;
    const { bits, block } = packing;
    const shapes = partShapes(shape, bits, block + (block % 2));
    const inputs = [input("uint8", shapes.elements), input("float32", shapes.scales)];
    for (const part of inputs) parts.add(part);
    given.set(value, unpackedValue(bits, inputs, value.shape));
  }
  if (given.size === 0) return { graph, parts };
  const { outputs } = rewrite(graph.outputs, () => undefined, given);
  return { graph: graphOf([...graph.inputs.filter((value) => !given.has(value)), ...parts], outputs), parts };
}
