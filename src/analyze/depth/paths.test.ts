/** Counting paths by dynamic programming against listing them, on random graphs. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { graphOf, input, type Value } from "../../graph/ir.ts";
import { add, matmul, relu } from "../../ops/index.ts";
import { type Flow, flowOf } from "../networks/flow.ts";
import { type Paths, pathsOf } from "./paths.ts";

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
      const counted = pathsOf(flow) as Paths;
      expect(Number(counted.count)).toBe(paths.length);
      expect([counted.min, counted.max]).toEqual([Math.min(...paths), Math.max(...paths)]);
      const mean = paths.reduce((sum, length) => sum + length, 0) / paths.length;
      // Means are rounded to a millionth.
      expect(Math.abs(counted.mean - mean)).toBeLessThan(2e-6);
    }),
    { numRuns: 300 },
  );
});

/** x + x W, so many times: every subset of the layers is a path. */
const residuals = (times: number): Flow =>
  build(
    Array.from({ length: times }, (_, i): (readonly [string, number, number])[] => [
      ["weigh", 2 * i, 0],
      ["join", 2 * i, 2 * i + 1],
    ]).flat(),
  );

test("of a deep network paths are counted in all, as of a shallow one by their length", () => {
  const [deep, shallow] = [pathsOf(residuals(5000)), pathsOf(residuals(300))];
  expect(deep).toMatchObject({ count: 2n ** 5000n, min: 0, max: 5000, mean: 2500, lengths: [] });
  expect(shallow).toMatchObject({ count: 2n ** 300n, min: 0, max: 300, mean: 150 });
  expect(shallow?.lengths).toHaveLength(301);
}, 30_000);

test("paths that would take too long to count are not", () => {
  // Each layer reads two that overlap with those of others in half of what they come from.
  const steps = Array.from({ length: 4000 }, (_, i): (readonly [string, number, number])[] => [
    ["weigh", 3 * i, 0],
    ["join", 3 * i + 1, Math.floor(i / 2) * 3],
    ["join", 3 * i + 2, Math.floor(i / 3) * 3 + 1],
  ]).flat();
  const flow = build(steps);
  const begin = performance.now();
  pathsOf(flow);
  expect(performance.now() - begin).toBeLessThan(20_000);
}, 40_000);
