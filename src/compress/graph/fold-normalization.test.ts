/** Which normalization goes into the product before it, by the shape of the product's bias. */
import { expect, test } from "vitest";
import { Tensor } from "../../core/tensor.ts";
import { graphOf, input, nodesOf, type Value } from "../../graph/ir.ts";
import { apply } from "../../graph/op.ts";
import { BatchNormalization, Gemm } from "../../ops/index.ts";
import { foldNormalization } from "./fold-normalization.ts";

test.each<[shape: readonly number[], stays: boolean]>([
  [[3], false],
  [[1, 3], false],
  [[], true],
  [[1], true],
  [[3, 1], true],
])("a bias of shape %j: the normalization stays is %s", (shape, stays) => {
  const parameters = new Map<Value, Tensor>();
  const held = (...own: readonly number[]): Value => {
    const value = input("float32", own, `p${parameters.size}`);
    const count = own.reduce((product, extent) => product * extent, 1);
    parameters.set(
      value,
      new Tensor(
        "float32",
        own,
        Float32Array.from({ length: count }, (_, i) => 1 + i),
      ),
    );
    return value;
  };
  const x = input("float32", [3, 2], "x");
  const product = apply(Gemm, [x, held(3, 2), held(...shape)], { transB: 1 });
  const normalized = apply(BatchNormalization, [product, held(3), held(3), held(3), held(3)]);
  const traced = {
    graph: graphOf([x, ...parameters.keys()], [normalized]),
    parameters,
    inputs: { dtype: "float32", shape: [3, 2] },
    output: normalized,
    symbols: () => undefined,
  } as const;
  const { outputs } = foldNormalization(traced as never).graph;
  expect(nodesOf(outputs).some(({ op }) => op === BatchNormalization)).toBe(stays);
});
