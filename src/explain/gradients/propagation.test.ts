/** Methods that send something else back than gradients: DeepLIFT, guided backpropagation and relevance, by hand and as PyTorch has them. */
import { describe, expect, test } from "vitest";
import { keyOf, Random } from "../../core/random.ts";
import { Tensor, tensor } from "../../core/tensor.ts";
import { encodeOnnx } from "../../formats/files/export-onnx.ts";
import { modelFromOnnx } from "../../formats/onnx-model.ts";
import type { Value } from "../../graph/ir.ts";
import { signed } from "../../models/testing/fill.ts";
import { dense, lambda, sequential } from "../../nn/index.ts";
import { expectClose } from "../../nn/testing/check-layer.ts";
import * as ops from "../../ops/index.ts";
import { branches, image, messageOf, network, numbersOf, recorded, transformer } from "../testing/recorded.ts";
import { deepLift } from "./deep-lift.ts";
import { guidedBackpropagation } from "./guided-backpropagation.ts";
import { layerwiseRelevance } from "./layerwise-relevance.ts";
import { saliency } from "./saliency.ts";

const { target } = recorded;
const shape = [1, 2, 8, 8];
const fileOf = (model: ReturnType<typeof branches>) => modelFromOnnx(encodeOnnx(model).bytes);

/** A score of a row, computed by hand. */
const scoring = (compute: (x: Value) => Value) => lambda((x: Value) => ops.reshape(compute(x), [x.shape[0] ?? 1, 1]));
const column = (x: Value, i: number) => ops.slice(x, { axis: 1, start: i, end: i + 1 });

