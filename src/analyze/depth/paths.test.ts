/** Counting paths by dynamic programming against listing them, on random graphs. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { graphOf, input, type Value } from "../../graph/ir.ts";
import { add, matmul, relu } from "../../ops/index.ts";
import { type Flow, flowOf } from "../networks/flow.ts";
import { pathsOf } from "./paths.ts";

/** Each step joins two earlier values, or multiplies one by a weight, or passes one on. */
const program = fc.array(fc.tuple(fc.constantFrom("join", "weigh", "pass"), fc.nat(99), fc.nat(99)), {
  minLength: 1,
  maxLength: 14,
});

function build(steps: readonly (readonly [string, number, number])[]): Flow {
  const x = input("float32", [2, 2], "x");
  const weights: Value[] = [];
  const values: Value[] = [x];
  for (const [kind, i, j] of steps) {
    const [a, b] = [values[i % values.length] as Value, values[j % values.length] as Value];
    if (kind === "join") values.push(add(a, b));
    else if (kind === "pass") values.push(relu(a));
    else {
      weights.push(input("float32", [2, 2], `w${weights.length}`));
      values.push(matmul(a, weights.at(-1) as Value));
    }
  }
  return flowOf(graphOf([x, ...weights], [values.at(-1) as Value]), weights);
}

/** Every sequence of weighted layers from the data to a value, listed. */
function listed(flow: Flow, value: Value): Set<string> {
  const node = value.producer;
  if (!node) return new Set([""]);
  const before = flow.activeOperands(node).flatMap((operand) => [...listed(flow, operand)]);
  const name = node.inputs.find((operand) => operand?.name?.startsWith("w"))?.name;
  return new Set(before.map((path) => (flow.isWeighted(node) ? `${path} ${name}` : path)));
}

test("the paths that are counted are those that there are", () => {
  fc.assert(
    fc.property(program, (steps) => {
      const flow = build(steps);
      const paths = [...listed(flow, flow.graph.outputs[0] as Value)].map((path) => path.split(" ").length - 1);
      const counted = pathsOf(flow);
      expect(Number(counted.count)).toBe(paths.length);
      expect([counted.min, counted.max]).toEqual([Math.min(...paths), Math.max(...paths)]);
      const mean = paths.reduce((sum, length) => sum + length, 0) / paths.length;
      // Means are rounded to a millionth.
      expect(Math.abs(counted.mean - mean)).toBeLessThan(2e-6);
    }),
    { numRuns: 300 },
  );
});
