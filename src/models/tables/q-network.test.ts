/** Heads of Q-networks with given weights, by hand. */
import { expect, test } from "vitest";
import { tensor } from "../../core/tensor.ts";
import { compile } from "../../jit/compile.ts";
import { activation, sequential } from "../../nn/index.ts";
import { builtIn } from "../../nn/parameter-inputs.ts";
import { predict } from "../../train/predict.ts";
import { QNetwork } from "./q-network.ts";

const x = tensor([
  [1, 0],
  [0, 1],
]);

function network(dueling: boolean): QNetwork {
  const model = new QNetwork({ body: sequential([activation("linear")]), actions: 3, dueling });
  model.trace(x);
  const weights: Readonly<Record<string, readonly (readonly number[])[] | readonly number[]>> = {
    "advantage.weight": [
      [1, 4],
      [2, 5],
      [6, 6],
    ], // [actions, features]
    "advantage.bias": [0, 0, 0],
    "value.weight": [[10, 20]],
    "value.bias": [0.5],
  };
  for (const [path, parameter] of model.parameters()) parameter.value = tensor(weights[path] ?? []);
  return model;
}

test("values of all actions", async () => {
  expect((await predict(network(false), x)).toArray()).toEqual([
    [1, 2, 6],
    [4, 5, 6],
  ]);
});

test("dueling: V + A - mean A", async () => {
  expect((await predict(network(true), x)).toArray()).toEqual([
    [8.5, 9.5, 13.5], // 10.5 + (1, 2, 6) - 3
    [19.5, 20.5, 21.5], // 20.5 + (4, 5, 6) - 5
  ]);
});

test("with actions, their values alone", async () => {
  const action = { dtype: "int32", shape: [2] } as const;
  const { inputs, output } = network(false).trace({ x, action }, { bind: builtIn });
  expect(output.shape).toEqual([2]);
  const { run } = await compile(inputs, [output]);
  expect((await run([x, tensor([2, 0], { dtype: "int32" })]))[0]?.toNumbers()).toEqual([6, 4]);
});
