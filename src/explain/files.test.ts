/** Explanations of models that are read from files: written for one sample, of several inputs, of several outputs. */
import { expect, test } from "vitest";
import { tensor } from "../core/tensor.ts";
import type { NamedValues } from "../formats/loaded-model.ts";
import { modelFromOnnx } from "../formats/onnx-model.ts";
import { graphOf, input, type Value } from "../graph/ir.ts";
import { expectClose } from "../nn/testing/check-layer.ts";
import { encodeModel } from "../onnx/model.ts";
import * as ops from "../ops/index.ts";
import { integratedGradients } from "./gradients/integrated-gradients.ts";
import { saliency } from "./gradients/saliency.ts";
import { kernelShap } from "./perturbation/kernel-shap.ts";

const row = tensor([[1, 2, 3]]);
const x = input("float32", [1, 3], "x");
const fileOf = (inputs: readonly Value[], outputs: readonly Value[]) =>
  modelFromOnnx(encodeModel(graphOf(inputs, outputs)));

test("a file for one sample, which mixes what it is given, is asked for one copy at a time", async () => {
  // Of one row: x². Class 1 is x2² + x3².
  const squares = ops.mul(x, ops.reduceMean(x, [0], { keepDims: true }));
  const model = fileOf(
    [x],
    [
      ops.matmul(
        squares,
        ops.constant(
          tensor([
            [1, 0],
            [0, 1],
            [1, 1],
          ]),
        ),
      ),
    ],
  );
  expectClose((await integratedGradients(model, row)).values, tensor([[0, 4, 9]]), "integrated gradients");
  expectClose((await kernelShap(model, row)).values, tensor([[0, 4, 9]]), "Kernel SHAP");
});

test("of several outputs a function says which is explained; several inputs are refused", async () => {
  const outputs = fileOf([x], [ops.add(x, 1), ops.mul(x, ops.constant(tensor([[1, 2, 4]])))]);
  await expect(saliency(outputs, row)).rejects.toThrow(
    "the model gives several outputs, of which none is named as the scores; pass a function as target: (outputs) => one number for each sample",
  );
  const target = (named: Value | NamedValues) => ops.reduceSum(Object.values(named as NamedValues)[1] as Value, [1]);
  expectClose((await saliency(outputs, row, { target })).values, tensor([[1, 2, 4]]), "of the second");
  const other = input("float32", [1, 3], "other");
  await expect(saliency(fileOf([x, other], [ops.add(x, other)]), row)).rejects.toThrow(
    'lacks its input "other", got a tensor float32[1, 3]; pass { x, other }',
  );
});
