/** An LSTM whose gates see the memory, as files have it: two steps of one unit, computed by hand. */
import { expect, test } from "vitest";
import { gradients } from "../../autodiff/gradients.ts";
import { tensor } from "../../core/tensor.ts";
import { input, type Value } from "../../graph/ir.ts";
import { compile } from "../../jit/compile.ts";
import { LSTM, ones } from "../index.ts";

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** Weights of the input and the state for the gates i, o, f and the candidate, and of the memory for i, o, f. */
const [w, r, p] = [
  [0.5, -0.25, 0.75, 1],
  [0.2, 0.4, -0.6, 0.8],
  [0.3, -0.7, 0.9],
] as const;

/** The last h for the inputs of two steps. */
function lastState(x: readonly number[], [ofI = 0, ofO = 0, ofF = 0]: readonly number[]): number {
  let [h, c] = [0, 0];
  for (const element of x) {
    const [i, o, f, g] = w.map((weight, k) => weight * element + (r[k] ?? 0) * h) as [number, number, number, number];
    const next = sigmoid(f + ofF * c) * c + sigmoid(i + ofI * c) * Math.tanh(g);
    [h, c] = [sigmoid(o + ofO * next) * Math.tanh(next), next];
  }
  return h;
}

test("the outputs, and the gradient of the peepholes", async () => {
  const names = ["x", "w", "r", "p"];
  const shapes = [
    [2, 1, 1],
    [1, 4, 1],
    [1, 4, 1],
    [1, 3],
  ];
  const [xIn, wIn, rIn, pIn] = shapes.map((shape, i) => input("float32", shape, names[i])) as [
    Value,
    Value,
    Value,
    Value,
  ];
  const outputs = LSTM.read({
    version: 14,
    inputs: [xIn, wIn, rIn, undefined, undefined, undefined, undefined, pIn],
    attributes: {},
    outputs: 2,
  });
  const h = outputs?.[1] as Value;
  expect(h.shape).toEqual([1, 1, 1]);
  const [g] = gradients([h], [ones(h.shape)], [pIn]) as [Value];
  const { run, session } = await compile([xIn, wIn, rIn, pIn], [h, g], { threads: 1 });
  const x = [1, -0.5];
  const [state, slope] = await run(
    [x, w, r, p].map((numbers, i) => tensor(numbers.slice(), { shape: shapes[i] ?? [] })),
  );
  await session.release();
  expect(state?.item()).toBeCloseTo(lastState(x, p), 6);
  const step = 1e-5;
  for (const [i, at] of p.entries()) {
    const moved = (by: number) => lastState(x, (p as readonly number[]).with(i, at + by));
    expect(slope?.toNumbers()[i]).toBeCloseTo((moved(step) - moved(-step)) / (2 * step), 5);
  }
});
