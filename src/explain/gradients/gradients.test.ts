/** Explanations by gradients: exact on linear models, by hand on two inputs, as PyTorch has them on a small network, and refused where there are none. */
import { describe, expect, test } from "vitest";
import { keyOf, Random } from "../../core/random.ts";
import { type Tensor, tensor } from "../../core/tensor.ts";
import { encodeOnnx } from "../../formats/files/export-onnx.ts";
import { modelFromOnnx } from "../../formats/onnx-model.ts";
import type { Value } from "../../graph/ir.ts";
import { batchNorm, conv2d, dense, embedding, flatten, lambda, sequential } from "../../nn/index.ts";
import { expectClose } from "../../nn/testing/check-layer.ts";
import * as ops from "../../ops/index.ts";
import { release } from "../explained.ts";
import { scoreOf } from "../score.ts";
import { image, messageOf, network, numbersOf, recorded } from "../testing/recorded.ts";
import { expectedGradients } from "./expected-gradients.ts";
import { integratedGradients } from "./integrated-gradients.ts";
import { inputTimesGradient, saliency } from "./saliency.ts";
import { smoothGrad } from "./smooth-grad.ts";

/** A layer with weights [outputs, inputs], and biases. */
function layer(weights: number[][], bias: number[], activation?: "relu") {
  const made = dense(bias.length, activation ? { activation } : {});
  made.trace({ dtype: "float32", shape: [1, weights[0]?.length ?? 1] });
  for (const [name, parameter] of made.own) parameter.value = tensor(name === "bias" ? bias : weights);
  return made;
}

describe("a linear model", () => {
  const model = layer(
    [
      [2, -1, 0.5],
      [1, 1, 1],
    ],
    [3, 0],
  );
  const x = tensor([[1, 4, -2]]);
  const shares = tensor([[2, -4, -1]]); // w·x of class 0

  test("has its terms as integrated gradients and as input times gradient, its weights as saliency", async () => {
    expectClose((await integratedGradients(model, x, { target: 0, steps: 3 })).values, shares, "integrated");
    expectClose((await inputTimesGradient(model, x, { target: 0 })).values, shares, "product");
    expectClose((await saliency(model, x, { target: 0 })).values, tensor([[2, 1, 0.5]]), "absolute");
    expectClose((await saliency(model, x, { target: 0, absolute: false })).values, tensor([[2, -1, 0.5]]), "signed");
    expectClose((await smoothGrad(model, x, { target: 0, samples: 5 })).values, tensor([[2, -1, 0.5]]), "smooth");
  });

  test("has w·(x - b) from a baseline, and from a background w·(x - mean)", async () => {
    const baseline = tensor([[1, 1, 1]]);
    const from = await integratedGradients(model, x, { target: 0, baseline });
    expectClose(from.values, tensor([[0, -3, -1.5]]), "from a baseline");
    expect(from.completeness?.expected).toBeCloseTo(-4.5, 5);
    const background = tensor([
      [0, 0, 0],
      [2, 2, 2],
    ]);
    const expected = await expectedGradients(model, x, { target: 0, background, samples: 6 });
    expectClose(expected.values, tensor([[0, -3, -1.5]]), "from a background");
    expect(expected.completeness?.error).toBeCloseTo(0, 5);
    expect(expected.notes).toEqual([]);
  });

  test("is explained by the largest class unless another is named, or by a number of your own", async () => {
    // Scores: 2 - 4 - 1 + 3 = 0 and 1 + 4 - 2 = 3
    expect(await scoreOf(model, x)).toEqual({ target: 1, score: 3 });
    expect(await scoreOf(model, x, { target: 0 })).toEqual({ target: 0, score: 0 });
    const difference = (scores: Value) => ops.reduceSum(ops.mul(scores, ops.constant(tensor([-1, 1]))), [1]);
    const { target, score, values } = await integratedGradients(model, x, { target: difference });
    expect([target, score]).toEqual([undefined, 3]);
    expectClose(values, tensor([[-1, 8, -1]]), "of the difference");
  });
});

