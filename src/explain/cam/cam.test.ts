/** Class activation maps as PyTorch has them, of networks and transformers, from modules and files; layers by name; what has no places. */
import { describe, expect, test } from "vitest";
import { keyOf, Random } from "../../core/random.ts";
import { Tensor, tensor } from "../../core/tensor.ts";
import { encodeOnnx } from "../../formats/files/export-onnx.ts";
import { modelFromOnnx } from "../../formats/onnx-model.ts";
import type { Value } from "../../graph/ir.ts";
import { signed } from "../../models/testing/fill.ts";
import { conv2d, dense, flatten, globalAveragePool, lambda, sequential } from "../../nn/index.ts";
import { expectClose } from "../../nn/testing/check-layer.ts";
import * as ops from "../../ops/index.ts";
import { image, messageOf, network, numbersOf, recorded, transformer } from "../testing/recorded.ts";
import { gradCam } from "./grad-cam.ts";
import { gradCamPlusPlus } from "./grad-cam-plus-plus.ts";
import { layerCam } from "./layer-cam.ts";

const { target } = recorded;
const shape = [1, 1, 8, 8];

describe.each(["module", "file"])("a small convolutional network, as PyTorch has it, from a %s", (form) => {
  const model = form === "file" ? modelFromOnnx(encodeOnnx(network()).bytes) : network();

  test("has the maps of the last layer", async () => {
    const cam = await gradCam(model, image, { target });
    expectClose(cam.values, numbersOf("gradCam", shape), "Grad-CAM");
    expect(cam.layer).toEqual({ path: "layers.2", type: "Relu", shape: [1, 6, 4, 4] });
    expectClose(
      (await gradCamPlusPlus(model, image, { target })).values,
      numbersOf("gradCamPlusPlus", shape),
      "Grad-CAM++",
    );
    const fine = await layerCam(model, image, { target });
    expectClose(fine.values, numbersOf("layerCam", shape), "LayerCAM");
    expect(fine.layer).toEqual(cam.layer);
  });

  test("has those of another layer by its path", async () => {
    if (form === "module") {
      const { values, layer } = await layerCam(model, image, { target, layer: "layers.0" });
      expectClose(values, numbersOf("earlyLayerCam", shape), "LayerCAM");
      expect(layer).toEqual({ path: "layers.0", type: "Relu", shape: [1, 4, 8, 8] });
    }
    expect(await messageOf(gradCam(model, image, { layer: "layers.5" }))).toBe(
      'OptionError: gradCam: there is no such layer "layers.5"; did you mean "layers.0"? there are layers.0, layers.1, layers.2, layers',
    );
  });
});

describe.each(["module", "file"])("a transformer of patches, from a %s", (form) => {
  const model = form === "file" ? modelFromOnnx(encodeOnnx(transformer()).bytes) : transformer();
  const photo = signed("photo", [1, 3, 12, 12]);

  test("has Grad-CAM of the last tokens that the score depends on, in the grid of patches, as PyTorch does", async () => {
    const { values, layer, score } = await gradCam(model, photo, { target });
    expect(score).toBeCloseTo(numbersOf("vit.scores", [3]).toNumbers()[target] ?? 0, 4);
    expect(layer).toEqual({
      path: "encoder.layers.encoder_layer_1.ln_1",
      type: "LayerNormalization",
      shape: [1, 10, 16],
    });
    expectClose(values, numbersOf("vit.gradCam", [1, 1, 12, 12]), "Grad-CAM");
  });

  test("takes the tokens or the embedding of patches by name", async () => {
    const named = await gradCam(model, photo, { target, layer: "encoder.layers.encoder_layer_1.ln_1" });
    expectClose(named.values, numbersOf("vit.gradCam", [1, 1, 12, 12]), "by name");
    const { layer } = await layerCam(model, photo, { target, layer: "conv_proj" });
    expect(layer).toEqual({ path: "conv_proj", type: "Conv", shape: [1, 16, 3, 3] });
    // Behind the last attention the score depends on the class token alone.
    const behind = await gradCam(model, photo, { target, layer: "encoder.ln" });
    expect(behind.notes).toEqual(["the map is 0 everywhere: no feature of this layer speaks for the score"]);
  });
});

test("Grad-CAM++ and LayerCAM weight places where Grad-CAM takes the mean, by hand", async () => {
  // One channel A = relu(x) of two places, score 3 A1 - 1 A2: g = (3, -1), ΣA = 3.
  const model = lambda((x: Value) => {
    const features = ops.reshape(ops.relu(x), [x.shape[0] ?? 1, 2]);
    return ops.matmul(features, ops.constant(tensor([[3], [-1]])));
  });
  const x = tensor([[[[2, 1]]]]);
  // Mean gradient 1: A itself
  expectClose((await gradCam(model, x)).values, tensor([[[[2, 1]]]]), "Grad-CAM");
  // α1 = 1 / (2 + 3 · 3), weight 3/11
  expectClose((await gradCamPlusPlus(model, x)).values, tensor([[[[6 / 11, 3 / 11]]]]), "Grad-CAM++");
  expectClose((await layerCam(model, x)).values, tensor([[[[6, 0]]]]), "LayerCAM");
});

test("maps are not negative, and are of what speaks for the class", async () => {
  const model = sequential([conv2d(4, 3, { activation: "relu" }), globalAveragePool(), dense(2)]);
  model.initialize(keyOf(1), { dtype: "float32", shape: [1, 1, 6, 6] });
  const x = new Tensor("float32", [1, 1, 6, 6], new Random(keyOf(2)).normals(36));
  for (const explain of [gradCam, gradCamPlusPlus, layerCam])
    expect(Math.min(...(await explain(model, x)).values.toNumbers())).toBeGreaterThanOrEqual(0);
});

test.each([gradCam, gradCamPlusPlus, layerCam])("%o says what has no places", async (explain) => {
  const model = dense(2);
  model.initialize(keyOf(1), { dtype: "float32", shape: [1, 2] });
  expect(await messageOf(explain(model, tensor([[1, 1]])))).toBe(
    `ShapeError: ${explain.name}: the input is [1, 2]; pass an image [1, channels, height, width]`,
  );
  const flat = sequential([flatten(), dense(2)]);
  flat.initialize(keyOf(1), { dtype: "float32", shape: [1, 1, 2, 2] });
  const pixels = tensor([1, 2, 3, 4]).reshape([1, 1, 2, 2]);
  expect(await messageOf(explain(flat, pixels))).toMatch(
    /no features \[N, channels, height, width\] lie between the image and the scores; use integratedGradients or occlusion/,
  );
  expect(await messageOf(explain(flat, pixels, { layer: "layers.0" }))).toMatch(/the graph names no layers$/);
  expect(await messageOf(explain(flat, pixels, { layer: 3 as never }))).toMatch(/layer is 3; pass a string/);
});
