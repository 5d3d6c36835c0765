/** Fused operators in the forms that files have, beside ONNX Runtime's own kernels. */
import { describe, test } from "vitest";
import { type Tensor, tensor } from "../core/tensor.ts";
import { expectAsRuntime, uniform, whole } from "../onnx/testing/beside-runtime.ts";
import { fileOfGraph, node, typed } from "../onnx/testing/build-file.ts";

type Attributes = NonNullable<Parameters<typeof node>[3]>;

/** Operands by name, in order; one that is left out has no tensor. */
async function compare(
  type: string,
  operands: Readonly<Record<string, Tensor | undefined>>,
  attributes: Attributes = {},
  outputs = 1,
): Promise<void> {
  const fed = Object.fromEntries(Object.entries(operands).flatMap(([name, value]) => (value ? [[name, value]] : [])));
  const names = Array.from({ length: outputs }, (_, i) => `y${i}`);
  const inputs = Object.entries(operands).map(([name, value]) => (value ? name : ""));
  const file = fileOfGraph(
    {
      input: Object.entries(fed).map(([name, { dtype, shape }]) => typed(name, dtype, ...shape)),
      node: [node(`com.microsoft.${type}`, inputs, names, attributes)],
      output: names.map((name) => ({ name })),
    },
    17,
  );
  await expectAsRuntime(file, fed);
}

describe("FusedMatMul", () => {
  test.each<[string, readonly number[], readonly number[], Attributes]>([
    ["transposed, scaled", [2, 4, 3], [2, 5, 4], { transA: 1, transB: 1, alpha: { float: 0.5 } }],
    ["rows before the batch", [4, 2, 3], [2, 3, 5], { transBatchA: 1 }],
    ["columns before the batch, transposed", [2, 3, 4], [5, 2, 4], { transBatchB: 1, transB: 1 }],
  ])("%s", (_, a, b, attributes) => compare("FusedMatMul", { a: uniform(1, ...a), b: uniform(2, ...b) }, attributes));

  test("under its first name", () =>
    compare("TransposeMatMul", { a: uniform(1, 2, 3), b: uniform(2, 4, 3) }, { transB: 1 }));
});

describe("embeddings and their normalization", () => {
  const ids = (seed: number, high: number) => tensor(whole(seed, [2, 3], 0, high), { dtype: "int32", shape: [2, 3] });
  const tables = { words: uniform(3, 9, 4), places: uniform(4, 5, 4) };
  const affine = { scale: uniform(6, 4), shift: uniform(7, 4) };
  const epsilon = { float: 1e-5 };

  test("without segments and mask", () =>
    compare(
      "EmbedLayerNormalization",
      { ids: ids(1, 9), segments: undefined, ...tables, kinds: undefined, ...affine },
      { epsilon },
      2,
    ));

  test("with positions", () =>
    compare(
      "EmbedLayerNormalization",
      {
        ...{ ids: ids(1, 9), segments: ids(2, 2), ...tables, kinds: uniform(5, 2, 4), ...affine },
        ...{ mask: undefined, positions: ids(8, 5) },
      },
      { epsilon },
      2,
    ));

  test("of a sum whose second part is the same for all samples, with a bias", () =>
    compare(
      "SkipLayerNormalization",
      { x: uniform(1, 2, 3, 4), skip: uniform(2, 1, 3, 4), ...affine, bias: uniform(8, 4) },
      { epsilon },
    ));
});
