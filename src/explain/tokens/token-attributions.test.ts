/** Attributions of tokens: by hand on a mean of vectors, as PyTorch has them on a small transformer, of modules and of files, and what is refused. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Tensor, tensor } from "../../core/tensor.ts";
import { encodeOnnx } from "../../formats/files/export-onnx.ts";
import { modelFromOnnx } from "../../formats/onnx-model.ts";
import type { Value } from "../../graph/ir.ts";
import { type Context, type Dense, dense, type Embedding, embedding, lambda, Module } from "../../nn/index.ts";
import { expectClose } from "../../nn/testing/check-layer.ts";
import * as ops from "../../ops/index.ts";
import { deletionAndInsertion } from "../faithfulness/curves.ts";
import { sanityCheck } from "../faithfulness/sanity-check.ts";
import { kernelShap } from "../perturbation/kernel-shap.ts";
import { attentionMaps } from "../transformers/attention-maps.ts";
import { attentionRollout } from "../transformers/attention-rollout.ts";
import { nextTokenScore } from "./next-token.ts";
import { tokenAttributions } from "./token-attributions.ts";
import { tokenPresence } from "./token-presence.ts";

/** The mean of the vectors of tokens that a mask lets through, times weights: scores [N, 2]. */
class MaskedMean extends Module<{ readonly input_ids: Value; readonly attention_mask?: Value | undefined }> {
  override readonly inputs = { input_ids: "required", attention_mask: "optional" } as const;
  readonly vectors: Embedding = embedding(3, 2);
  readonly head: Dense = dense(2);
  protected call(
    {
      input_ids: ids,
      attention_mask: mask,
    }: { readonly input_ids: Value; readonly attention_mask?: Value | undefined },
    context: Context,
  ): Value {
    const vectors = this.vectors.apply(ids, context);
    const [samples = 1, length = 1] = ids.shape;
    const taken = mask ? ops.reshape(ops.cast(mask, "float32"), [samples, length, 1]) : ops.full([1, 1, 1], 1);
    return this.head.apply(ops.div(ops.reduceSum(ops.mul(vectors, taken), 1), 4), context);
  }
}

/** Tables [[1, 0], [0, 2], [3, 1]] and weights [[1, 2], [-1, 1]] with a bias of 5: token values w·e / 4 of class 0: 1/4, 1, 5/4. */
function maskedMean(): MaskedMean {
  const model = new MaskedMean();
  const type = { dtype: "int32", shape: [1, 3] } as const;
  model.trace({ input_ids: type, attention_mask: type });
  const values: Record<string, Tensor> = {
    "vectors.weight": tensor([
      [1, 0],
      [0, 2],
      [3, 1],
    ]),
    "head.weight": tensor([
      [1, 2],
      [-1, 1],
    ]),
    "head.bias": tensor([5, 0]),
  };
  for (const [path, parameter] of model.parameters()) parameter.value = values[path] as Tensor<"float32">;
  return model;
}

const ids = tensor([[2, 0, 1]], { dtype: "int32" });
const mask = tensor([[1, 1, 0]], { dtype: "int32" });
const methods = ["integratedGradients", "inputTimesGradient", "occlusion"] as const;

