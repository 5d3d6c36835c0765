/** Optimizers take the steps that PyTorch's take, and refuse settings that make no sense. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { fuse } from "../jit/fused.ts";
import { adagrad, adam, adamw, type Optimizer, optimizerOf, rateAt, rmsprop, sgd } from "./optimizers.ts";

interface Fixture {
  readonly start: number[];
  readonly gradients: number[][];
  readonly cases: Record<string, number[][]>;
}
const fixture: Fixture = JSON.parse(readFileSync("test/fixtures/train/optimizers.json", "utf8"));

const cases: Record<string, Optimizer> = {
  sgd: sgd({ learningRate: 0.1 }),
  "sgd with momentum and decay": sgd({ learningRate: 0.1, momentum: 0.9, weightDecay: 0.01 }),
  "sgd with nesterov": sgd({ learningRate: 0.1, momentum: 0.9, nesterov: true }),
  rmsprop: rmsprop({ learningRate: 0.01 }),
  "rmsprop with momentum": rmsprop({ learningRate: 0.01, momentum: 0.9 }),
  adagrad: adagrad({ learningRate: 0.1 }),
  adam: adam({ learningRate: 0.01 }),
  adamw: adamw({ learningRate: 0.01, weightDecay: 0.1 }),
};

test("every recorded trajectory has its optimizer", () => {
  expect(Object.keys(cases)).toEqual(Object.keys(fixture.cases));
});

test.each(Object.entries(cases))("%s follows PyTorch", (name, optimizer) => {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const vector = (i: number) => new Float32Array(memory.buffer, i * 64, 16);
  const [p, g] = [vector(0), vector(1)];
  p.set(fixture.start);
  const vectors = [p, g, ...optimizer.slots.map((_, i) => vector(2 + i))];
  const update = fuse(memory, vectors, optimizer.scalars(1, 0, 1).length, ([parameter, slope, ...slots], scalars) => {
    if (!parameter || !slope) throw new Error("two vectors at least");
    const next = optimizer.update({ p: parameter, g: slope, slots, scalars });
    return { results: [next.p, undefined, ...next.slots] };
  });
  for (const [i, gradient] of fixture.gradients.entries()) {
    g.set(gradient);
    update(0, 16, optimizer.scalars(i + 1, rateAt(optimizer, i), 1));
    const expected = fixture.cases[name]?.[i] ?? [];
    // Float32 keeps 7 digits; four steps may lose one.
    for (const [k, value] of expected.entries()) expect(p[k]).toBeCloseTo(value, 5);
  }
});

test("impossible settings and unknown names are told", () => {
  expect(() => adam({ beta1: 1 })).toThrow("adam: beta1 is 1; pass a number in [0, 1)");
  expect(() => sgd({ nesterov: true })).toThrow("nesterov needs momentum");
  expect(() => sgd({ learningRate: Number.NaN })).toThrow("learningRate is NaN");
  expect(() => optimizerOf("adamm")).toThrow('unknown optimizer "adamm"; did you mean "adam"?');
});