test("integrated gradients of a network of ReLUs of 2 inputs are those by hand", async () => {
  // f = relu(x1 - x2 - 1) + 2 relu(x2), at (3, 1) from 0: on the way (3a, a) the first unit is 2a - 1, on from a = 1/2.
  // Mean gradients: (1/2, -1/2 + 2). Values: (3/2, 3/2). f(3, 1) = 1 + 2 = 3.
  const model = sequential([
    layer(
      [
        [1, -1],
        [0, 1],
      ],
      [-1, 0],
      "relu",
    ),
    layer([[1, 2]], [0]),
  ]);
  const { values, score, completeness } = await integratedGradients(model, tensor([[3, 1]]), { target: 0, steps: 64 });
  expectClose(values, tensor([[1.5, 1.5]]), "values");
  expect([score, completeness?.expected]).toEqual([3, 3]);
  // 63 points are not halved: the middle one is on the kink.
  const few = await integratedGradients(model, tensor([[3, 1]]), { target: 0, steps: 1 });
  expect(few.notes[0]).toMatch(/^the values sum to 2\.000, where the score changes by 3\.000; take more than 1 steps/);
});

describe("a small convolutional network, as PyTorch has it", () => {
  const options = { target: recorded.target };
  const shape = [1, 2, 8, 8];

  test.each(["module", "file"])("read from a %s", async (form) => {
    const model = form === "file" ? modelFromOnnx(encodeOnnx(network()).bytes) : network();
    const { score } = await scoreOf(model, image, options);
    expect(score).toBeCloseTo((recorded["scores"] as number[])[recorded.target] as number, 5);
    expectClose((await saliency(model, image, options)).values, numbersOf("saliency", shape), "saliency");
    const integrated = await integratedGradients(model, image, { ...options, steps: recorded.steps });
    expectClose(integrated.values, numbersOf("integratedGradients", shape), "integrated gradients");
  });

  test("is compiled once for all steps, and not again for another sample", async () => {
    const [model, traces] = [network(), [] as number[]];
    const target = (scores: Value) => {
      traces.push(scores.shape[0] ?? 0);
      return ops.reduceMax(scores, [1]);
    };
    await integratedGradients(model, image, { target, steps: 60, chunk: 20 });
    await integratedGradients(model, tensor(image.toNumbers().map((value) => -value)).reshape(shape), {
      target,
      steps: 60,
      chunk: 20,
    });
    // The scores of the sample and of the baseline; whether samples are mixed; the gradients.
    expect(traces).toEqual([1, 7, 20]);
  });

  test("is compiled anew when it was let go of, and when five other targets were asked for since", async () => {
    const [model, traces] = [network(), [] as number[]];
    const target = (scores: Value) => {
      traces.push(scores.shape[0] ?? 0);
      return ops.reduceMax(scores, [1]);
    };
    const ask = async () => (await scoreOf(model, image, { target, chunk: 1 })).score;
    const score = await ask();
    await ask();
    expect(traces).toEqual([1]);
    await release(model);
    expect(await ask()).toBe(score);
    expect(traces).toEqual([1, 1]);
    for (let i = 0; i < 5; i++)
      await scoreOf(model, image, { target: (scores: Value) => ops.mul(i, ops.reduceMax(scores, [1])) });
    expect(await ask()).toBe(score);
    expect(traces).toEqual([1, 1, 1]);
    await release(network());
  });

  test("computes where it is told to, by as many threads", async () => {
    const one = await saliency(network(), image, { ...options, compile: { device: "cpu", threads: 1 } });
    expectClose(one.values, numbersOf("saliency", shape), "saliency");
    expect(await messageOf(saliency(network(), image, { compile: { device: "abacus" } as never }))).toMatch(
      /compile.*device is "abacus"/,
    );
  });

  test("is computed copy by copy where samples of a batch are mixed", async () => {
    const sizes: number[] = [];
    const mixing = lambda((x: Value) => {
      sizes.push(x.shape[0] ?? 0);
      return ops.mul(x, ops.reduceMean(x, [0], { keepDims: true }));
    });
    // f = x1² of a sample alone: all of its score is that of x1.
    const { values } = await integratedGradients(mixing, tensor([[3, 1]]), { target: 0 });
    expectClose(values, tensor([[9, 0]]), "values");
    expect(sizes).toEqual([1, 7, 1]);
  });

  test("adds up to 1 % in 64 steps, and to a thousandth in 1024: kinks lie between the points", async () => {
    const errorOf = async (steps: number) => {
      const { completeness } = await integratedGradients(network(), image, { ...options, steps });
      return Math.abs((completeness?.error ?? 1) / (completeness?.expected ?? 1));
    };
    expect(await errorOf(64)).toBeLessThan(1e-2);
    expect(await errorOf(1024)).toBeLessThan(1e-3);
  });

  test("has the same values in any chunks", async () => {
    const model = network();
    const whole = await integratedGradients(model, image, { ...options, steps: 10, chunk: 10 });
    for (const chunk of [1, 3, 4])
      expectClose(
        (await integratedGradients(model, image, { ...options, steps: 10, chunk })).values,
        whole.values,
        `chunk ${chunk}`,
      );
  });
});