describe("a mean of vectors", () => {
  const model = maskedMean();

  test.each(methods)("has its terms by %s, of a module and of a file, with a mask and without", async (method) => {
    const all = await tokenAttributions(model, ids, { method, target: 0 });
    expectClose(all.values, tensor([[1.25, 0.25, 1]]), "all tokens");
    expect([all.target, all.score]).toEqual([0, 7.5]);
    const inputs = { input_ids: ids, attention_mask: mask };
    const masked = await tokenAttributions(model, inputs, { method, target: 0 });
    expectClose(masked.values, tensor([[1.25, 0.25, 0]]), "masked");
    const type = { dtype: "int32", shape: [1, 3] } as const;
    const file = modelFromOnnx(encodeOnnx(model, { inputs: { input_ids: type, attention_mask: type } }).bytes);
    const read = await tokenAttributions(file, inputs, { method, target: 0, tokens: "input_ids" });
    expectClose(read.values, masked.values, "of a file");
  });

  test.each(methods)("has what tokens add to a baseline's by %s", async (method) => {
    // Less 1/4, which token 0 adds.
    const { values } = await tokenAttributions(model, ids, { method, target: 0, baseline: 0 });
    expectClose(values, tensor([[1, 0, 0.75]]), "from token 0");
  });

  test("has what tokens add to the mean of all vectors", async () => {
    // The mean (4/3, 1) adds (4/3 + 2) / 4 = 5/6.
    const { values, completeness } = await tokenAttributions(model, ids, { target: 0, baseline: "mean" });
    expectClose(values, tensor([[5 / 12, -7 / 12, 1 / 6]]), "from the mean");
    expect(completeness?.error).toBeCloseTo(0, 4);
  });

  test("is a model of presence for every other method and check", async () => {
    const { model: presence, x } = tokenPresence(model, ids);
    const { features, exact, completeness } = await kernelShap(presence, x, { target: 0 });
    expectClose(tensor([...features]), tensor([1.25, 0.25, 1]), "Shapley values");
    expect([exact, Math.abs(completeness?.error ?? 1) < 1e-5]).toEqual([true, true]);
    const attribution = await tokenAttributions(model, ids, { target: 0 });
    const { deletion } = await deletionAndInsertion(presence, x, attribution, { steps: 3 });
    // 7.5, then without 1.25, without 1, without 1/4
    expectClose(tensor([...deletion.scores]), tensor([7.5, 6.25, 5.25, 5]), "deletion");
    const check = await sanityCheck(presence, x, () => tokenAttributions(model, ids, { target: 0 }));
    expect(check.layers.map(({ path }) => path)).toEqual(["model.head", "model.vectors"]);
  });
});

test("tokens that are moved, offset and bounded on the way to several tables are found", async () => {
  // Two halves of a row: of the first tokens of two tables of one, bounded at 1; the others less 2 in another table.
  const first = ops.constant(tensor([1, 10]));
  const second = ops.constant(tensor([[[100], [200]]]));
  const model = lambda((x: Value) => {
    const [samples = 1] = x.shape;
    const low = ops.where(
      ops.lessOrEqual(ops.slice(x, { axis: 1, start: 0, end: 2 }), 1),
      ops.slice(x, { axis: 1, start: 0, end: 2 }),
      0,
    );
    const high = ops.sub(
      ops.reshape(ops.slice(x, { axis: 1, start: 2, end: 4 }), [samples, 2]),
      ops.scalar(2, "int32"),
    );
    const sums = ops.reduceSum(ops.gather(first, low, 0), 1, { keepDims: true });
    return ops.add(sums, ops.reshape(ops.reduceSum(ops.gather(second, high, 1), 2), [samples, 1]));
  });
  const { values, completeness } = await tokenAttributions(model, tensor([[1, 5, 3, 2]], { dtype: "int32" }));
  expectClose(values, tensor([[10, 1, 200, 100]]), "tokens of two tables");
  const mean = await tokenAttributions(model, tensor([[1, 5, 3, 2]], { dtype: "int32" }), { baseline: "mean" });
  expectClose(mean.values, tensor([[4.5, -4.5, 50, -50]]), "from the means of both");
  expect(completeness?.error).toBeCloseTo(0, 3);
});

interface Recorded {
  readonly steps: number;
  readonly target: number;
  readonly ids: number[][];
  readonly parameters: Readonly<Record<string, { readonly shape: number[]; readonly values: number[] }>>;
  readonly attention: number[][];
  readonly [numbers: string]: unknown;
}
const recorded = JSON.parse(
  readFileSync(new URL("../../../test/fixtures/explain-tokens.json", import.meta.url), "utf8"),
) as Recorded;

