/** Optimizers take the steps that PyTorch's take, and refuse settings that make no sense. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { valueAndGrad } from "../../autodiff/transform.ts";
import { size } from "../../core/shape.ts";
import { Tensor, tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import { jit } from "../../jit/jit.ts";
import { mul, reduceSum, square, sub } from "../../ops/index.ts";
import { adagrad, adam, adamw, lamb, muon, type Optimizer, optimizerOf, optimizers, rmsprop, sgd } from "./index.ts";

interface Fixture {
  readonly start: number[];
  readonly gradients: number[][];
  readonly cases: Record<string, number[][]>;
  readonly matrices: {
    readonly shapes: number[][];
    readonly start: number[][];
    readonly gradients: number[][][];
    readonly cases: Record<string, number[][][]>;
  };
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
  "adam with weight decay": adam({ learningRate: 0.01, weightDecay: 0.1 }),
  "adam with amsgrad": adam({ learningRate: 0.01, amsgrad: true }),
  "rmsprop with weight decay": rmsprop({ learningRate: 0.01, weightDecay: 0.1 }),
  "adagrad with weight decay": adagrad({ learningRate: 0.1, weightDecay: 0.1 }),
};
const matrixCases: Record<string, Optimizer> = {
  lamb: lamb({ learningRate: 0.01, weightDecay: 0.1 }),
  muon: muon({ learningRate: 0.01, weightDecay: 0.1 }),
};

/** Float32 keeps 7 digits; a few steps may lose two. */
function expectClose(actual: ArrayLike<number>, expected: readonly number[]) {
  expect(actual.length).toBe(expected.length);
  for (const [k, value] of expected.entries()) expect(actual[k]).toBeCloseTo(value, 5);
}

test("every recorded trajectory has its optimizer, and every optimizer a trajectory", () => {
  expect(Object.keys(cases)).toEqual(Object.keys(fixture.cases));
  expect(Object.keys(matrixCases)).toEqual(Object.keys(fixture.matrices.cases));
  const recorded = Object.values({ ...cases, ...matrixCases }).map(({ name }) => name);
  expect(new Set(recorded)).toEqual(new Set(Object.keys(optimizers)));
});

test.each(Object.entries(cases))("%s follows PyTorch", async (name, optimizer) => {
  let state = optimizer.init(tensor(fixture.start));
  for (const [i, gradient] of fixture.gradients.entries()) {
    state = await optimizer.update(tensor(gradient), state);
    expectClose(state.parameters.toNumbers(), fixture.cases[name]?.[i] ?? []);
  }
});

test.each(Object.entries(matrixCases))("%s follows the recorded trajectory", async (name, optimizer) => {
  const { shapes, start, gradients, cases: expected } = fixture.matrices;
  const shaped = (rows: readonly number[][]) =>
    shapes.map((shape, i) => new Tensor("float32", shape, Float32Array.from(rows[i] ?? [])));
  let state = optimizer.init(shaped(start));
  for (const [i, step] of gradients.entries()) {
    state = await optimizer.update(shaped(step), state);
    for (const [k, parameter] of state.parameters.entries())
      expectClose(parameter.toNumbers(), expected[name]?.[i]?.[k] ?? []);
  }
  await state.release();
});

test("decay that is decoupled takes off a share of the weight and leaves the gradient alone", async () => {
  const optimizer = sgd({ learningRate: 0.1, weightDecay: 0.5, momentum: 0.9, decoupled: true });
  let state = optimizer.init(tensor([1]));
  for (const _ of [1, 2]) state = await optimizer.update(tensor([1]), state);
  // 1 · 0.95 - 0.1 · 1 = 0.85; 0.85 · 0.95 - 0.1 · 1.9 = 0.6175.
  expect(state.parameters.toNumbers()[0]).toBeCloseTo(0.6175, 6);
});

test("gradients that jit writes into the state are those that the update reads", async () => {
  const target = tensor([3, -2]);
  const loss = (parameters: { a: Value; b: Value }, y: Value) =>
    reduceSum(square(sub(mul(parameters.a, parameters.b), y)));
  const run = async (into: boolean) => {
    const optimizer = adam({ learningRate: 0.1 });
    let state = optimizer.init({ a: tensor([1, 1]), b: tensor([0.5, 0.5]) });
    const step = jit(valueAndGrad(loss), into ? { into: [undefined, state.gradients] } : {});
    const losses: number[] = [];
    for (let i = 0; i < 50; i++) {
      const [value, gradients] = await step(state.parameters, target);
      if (into) expect(gradients.a.data).toBe(state.gradients.a.data);
      losses.push(value.item() as number);
      state = await optimizer.update(gradients, state);
    }
    return { losses, state };
  };
  const [copied, written] = [await run(false), await run(true)];
  expect(written.losses).toEqual(copied.losses);
  expect(written.losses.at(-1)).toBeLessThan(0.1);
  expect(written.state.updates).toBe(50);
});

test("a state that is saved goes on bit for bit", async () => {
  const optimizer = adam({ learningRate: 0.1 });
  const gradient = (i: number) => tensor([Math.sin(i), Math.cos(i)]);
  let whole = optimizer.init(tensor([1, 2]));
  for (let i = 0; i < 6; i++) whole = await optimizer.update(gradient(i), whole);
  let first = optimizer.init(tensor([1, 2]));
  for (let i = 0; i < 3; i++) first = await optimizer.update(gradient(i), first);
  const { updates, remembered, parameters } = first;
  let second = optimizer.init(tensor(parameters.toNumbers()), { updates, remembered });
  for (let i = 3; i < 6; i++) second = await optimizer.update(gradient(i), second);
  expect(second.parameters.toNumbers()).toEqual(whole.parameters.toNumbers());
  expect(size(second.parameters.shape)).toBe(2);
});

test("impossible settings, unknown names and gradients of another nesting are reported", async () => {
  expect(() => adam({ beta1: 1 })).toThrow("adam: beta1 is 1; pass a number in [0, 1)");
  expect(() => sgd({ nesterov: true })).toThrow("nesterov needs momentum");
  expect(() => sgd({ learningRate: Number.NaN })).toThrow("learningRate is NaN");
  expect(() => muon({ iterations: 0.5 })).toThrow("iterations is 0.5; pass a whole number from 1");
  expect(() => optimizerOf("adamm")).toThrow('unknown optimizer "adamm"; did you mean "adam"?');
  const state = sgd().init({ w: tensor([1, 2]) });
  await expect(sgd().update({ w: tensor([1]) }, state)).rejects.toThrow(
    'the gradient of "w" must be a tensor [2], got [1] for "w"',
  );
});
