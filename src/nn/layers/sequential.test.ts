/** Chains of layers: paths, order, and a whole network against PyTorch. */
import { expect, test } from "vitest";
import { checkLayer } from "../testing/check-layer.ts";
import { fixture } from "../testing/fixture.node.ts";
import { activation } from "./activations.ts";
import { conv2d } from "./conv.ts";
import { dense } from "./dense.ts";
import { batchNorm } from "./normalization.ts";
import { maxPool2d } from "./pool.ts";
import { gru, lstm, type RecurrentInputs, type RecurrentOutputs } from "./recurrent.ts";
import { flatten } from "./reshape.ts";
import { sequential } from "./sequential.ts";

test("a convolutional network in training is PyTorch's", () =>
  checkLayer(sequential([conv2d(2, 3), batchNorm(), activation("relu"), maxPool2d(2), flatten(), dense(3)]), {
    expected: { outputShape: [3, 3], parameters: 20 + 4 + 27, recorded: fixture("sequential")("network") },
  }));

test("layers run in order and are recorded with their paths, the chain last", () => {
  const { context } = sequential([dense(4), sequential([dense(3), flatten()])]).trace({
    dtype: "float32",
    shape: [2, 5],
  });
  expect(context.records.map(({ path, kind, outputs }) => [path, kind, outputs[0]?.shape])).toEqual([
    ["layers.0", "dense", [2, 4]],
    ["layers.1.layers.0", "dense", [2, 3]],
    ["layers.1.layers.1", "reshape", [2, 3]],
    ["layers.1", "container", [2, 3]],
    ["", "container", [2, 3]],
  ]);
});

test("a chain takes what its first layer takes, and gives what its last one gives", () => {
  const chain = sequential<RecurrentInputs, RecurrentOutputs>([gru(4), lstm(3, { returns: "all" })]);
  const lengths = { dtype: "int32", shape: [2] } as const;
  const { inputs, output } = chain.trace({ x: { dtype: "float32", shape: [2, 5, 3] }, lengths });
  expect(inputs.map(({ name }) => name)).toEqual(["x", "lengths"]);
  expect([output.sequence.shape, output.state.cell?.shape]).toEqual([
    [2, 5, 3],
    [1, 2, 3],
  ]);
  expect(() => chain.trace({ x: { dtype: "float32", shape: [2, 5, 3] }, length: lengths })).toThrow(
    'unknown input "length"; did you mean "lengths"?',
  );
});

test("an empty chain is the identity", () => {
  const { inputs, output } = sequential([]).trace({ dtype: "float32", shape: [2, 5] });
  expect(output).toBe(inputs[0]);
});
