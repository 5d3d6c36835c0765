/** Chains of layers: paths, order, and a whole network against PyTorch. */
import { expect, test } from "vitest";
import { checkLayer } from "../testing/check-layer.ts";
import { fixture } from "../testing/fixture.node.ts";
import { activation } from "./activations.ts";
import { conv2d } from "./conv.ts";
import { dense } from "./dense.ts";
import { batchNorm } from "./normalization.ts";
import { maxPool2d } from "./pool.ts";
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

test("an empty chain is the identity", () => {
  const { inputs, output } = sequential([]).trace({ dtype: "float32", shape: [2, 5] });
  expect(output).toBe(inputs[0]);
});