describe("deepLift", () => {
  test("is the rescale rule by hand", async () => {
    // f = relu(x1 - x2 - 1) + 2 relu(x2) at (3, 1) from 0: the first unit's input goes from -1 to 1, its output from 0 to 1: 1/2; the second's is 1.
    const f = scoring((x) => {
      const [first, second] = [column(x, 0), column(x, 1)];
      return ops.add(ops.relu(ops.sub(ops.sub(first, second), 1)), ops.mul(2, ops.relu(second)));
    });
    const { values, completeness, notes, score } = await deepLift(f, tensor([[3, 1]]));
    expectClose(values, tensor([[1.5, 1.5]]), "values");
    expect([score, completeness?.expected, notes]).toEqual([3, 3, []]);
  });

  test("sees past a function that is flat at the sample, where the gradient is 0", async () => {
    // The paper's example (section 2.2): 1 - relu(1 - (x1 + x2)) at (1, 1).
    const f = scoring((x) => ops.sub(1, ops.relu(ops.sub(1, ops.reduceSum(x, [1])))));
    expectClose((await deepLift(f, tensor([[1, 1]]))).values, tensor([[0.5, 0.5]]), "values");
    expectClose((await saliency(f, tensor([[1, 1]]))).values, tensor([[0, 0]]), "gradient");
  });

  test("has the gradient where nothing differs", async () => {
    const f = scoring((x) => ops.tanh(ops.reduceSum(x, [1])));
    const same = await deepLift(f, tensor([[1, -1]]));
    expectClose(same.values, tensor([[1, -1]]), "values");
    expect(same.completeness?.error).toBeCloseTo(0, 6);
  });

  test("divides a maximum by the larger of both, as Captum does", async () => {
    // max(x) from max(b) = 2 (at 0) to 3 (at 1): the larger is 3, so that all is of element 1. Back: the larger is the baseline's, all is of element 0.
    const f = scoring((x) => ops.reduceMax(x, [1]));
    const [low, high] = [tensor([[2, 1]]), tensor([[1, 3]])];
    expectClose((await deepLift(f, high, { baseline: low })).values, tensor([[0, 1]]), "up");
    expectClose((await deepLift(f, low, { baseline: high })).values, tensor([[0, -1]]), "down");
  });

  test("divides a product evenly, also of matrices", async () => {
    // x1 x2 from (1, 2) to (3, 5): Δ1 (2 + 5)/2 = 7 and Δ2 (1 + 3)/2 = 6, together 13 = 15 - 2.
    const f = scoring((x) => ops.mul(column(x, 0), column(x, 1)));
    const product = await deepLift(f, tensor([[3, 5]]), { baseline: tensor([[1, 2]]) });
    expectClose(product.values, tensor([[7, 6]]), "product");
    expect(product.notes).toEqual([]);
    // x1 / x2 as x1 · (1 / x2), from (1, 2) to (3, 4): Δ1 (1/2 + 1/4)/2 = 3/4 and (1/4 - 1/2) (1 + 3)/2 = -1/2, together 1/4.
    const quotient = scoring((x) => ops.div(column(x, 0), column(x, 1)));
    const divided = await deepLift(quotient, tensor([[3, 4]]), { baseline: tensor([[1, 2]]) });
    expectClose(divided.values, tensor([[0.75, -0.5]]), "quotient");
    expect(divided.notes).toEqual([]);
    const squares = scoring((x) => ops.matmul(x, ops.transpose(x, [1, 0])));
    expectClose((await deepLift(squares, tensor([[2, 3]]))).values, tensor([[4, 9]]), "matrices");
  });

  test("explains the score before a softmax, and says so", async () => {
    const linear = dense(2);
    linear.initialize(keyOf(3), { dtype: "float32", shape: [1, 3] });
    const model = sequential([linear, lambda((x: Value) => ops.softmax(x))]);
    const x = tensor([[1, 2, -1]]);
    const [before, behind] = [await deepLift(linear, x, { target: 1 }), await deepLift(model, x, { target: 1 })];
    expectClose(behind.values, before.values, "values");
    expect([behind.score, behind.notes]).toEqual([
      before.score,
      ["the model ends with a softmax; the score before it is explained"],
    ]);
  });

  test.each(["module", "file"])(
    "is PyTorch's of normalization, branches and four nonlinearities, from a %s",
    async (form) => {
      const model = form === "file" ? fileOf(branches()) : branches();
      const baseline = new Tensor(
        "float32",
        shape,
        signed("baseline", shape).data.map((own) => 0.5 * own),
      );
      const { values, completeness, score, notes } = await deepLift(model, image, { target, baseline });
      expectClose(values, numbersOf("deepLift.values", shape), "values");
      const [scores, usual] = [0, 3].map((at) => numbersOf("deepLift.scores", [6]).toNumbers()[at + target] ?? 0);
      expect(score).toBeCloseTo(scores ?? 0, 4);
      expect(completeness?.expected).toBeCloseTo((scores ?? 0) - (usual ?? 0), 4);
      expect(Math.abs(completeness?.error ?? 1)).toBeLessThan(1e-4);
      expect(notes).toEqual([]);
    },
  );

  test("adds up through attention and normalization, by the rules of what they are made of", async () => {
    const photo = signed("photo", [1, 3, 12, 12]);
    for (const model of [transformer(), fileOf(transformer())]) {
      const { completeness, notes } = await deepLift(model, photo, { target });
      expect(Math.abs((completeness?.error ?? 1) / (completeness?.expected ?? 1))).toBeLessThan(1e-4);
      expect(notes).toEqual([]);
    }
    // Softmax of (x1, 0) within a network is σ(x1): the ratio of the differences.
    const gate = scoring((x) => column(ops.softmax(ops.concat([column(x, 0), ops.mul(0, column(x, 1))], 1)), 0));
    const shifted = scoring((x) => ops.add(1, column(ops.softmax(ops.concat([column(x, 0), column(x, 1)], 1)), 0)));
    const sigmoid = 1 / (1 + Math.exp(-2)) - 0.5;
    expectClose((await deepLift(gate, tensor([[2, 5]]))).values, tensor([[sigmoid, 0]]), "softmax");
    for (const apart of [30, 300])
      expect((await deepLift(shifted, tensor([[apart, -40]]))).completeness?.error).toBeCloseTo(0, 5);
  });

  test("averages on the way where it has no rule, and says so", async () => {
    const f = scoring((x) => ops.reduceLogSumExp(x, [1]));
    const { completeness, notes } = await deepLift(f, tensor([[2, -1, 1]]));
    expect(Math.abs(completeness?.error ?? 1)).toBeLessThan(1e-5);
    expect(notes).toEqual([
      "DeepLIFT has no rule for ReduceLogSumExp (the model); its gradient is averaged on the straight way from the baseline",
    ]);
  });

  test("refuses a baseline of another shape, and a gradient that stops", async () => {
    const model = network();
    expect(await messageOf(deepLift(model, image, { baseline: tensor([[1]]) }))).toBe(
      "ShapeError: the baseline is [1, 1], the input [1, 2, 8, 8]; pass one of its shape",
    );
    const stopped = scoring((x) => ops.reduceSum(ops.stopGradient(x), [1]));
    expect(await messageOf(deepLift(stopped, tensor([[1, 2]])))).toMatch(
      /^GradientError: the gradient of the score stops/,
    );
    const words = tensor([[1, 2]], { dtype: "int32" });
    expect(
      await messageOf(
        deepLift(
          scoring((x) => ops.cast(ops.reduceSum(x, [1]), "float32")),
          words,
        ),
      ),
    ).toMatch(/^GradientError: the input is int32/);
  });
});