test("a smooth network adds up to a thousandth of the score in 64 steps", async () => {
  const model = sequential([
    conv2d(4, 3, { activation: "tanh" }),
    flatten(),
    dense(8, { activation: "gelu" }),
    dense(3),
  ]);
  model.initialize(keyOf(5), { dtype: "float32", shape: [1, 2, 8, 8] });
  const { score, completeness } = await integratedGradients(model, image);
  expect(completeness?.expected).not.toBe(0);
  expect(Math.abs(completeness?.error ?? 1)).toBeLessThan(1e-3 * score);
});

test("the same key draws the same noise and background, another key others", async () => {
  const model = network();
  const random = new Random(keyOf(3));
  const background = tensor(random.normals(5 * 128)).reshape([5, 2, 8, 8]);
  for (const explain of [
    (key: ReturnType<typeof keyOf>) => smoothGrad(model, image, { key, samples: 4 }),
    (key: ReturnType<typeof keyOf>) => expectedGradients(model, image, { key, background, samples: 20 }),
  ]) {
    const [first, again, other] = [await explain(keyOf(1)), await explain(keyOf(1)), await explain(keyOf(2))];
    expect(again.values.data).toEqual(first.values.data);
    expect(other.values.data).not.toEqual(first.values.data);
  }
});

test("models are explained in inference: normalization by its running statistics, which stay", async () => {
  const model = sequential([batchNorm(), dense(2)]);
  model.initialize(keyOf(1), { dtype: "float32", shape: [1, 3] });
  const before = [...model.parameters()].map(([, { value }]) => value?.toNumbers());
  const { completeness } = await integratedGradients(model, tensor([[1, 2, 3]]));
  expect(completeness?.error).toBeCloseTo(0, 5);
  expect([...model.parameters()].map(([, { value }]) => value?.toNumbers())).toEqual(before);
});

test("scores of other floats are explained in float32, and inputs of other floats refused", async () => {
  const model = layer([[2, -1]], [0]);
  for (const dtype of ["float16", "float64"] as const) {
    const target = (scores: Value) => ops.reduceSum(ops.cast(scores, dtype), [1]);
    const { values, score } = await saliency(model, tensor([[1, 1]]), { target });
    expect(score).toBe(1);
    expectClose(values, tensor([[2, 1]]), dtype);
  }
  const x = tensor([[1, 1]], { dtype: "float64" });
  const target = (scores: Value) => ops.reduceSum(scores, [1]);
  const doubled = lambda((own: Value) => ops.mul(own, 2));
  expect(await messageOf(saliency(doubled, x, { target }))).toMatch(/^DTypeError: the input is float64; pass float32/);
});

test("a model whose weights change is explained as it is then", async () => {
  const model = layer([[1, 2]], [0]);
  const x = tensor([[1, 1]]);
  expectClose((await saliency(model, x)).values, tensor([[1, 2]]), "before");
  for (const parameter of model.own.values()) if (parameter.name !== "bias") parameter.value = tensor([[3, 4]]);
  expectClose((await saliency(model, x)).values, tensor([[3, 4]]), "after");
});

