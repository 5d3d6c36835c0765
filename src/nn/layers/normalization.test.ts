/** Batch and layer normalization against PyTorch, running statistics over several steps included. */
import { expect, test } from "vitest";
import { gradients } from "../../autodiff/gradients.ts";
import { OptionError } from "../../core/errors.ts";
import { keyOf } from "../../core/random.ts";
import { size } from "../../core/shape.ts";
import { tensor } from "../../core/tensor.ts";
import { graphOf, input } from "../../graph/ir.ts";
import { optimize } from "../../jit/compile.ts";
import * as ops from "../../ops/index.ts";
import { isView } from "../../ops/registry.ts";
import { checkLayer, checkRecorded, expectClose, expectSame, randomTensor, runLayer } from "../testing/check-layer.ts";
import { fixture } from "../testing/fixture.node.ts";
import { dense } from "./dense.ts";
import { batchNorm, layerNorm } from "./normalization.ts";
import { sequential } from "./sequential.ts";

const recorded = fixture("normalization");

test("batch normalization in training", () =>
  checkLayer(batchNorm(), {
    expected: {
      outputShape: [4, 3, 2, 2],
      parameters: 6,
      formula: "3 + 3",
      recorded: recorded("batchNormStep0"),
      refuses: [[{ dtype: "float32", shape: [4] }, /batchNorm "": input \[4\] needs a channel axis/]],
    },
  }));

test("batch normalization in evaluation", () =>
  checkLayer(batchNorm(), {
    expected: { outputShape: [4, 3, 2, 2], parameters: 6, recorded: recorded("batchNormEvaluation") },
  }));

test("running statistics follow PyTorch's over three steps, each from our own buffers", async () => {
  const layer = batchNorm();
  for (const step of [0, 1, 2]) {
    const expected = recorded(`batchNormStep${step}`);
    const buffers = [...layer.parameters()].filter(([, { isBuffer }]) => isBuffer);
    for (const [path, { value }] of buffers)
      if (value && step > 0) expectClose(value, expected.parameters[path] ?? value, `${path} before step ${step}`);
    const { updates } = await checkRecorded(layer, expected);
    for (const [path, value] of updates) {
      const buffer = layer.parameters().get(path);
      if (buffer) buffer.value = value;
    }
  }
});

test("two axes, another epsilon and momentum", () =>
  checkLayer(batchNorm({ epsilon: 1e-3, momentum: 0.3 }), {
    expected: { outputShape: [5, 3], parameters: 6, recorded: recorded("batchNorm1d") },
  }));

test("buffers are not trained and cannot be unfrozen", () => {
  const layer = batchNorm();
  layer.trace({ dtype: "float32", shape: [2, 3] });
  expect([...layer.parameters().keys()]).toEqual(["weight", "bias", "running_mean", "running_var"]);
  layer.unfreeze();
  expect([...layer.parameters().values()].map(({ trainable }) => trainable)).toEqual([true, true, false, false]);
});

test("frozen before its first trace it normalizes by its running statistics in training, and keeps them", async () => {
  const x = randomTensor([4, 3], 2);
  const model = sequential([batchNorm(), dense(2)]);
  model.freeze("layers.0");
  model.trace(x);
  model.initialize(keyOf(1));
  const [mean, variance] = ["running_mean", "running_var"].map((name) => model.parameters().get(`layers.0.${name}`));
  if (!mean || !variance) throw new Error("a batch normalization has running statistics");
  mean.value = tensor([1, -1, 0.5]);
  variance.value = tensor([4, 0.25, 9]);
  const evaluated = await runLayer(model, x);
  const trained = await runLayer(model, x, { training: true });
  expect(trained.output.data).toEqual(evaluated.output.data);
  expect(trained.updates.size).toBe(0);
  expect([...trained.gradients.keys()]).toEqual(["layers.1.weight", "layers.1.bias"]);
  // Unfrozen, it uses the batch's moments again.
  model.unfreeze();
  const free = await runLayer(model, x, { training: true });
  expect(free.output.data).not.toEqual(evaluated.output.data);
  expect([...free.updates.keys()]).toEqual(["layers.0.running_mean", "layers.0.running_var"]);
});

test("one element a channel has no variance", () => {
  expect(() => batchNorm().trace({ dtype: "float32", shape: [1, 3] }, { training: true })).toThrow(
    'batchNorm "": input [1, 3] has one element a channel, whose variance is zero; use a larger batch',
  );
});

test("layer normalization over one axis", () =>
  checkLayer(layerNorm(), {
    expected: {
      outputShape: [3, 2, 4],
      parameters: 8,
      formula: "4 + 4",
      recorded: recorded("layerNorm"),
      refuses: [[{ dtype: "float32", shape: [4] }, /layerNorm "": input \[4\] needs a batch axis before the 1/]],
    },
  }));

test("layer normalization over two axes", () =>
  checkLayer(layerNorm({ axes: 2, epsilon: 1e-3 }), {
    expected: {
      outputShape: [3, 2, 4],
      parameters: 16,
      formula: "2·4 + 2·4",
      recorded: recorded("layerNormTwoAxes"),
      refuses: [[{ dtype: "float32", shape: [2, 4] }, /needs a batch axis before the 2/]],
    },
  }));

test("without a factor, without a bias: as with ones, as with zeros", async () => {
  const x = randomTensor([3, 2, 4], 4);
  for (const make of [batchNorm, layerNorm] as const) {
    const width = make === batchNorm ? 2 : 4;
    const outputShape = [3, 2, 4];
    await checkLayer(make({ scale: false }), { input: x, expected: { outputShape, parameters: width } });
    await checkLayer(make({ center: false }), { input: x, expected: { outputShape, parameters: width } });
    // Initial factors are ones, initial biases zeros.
    await expectSame(make({ scale: false, center: false }), make(), x);
  }
});

test("the number of normalized axes is a whole number", () => {
  expect(() => layerNorm({ axes: 0 })).toThrow(OptionError);
});

test("batch normalization and its gradients write as much as nine of their inputs", () => {
  const [x, scale, bias] = [input("float32", [8, 3, 4, 4]), input("float32", [3]), input("float32", [3])];
  const { y } = ops.batchNormTrain(x, scale, bias);
  const g = input("float32", x.shape);
  const { nodes } = optimize(graphOf([x, scale, bias, g], [y, ...gradients([y], [g], [x, scale, bias])]));
  const full = nodes.filter(({ op, outputs }) => !isView(op) && size(outputs[0].shape) === size(x.shape));
  expect(full.map(({ op }) => op.type).sort()).toEqual(["Add", "Add", "Add", "Mul", "Mul", "Mul", "Mul", "Mul", "Sub"]);
});
