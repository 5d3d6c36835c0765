/** The verifier names the rule that a broken graph breaks. */
import { expect, test } from "vitest";
import { Relu } from "../ops/activations.ts";
import { Neg } from "../ops/functions.ts";
import { add, exp, int64s, neg, relu, reshape } from "../ops/index.ts";
import { type Graph, graphOf, input, Node, type Value } from "./ir.ts";
import { verify } from "./verify.ts";

const x = input("float32", [2]);
const y = relu(exp(x));
const graph = graphOf([x], [y]);
const broken = (change: Partial<Graph>) => () => verify({ ...graph, ...change });

test("a sound graph passes", () => {
  verify(graph);
  verify(graphOf([x], [x]));
  verify(graphOf([], [reshape(int64s([1, 2]), [2, 1])]));
});

test("an input listed twice", () => expect(broken({ inputs: [x, x] })).toThrow("a graph input is listed twice"));

test("an input that is computed", () =>
  expect(broken({ inputs: [x, y] })).toThrow("graph input float32[2] is computed by Relu"));

test("an operand that is no input", () =>
  expect(broken({ inputs: [] })).toThrow("Exp reads float32[2], which is neither an input nor computed before it"));

test("operands after their user", () =>
  expect(broken({ nodes: graph.nodes.toReversed() })).toThrow("Relu reads float32[2]"));

test("a node listed twice", () =>
  expect(broken({ nodes: [...graph.nodes, ...graph.nodes.slice(1)] })).toThrow("Relu output 0 is assigned twice"));

test("an output that is never computed", () =>
  expect(broken({ outputs: [neg(y)] })).toThrow("graph output float32[2] is never computed"));

const only = (node: Node): Graph => ({ inputs: [x], outputs: node.outputs, nodes: [node] });

test("too few and too many operands", () => {
  expect(() => verify(only(new Node(Neg, [], {}, [x])))).toThrow("Neg has 0 operands, its signature says 1 to 1");
  expect(() => verify(only(new Node(Neg, [x, x], {}, [x])))).toThrow("Neg has 2 operands, its signature says 1 to 1");
});

test("an output of another type than its rule infers", () => {
  const wrong = (type: Pick<Value, "dtype" | "shape">) => () => verify(only(new Node(Relu, [x], {}, [type])));
  expect(wrong({ dtype: "float32", shape: [3] })).toThrow("Relu output 0 is float32[3], its rule infers float32[2]");
  expect(wrong({ dtype: "float64", shape: [2] })).toThrow("Relu output 0 is float64[2], its rule infers float32[2]");
});

test("operands that the rule refuses", () => {
  const sum = add(x, x).producer as Node;
  const mixed = new Node(sum.op, [x, input("float32", [3])], {}, [x]);
  expect(() => verify({ inputs: [x, mixed.inputs[1] as Value], outputs: mixed.outputs, nodes: [mixed] })).toThrow(
    "do not broadcast",
  );
});

test("every message is one of a defect of ours", () => expect(broken({ inputs: [x, x] })).toThrow(/^internal: /));