describe("what cannot be explained is said with the mend", () => {
  const model = layer(
    [
      [1, 2],
      [3, 4],
    ],
    [0, 0],
  );
  const x = tensor([[1, 1]]);
  const bad = (make: () => Promise<unknown>) => messageOf(make());

  test("a class that there is not, more than one sample, a baseline of another shape", async () => {
    expect(await bad(() => saliency(model, x, { target: 2 }))).toBe(
      "OptionError: target: there is no class 2 in scores of 2; pass 0 to 1",
    );
    expect(await bad(() => saliency(model, x, { target: -1 }))).toMatch(
      /^OptionError: saliency: target is -1; pass a class/,
    );
    expect(
      await bad(() =>
        saliency(
          model,
          tensor([
            [1, 1],
            [2, 2],
          ]),
        ),
      ),
    ).toBe(
      "ShapeError: the input is [2, 2], where one sample is explained at a time, [1, …]; take one: gatherRows(x, [0])",
    );
    expect(await bad(() => saliency(model, [1, 2] as unknown as Tensor))).toMatch(
      /^OptionError: the input is a object/,
    );
    expect(await bad(() => integratedGradients(model, x, { baseline: tensor([1, 1]) }))).toBe(
      "ShapeError: the baseline is [2], the input [1, 2]; pass one of its shape",
    );
    expect(await bad(() => expectedGradients(model, x, { background: tensor([[1]]) }))).toBe(
      "ShapeError: a row of the background is [1, 1], the input [1, 2]; pass one of its shape",
    );
    const float64 = tensor([[1, 1]], { dtype: "float64" });
    expect(await bad(() => integratedGradients(model, x, { baseline: float64 }))).toMatch(
      /^DTypeError: the baseline is float64/,
    );
  });

  test("outputs that are no scores, and a target that gives none", async () => {
    const grid = sequential([conv2d(1, 1)]);
    grid.initialize(keyOf(1), { dtype: "float32", shape: [1, 1, 2, 2] });
    const pixels = tensor([
      [
        [
          [1, 2],
          [3, 4],
        ],
      ],
    ]);
    expect(await bad(() => saliency(grid, pixels))).toBe(
      "ShapeError: the output float32[1, 1, 2, 2] is no scores, float32[1, classes]; pass a function as target: (outputs) => one number for each sample",
    );
    const mean = (output: Value) => ops.reduceMean(output, [1, 2, 3]);
    const own = [...grid.parameters().values()].find(({ name }) => name === "weight")?.value?.item() ?? 0;
    const quarter = Math.abs(own) / 4;
    const each = tensor([quarter, quarter, quarter, quarter]).reshape([1, 1, 2, 2]);
    expectClose((await saliency(grid, pixels, { target: mean })).values, each, "of the mean");
    expect(await bad(() => saliency(grid, pixels, { target: (output: Value) => output }))).toBe(
      "ShapeError: target: the function returned float32[1, 1, 2, 2] for 1 samples; return one float for each: [1]",
    );
    expect(await bad(() => saliency(grid, pixels, { target: (() => 3) as never }))).toBe(
      "OptionError: target: the function returned a number; return a graph value, [samples]",
    );
  });

  test("integers, and a gradient that stops", async () => {
    const words = sequential([embedding(5, 3), flatten(), dense(2)]);
    words.initialize(keyOf(1), { dtype: "int32", shape: [1, 4] });
    expect(await bad(() => saliency(words, tensor([[1, 2, 3, 4]], { dtype: "int32" })))).toBe(
      "GradientError: the input is int32, and only floats have gradients; occlusion and kernelShap need no gradient, or explain the model behind its embedding",
    );
    const stopped = sequential([lambda((own: Value) => ops.stopGradient(own)), dense(2)]);
    stopped.initialize(keyOf(1), { dtype: "float32", shape: [1, 2] });
    expect(await bad(() => integratedGradients(stopped, x))).toBe(
      "GradientError: the gradient of the score stops before it reaches the input: what lies between is rounded, an index or stopped; occlusion and kernelShap need no gradient",
    );
  });

  test("a score that is not finite", async () => {
    expect(await bad(() => saliency(model, tensor([[Number.NaN, 1]]), { target: 0 }))).toMatch(
      /^DataError: the score of the input is NaN; look for/,
    );
  });

  test("a gradient that is not defined is noted", async () => {
    const root = lambda((own: Value) => ops.sqrt(ops.mul(own, own)));
    const zero = tensor([[0, 1]]);
    const said = /^1 of 2 values are not finite: the gradient is not defined at this input/;
    expect((await saliency(root, zero, { target: 0 })).notes[0]).toMatch(said);
    const { notes } = await integratedGradients(
      lambda((own: Value) => ops.sqrt(own)),
      tensor([[-1, 1]]).reshape([1, 2]),
      { target: 1, baseline: tensor([[-2, 0]]) },
    );
    expect(notes[0]).toMatch(/^the values sum to NaN/);
  });

  test("a gradient of 0 is noted", async () => {
    const dead = layer([[1, 1]], [-10], "relu");
    expect((await saliency(dead, x)).notes[0]).toMatch(/^the gradient is 0 everywhere/);
  });
});