describe("guidedBackpropagation", () => {
  test.each(["module", "file"])("is PyTorch's, from a %s", async (form) => {
    const model = form === "file" ? fileOf(network()) : network();
    const { values, notes } = await guidedBackpropagation(model, image, { target });
    expectClose(values, numbersOf("guidedBackpropagation", shape), "values");
    expect(notes).toEqual([
      expect.stringMatching(/^guided backpropagation shows edges .* rather than what speaks for the class/),
    ]);
  });

  test("keeps what is positive at each ReLU alone, bounded ones too", async () => {
    // f = 2 relu(x1) - 3 relu(x2) + 5 clip(x3, 0, 6): the second sends back -3, which is left out.
    const f = scoring((x) => {
      const [a, b, c] = [0, 1, 2].map((i) => column(x, i)) as [Value, Value, Value];
      return ops.add(ops.sub(ops.mul(2, ops.relu(a)), ops.mul(3, ops.relu(b))), ops.mul(5, ops.clip(c, 0, 6)));
    });
    expectClose((await guidedBackpropagation(f, tensor([[1, 1, 1]]))).values, tensor([[2, 0, 5]]), "inside");
    expectClose((await guidedBackpropagation(f, tensor([[-1, 1, 7]]))).values, tensor([[0, 0, 0]]), "outside");
  });

  test("is the gradient without ReLUs, and says so", async () => {
    const f = scoring((x) => ops.reduceSum(ops.mul(x, -2), [1]));
    const { values, notes } = await guidedBackpropagation(f, tensor([[1, 2]]));
    expectClose(values, tensor([[-2, -2]]), "values");
    expect(notes[1]).toBe("the network has no ReLU that the gradient passes: this is the gradient");
  });
});

describe("layerwiseRelevance", () => {
  test("divides a sum by its terms, by hand", async () => {
    // z = relu(2·1 - 1·1) = 1, score 3: all of it goes through z; its terms 2 and -1 have 6 and -3.
    const f = scoring((x) => ops.mul(3, ops.relu(ops.matmul(x, ops.constant(tensor([[2], [-1]]))))));
    const { values, completeness, notes } = await layerwiseRelevance(f, tensor([[1, 1]]));
    expectClose(values, tensor([[6, -3]]), "ε");
    expect(completeness?.error).toBeCloseTo(0, 4);
    expect(notes).toEqual([]);
    // γ = 1: weights 4 and -1, z' = 3
    expectClose((await layerwiseRelevance(f, tensor([[1, 1]]), { gamma: 1 })).values, tensor([[4, -1]]), "γ");
  });

  test.each(["module", "file"])("is PyTorch's by both rules, from a %s", async (form) => {
    const model = form === "file" ? fileOf(network()) : network();
    const { epsilon, gamma } = recorded["relevance"] as { epsilon: number; gamma: number };
    const plain = await layerwiseRelevance(model, image, { target, epsilon });
    expectClose(plain.values, numbersOf("relevance.plain", shape), "ε");
    const favoured = await layerwiseRelevance(model, image, { target, epsilon, gamma });
    expectClose(favoured.values, numbersOf("relevance.favoured", shape), "γ");
  });

  test("gives what a sigmoid gates all of a product, by hand", async () => {
    // 4 x1 σ(x2): all of it is of x1.
    const gated = scoring((x) => ops.mul(ops.mul(4, column(x, 0)), ops.sigmoid(column(x, 1))));
    expectClose((await layerwiseRelevance(gated, tensor([[2, 0]]))).values, tensor([[4, 0]]), "values");
    const swish = scoring((x) => ops.silu(ops.reduceSum(x, [1])));
    const { values, completeness } = await layerwiseRelevance(swish, tensor([[1, 3]]));
    expectClose(values, tensor([[1, 3].map((own) => own / (1 + Math.exp(-4)))]), "SiLU");
    expect(completeness?.error).toBeCloseTo(0, 4);
  });

  test("says what biases keep, and refuses what has no rule", async () => {
    const biased = scoring((x) => ops.add(ops.reduceSum(x, [1]), 7));
    const { values, notes } = await layerwiseRelevance(biased, tensor([[1, 2]]));
    expectClose(values, tensor([[1, 2]]), "values");
    expect(notes).toEqual(["the values sum to 3.000, where the score changes by 10.00; biases keep what is missing"]);
    const product = scoring((x) => ops.mul(column(x, 0), column(x, 1)));
    expect(await messageOf(layerwiseRelevance(product, tensor([[1, 2]])))).toMatch(
      /UnsupportedError: .*layerwiseRelevance: Mul \(.*\) has no rule; use deepLift or integratedGradients/,
    );
    expect(await messageOf(layerwiseRelevance(biased, tensor([[1, 2]]), { epsilon: 0 }))).toMatch(
      /epsilon is 0; pass a number above 0/,
    );
    const noise = new Tensor("float32", [1, 3, 12, 12], new Random(keyOf(1)).normals(432));
    expect(await messageOf(layerwiseRelevance(transformer(), noise))).toMatch(/has no rule; use deepLift/);
  });
});
