/** The embedding layer against PyTorch's nn.Embedding, and heads that share its weight. */
import { expect, test } from "vitest";
import { DTypeError, OptionError } from "../../core/errors.ts";
import { type Tensor, tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import type { Context } from "../context.ts";
import { Module } from "../module.ts";
import { checkLayer, expectClose, randomTensor, runLayer } from "../testing/check-layer.ts";
import { fixture } from "../testing/fixture.node.ts";
import { embedding, positionEmbedding, tiedDense } from "./embedding.ts";

test("rows of a table; a repeated index adds up its gradients", () =>
  checkLayer(embedding(5, 3), {
    expected: {
      outputShape: [2, 3, 3],
      parameters: 15,
      formula: "5·3",
      recorded: fixture("embedding")("embedding"),
      refuses: [[{ dtype: "float32", shape: [2, 3] }, /embedding "": input is float32, expected indices; pass int32/]],
    },
  }));

test("indices may be int32", () => {
  const { output } = embedding(5, 3).trace({ dtype: "int32", shape: [4] });
  expect([output.dtype, output.shape]).toEqual(["float32", [4, 3]]);
  expect(() => embedding(5, 3).trace({ dtype: "uint8", shape: [4] })).toThrow(DTypeError);
});

test("count and width are whole numbers", () => {
  expect(() => embedding(0, 3)).toThrow(OptionError);
  expect(() => embedding(5, 0.5)).toThrow(OptionError);
});

/** An embedding and the head that shares its weight. */
class Tied extends Module {
  readonly embed = embedding(5, 3);
  readonly head = tiedDense(this.embed);
  protected call(x: Value, context: Context): Value {
    return this.head.apply(this.embed.apply(x, context), context);
  }
}

test("a tied head scores every index by the embedding's weight, which counts once", async () => {
  const model = new Tied();
  await checkLayer(model, {
    input: tensor([0, 4, 1, 2], { dtype: "int64", shape: [2, 2] }),
    expected: { outputShape: [2, 2, 5], parameters: 15 },
  });
  expect([...model.parameters().keys()]).toEqual(["embed.weight"]);
  const table = model.parameters().get("embed.weight")?.value as Tensor;
  const { output } = await runLayer(model, tensor([1], { dtype: "int64", shape: [1, 1] }));
  const row = (i: number) => table.toNumbers().slice(3 * i, 3 * i + 3);
  const products = [0, 1, 2, 3, 4].map((i) => row(i).reduce((sum, w, d) => sum + w * (row(1)[d] ?? 0), 0));
  expectClose(output, tensor(products, { shape: [1, 1, 5] }), "products of rows");
});

test("a head is tied to an embedding of the same model", () => {
  expect(() => tiedDense(embedding(5, 3)).trace({ dtype: "float32", shape: [2, 3] })).toThrow(
    "a Embedding was called that is not a property of the model",
  );
});

test("a vector for each position", async () => {
  const layer = positionEmbedding(4);
  const x = randomTensor([2, 3, 2], 1);
  await checkLayer(layer, {
    input: x,
    expected: {
      outputShape: [2, 3, 2],
      parameters: 8,
      formula: "4·2",
      refuses: [
        [
          { dtype: "float32", shape: [2, 5, 2] },
          /positionEmbedding "": input \[2, 5, 2\] is no batch of sequences of at most 4/,
        ],
        [{ dtype: "float32", shape: [2, 2] }, /pass \[batch, time, features\]/],
      ],
    },
  });
  const rows = layer.own.get("weight")?.value?.toNumbers() ?? [];
  const { output } = await runLayer(layer, x);
  const sums = x.toNumbers().map((value, i) => value + (rows[i % 6] ?? 0));
  expectClose(output, tensor(sums, { shape: [2, 3, 2] }), "sums");
});