/** The transformer that PyTorch's numbers were recorded of. */
function transformer(): Module<Value> {
  const parameter = (name: string) => {
    const { shape, values } = recorded.parameters[name] as Recorded["parameters"][string];
    return ops.constant(tensor(values, { shape, dtype: "float32" }));
  };
  return lambda((x: Value) => {
    const [samples = 1, length = 1] = x.shape;
    const states = [0, 1].reduce(
      (state, layer) => {
        const project = (of: Value, name: string) =>
          ops.matmul(of, ops.transpose(parameter(`layers.${layer}.${name}.weight`), [1, 0]));
        const heads = (name: string) =>
          ops.transpose(ops.reshape(project(state, name), [samples, length, 2, 4]), [0, 2, 1, 3]);
        const products = ops.div(ops.matmul(heads("q"), heads("k"), { transB: true }), 2);
        const mean = ops.matmul(ops.softmax(products), heads("v"));
        const joined = ops.reshape(ops.transpose(mean, [0, 2, 1, 3]), [samples, length, 8]);
        return ops.add(state, ops.tanh(project(joined, "o")));
      },
      ops.gather(parameter("embedding.weight"), x, 0),
    );
    const head = ops.matmul(ops.reduceMean(states, 1), ops.transpose(parameter("head.weight"), [1, 0]));
    return ops.add(head, parameter("head.bias"));
  });
}

describe("a small transformer", () => {
  const model = transformer();
  const x = tensor(recorded.ids, { dtype: "int64" });
  const { target, steps } = recorded;
  const numbers = (name: string) => tensor(recorded[name] as number[]).reshape([1, 5]);

  test.each(["integratedGradients", "inputTimesGradient"] as const)("has PyTorch's %s", async (method) => {
    const { values, score } = await tokenAttributions(model, x, { method, target, steps });
    expectClose(values, numbers(method), method);
    expect(score).toBeCloseTo((recorded["scores"] as number[])[target] ?? Number.NaN, 5);
  });

  test("has PyTorch's attention, and its rollout", async () => {
    const maps = await attentionMaps(model, x);
    for (const [i, { weights }] of maps.entries())
      expectClose(weights, tensor(recorded.attention[i] as number[]).reshape([2, 5, 5]), `layer ${i}`);
    expect(maps).toHaveLength(2);
    expectClose(attentionRollout(maps), tensor(recorded["rollout"] as number[]).reshape([5, 5]), "rollout");
  });
});

describe("refused with a way on", () => {
  const model = maskedMean();

  test("inputs of which it is not clear which are tokens, or that are none", async () => {
    const twice = { a: ids, b: ids };
    await expect(tokenAttributions(model as never, twice)).rejects.toThrow(
      'the inputs are a, b, of which it is not clear which holds the tokens; name it: { tokens: "a" }',
    );
    await expect(tokenAttributions(model, { input_ids: ids }, { tokens: "words" })).rejects.toThrow(
      'of which none is called words; name it: { tokens: "input_ids" }',
    );
    await expect(tokenAttributions(model, tensor([[1, 2]]))).rejects.toThrow(
      "the input is float32, and tokens are integers; explain floats themselves",
    );
    await expect(tokenAttributions(model, tensor([[1], [2]], { dtype: "int32" }))).rejects.toThrow(
      "the input is [2, 1], where one sample is explained at a time; pass [1, …]",
    );
  });

  test("models without a table, and outputs that are no scores", async () => {
    const counts = lambda((x: Value) => ops.reshape(ops.cast(x, "float32"), [x.shape[0] ?? 1, 3]));
    await expect(tokenAttributions(counts, ids)).rejects.toThrow(
      "no table of floats that is looked up by the tokens was found between them and the output; explain the tokens themselves",
    );
    const states = lambda((x: Value) => ops.gather(ops.constant(tensor([[1], [2], [3]])), x, 0));
    await expect(tokenAttributions(states, ids)).rejects.toThrow("is no scores, float32[1, classes]");
    const next = { target: nextTokenScore(1) };
    await expect(tokenAttributions(states, ids, next)).rejects.toThrow(
      "nextTokenScore: there is no token 1 among 1; pass 0 to 0",
    );
    await expect(tokenAttributions(maskedMean(), ids, next)).rejects.toThrow("is no scores of next tokens");
  });
});
