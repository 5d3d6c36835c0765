/** Which values of a graph are rounded to 8 bits, so that ONNX Runtime computes what lies between them in whole numbers. */
import { isFloat } from "../../core/dtype.ts";
import type { Node, Value } from "../../graph/ir.ts";
import {
  Add,
  AveragePool,
  Clip,
  Concat,
  Conv,
  Flatten,
  GlobalAveragePool,
  LeakyRelu,
  MaxPool,
  Mul,
  Pad,
  Relu,
  Reshape,
  Resize,
  Sigmoid,
  Slice,
  Split,
  Squeeze,
  Transpose,
  Unsqueeze,
} from "../../ops/index.ts";
import type { HeldGraph } from "../graph/weighted-graph.ts";
import { readersOf, type Site } from "./sites.ts";

/** Rounded values, each with the value whose range it shares: itself, or that of which it is a selection or another order. */
export type Placement = ReadonlyMap<Value, Value>;

/** Activations that ONNX Runtime drops or fuses before a value is rounded. */
const clipped = new Set<unknown>([Relu, Clip]);

/** Operators that give some of the numbers that they take: the same range serves. */
const selecting = new Set<unknown>([MaxPool, Reshape, Transpose, Flatten, Squeeze, Unsqueeze, Slice]);

/** Operators of several values, all of which must be rounded. */
const paired = new Set<unknown>([Add, Mul, Concat]);

/** Operators that ONNX Runtime computes of whole numbers, or that are cheap of those. */
const carrying = new Set<unknown>([
  ...selecting,
  ...clipped,
  ...paired,
  AveragePool,
  GlobalAveragePool,
  LeakyRelu,
  Pad,
  Resize,
  Sigmoid,
  Split,
]);

/** The value behind an activation that alone reads what a product gives. */
function behindActivation(y: Value, readers: ReadonlyMap<Value, number>, users: ReadonlyMap<Value, Node>): Value {
  const user = readers.get(y) === 1 ? users.get(y) : undefined;
  return user && clipped.has(user.op) ? user.outputs[0] : y;
}

/**
 * Where a graph is rounded for the products of `sites`: what they take; what convolutions give, behind their activation; and what
 * operators between them give that can be computed of whole numbers. What a dense layer gives is rounded where something takes it so.
 */
export function placementOf({ graph, parameters }: HeldGraph, sites: readonly Site[]): Placement {
  const readers = readersOf(graph.outputs);
  const users = new Map(graph.nodes.flatMap((node) => node.inputs.map((value) => [value as Value, node] as const)));
  const products = new Set(sites.map(({ node }) => node));
  const isData = (value: Value | undefined): value is Value =>
    value !== undefined && isFloat(value.dtype) && !parameters.has(value) && value.producer?.op.type !== "Constant";
  /** Values that could be rounded without another product in floats between. */
  const able = new Set<Value>();
  const wanted = new Set<Value>();
  for (const node of graph.nodes) {
    if (products.has(node)) {
      const [x] = node.inputs;
      if (x) wanted.add(x);
      const out = behindActivation(node.outputs[0], readers, users);
      able.add(out);
      if (node.op === Conv) wanted.add(out);
    } else if (carrying.has(node.op)) {
      const data = node.inputs.filter(isData);
      const held = data.every((value) => able.has(value) || wanted.has(value));
      // A sum with a weight is computed in floats.
      const isWhole = (!paired.has(node.op) || data.length === node.inputs.length) && !isDilatedMean(node);
      if (data.length > 0 && held && isWhole && isFloat(node.outputs[0].dtype))
        for (const y of node.outputs) able.add(y);
    }
  }
  // What is wanted asks for what lies before it, as far as that is computed of whole numbers.
  for (const node of [...graph.nodes].reverse()) {
    if (!carrying.has(node.op) || !node.outputs.some((y) => wanted.has(y) && able.has(y))) continue;
    for (const value of node.inputs)
      if (isData(value) && able.has(value) && !isClippedProduct(node, products)) wanted.add(value);
  }
  return sharedRanges(graph.nodes, wanted);
}

/** Whether a mean is of elements apart, which ONNX Runtime has for floats alone. */
const isDilatedMean = ({ op, attributes }: Node): boolean =>
  op === AveragePool && ((attributes["dilations"] as readonly number[] | undefined) ?? []).some((step) => step !== 1);

/** Whether a node is the activation of a product, whose own output stays within. */
const isClippedProduct = ({ op, inputs: [x] }: Node, products: ReadonlySet<Node>): boolean =>
  clipped.has(op) && x?.producer !== undefined && products.has(x.producer);

/** The rounded values with the value whose range each shares. */
function sharedRanges(nodes: readonly Node[], wanted: ReadonlySet<Value>): Placement {
  const shared = new Map<Value, Value>([...wanted].map((value) => [value, value]));
  for (const {
    op,
    inputs: [x],
    outputs,
  } of nodes) {
    const source = x && shared.get(x);
    if (!source || !selecting.has(op)) continue;
    for (const y of outputs) if (shared.has(y)) shared.set(y, source);
  }
  return shared;
}
