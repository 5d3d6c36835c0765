/** Names of nodes as paths of layers. */
import { expect, test } from "vitest";
import { Scopes } from "./scopes.ts";

test("an operator belongs to the layer that its name begins with", () => {
  const scopes = new Scopes([
    "model/conv1/Conv2D",
    "model/block/add/AddV2",
    "StatefulPartitionedCall/model/out/Softmax",
  ]);
  expect(scopes.pathOf("model/conv1/Conv2D")).toBe("conv1");
  expect(scopes.pathOf("StatefulPartitionedCall/model/block/add/AddV2")).toBe("block.add");
  expect(scopes.weight("model/conv1/kernel")).toBe("conv1.kernel");
});

test("names that begin alike lose that only together", () => {
  const scopes = new Scopes(["model/a/Relu", "head/b/Relu"]);
  expect(scopes.pathOf("model/a/Relu")).toBe("model.a");
  expect(new Scopes(["model/a/Relu"]).pathOf("model/a/Relu")).toBe("model.a");
});

test("a product over a sequence belongs to its dense layer", () => {
  const scopes = new Scopes(["m/a/Relu", "m/b/Relu"]);
  for (const name of [
    "m/dense/Tensordot/MatMul",
    "m/dense/Tensordot_1/Reshape",
    "m/dense/Tensordot",
    "m/dense/BiasAdd",
  ])
    expect(scopes.pathOf(name)).toBe("dense");
});

test("what is fused belongs to the layer of its weight, unless that has no name", () => {
  const scopes = new Scopes(["m/a/Relu", "m/b/Relu"]);
  for (const weight of [
    "m/conv/Conv2D/ReadVariableOp",
    "m/conv/Conv2D/ReadVariableOp/resource",
    "m/conv/Conv2D_weights",
    "m/conv/weights/read",
  ])
    expect(scopes.pathOf("m/act/Relu6", weight)).toBe("conv");
  for (const weight of ["Func/StatefulPartitionedCall/input/_262", "unknown_12", "unknown"])
    expect(scopes.pathOf("m/dense/BiasAdd", weight)).toBe("dense");
});

test("a name of one part is the layer itself", () => {
  expect(new Scopes([]).pathOf("Softmax")).toBe("Softmax");
});
