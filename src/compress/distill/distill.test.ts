/** Distillation by hand, of networks of our own and of files, and what a student learns without labels. */
import { expect, test } from "vitest";
import { OptionError, ShapeError } from "../../core/errors.ts";
import { keyOf, Random } from "../../core/random.ts";
import { Tensor, tensor } from "../../core/tensor.ts";
import { type Batch, fromTensors } from "../../data/index.ts";
import { encodeOnnx } from "../../formats/files/export-onnx.ts";
import { modelFromOnnx } from "../../formats/onnx-model.ts";
import { gpt2Architectures } from "../../models/index.ts";
import { type AnyModule, against, crossEntropy, dense, sequential } from "../../nn/index.ts";
import { accuracy, adam, evaluate, fit, predict, sgd } from "../../train/index.ts";
import { distillation, softTargets, teacherOutputs } from "./index.ts";

const random = new Random(keyOf(1));
const x = new Tensor("float32", [200, 6], random.normals(1200));
const network = (width: number, seed: number): AnyModule => {
  const model = sequential([dense(width, { activation: "tanh" }), dense(3)]);
  model.initialize(keyOf(seed), { dtype: "float32", shape: [1, 6] });
  return model;
};
const teacher = network(32, 2);
// Scores that are sure of themselves.
for (const [path, parameter] of teacher.parameters())
  if (path === "layers.1.weight" && parameter.value)
    parameter.value = new Tensor(
      "float32",
      parameter.shape,
      (parameter.value.data as Float32Array).map((w) => 6 * w),
    );

test("soft targets are T² times the divergence of the softened scores", async () => {
  const [s, t] = [
    [1, 2, 0.5],
    [3, -1, 0],
  ];
  const softmax = (scores: readonly number[], temperature: number) => {
    const raised = scores.map((own) => Math.exp(own / temperature));
    const sum = raised.reduce((a, b) => a + b);
    return raised.map((own) => own / sum);
  };
  for (const temperature of [1, 4]) {
    const [p, q] = [softmax(t, temperature), softmax(s, temperature)];
    const expected = temperature ** 2 * p.reduce((sum, own, i) => sum + own * Math.log(own / (q[i] as number)), 0);
    const model = dense(3, { bias: false });
    model.initialize(keyOf(0), { dtype: "float32", shape: [1, 1] });
    for (const parameter of model.parameters().values())
      parameter.value = new Tensor("float32", parameter.shape, Float32Array.from(s));
    const data = fromTensors({ x: tensor([[1]]), teacher: tensor([t]) }).batch(1);
    const { results } = await evaluate(model, data, { loss: against("teacher", softTargets({ temperature })) });
    expect(results["loss"]).toBeCloseTo(expected, 5);
  }
});

test("a student learns what a teacher knows, without labels: from a module, a file, and scores that were kept", async () => {
  const { data: scores } = (await predict(teacher, x as never)) as unknown as Tensor<"float32">;
  const y = Int32Array.from({ length: 200 }, (_, i) => {
    const row = [...scores.subarray(3 * i, 3 * i + 3)];
    return row.indexOf(Math.max(...row));
  });
  const labelled = fromTensors({ x, y: new Tensor("int32", [200], y) }).batch(50);
  const file = modelFromOnnx(encodeOnnx(teacher, { inputs: { dtype: "float32", shape: [1, 6] } }).bytes);
  const samples = fromTensors<Batch>({ x });
  const kept = await teacherOutputs(teacher, samples);
  expect(kept.tensors["teacher"]?.shape).toEqual([200, 3]);
  const losses: number[] = [];
  for (const [own, data] of [
    [teacher, samples],
    [file, samples],
    ["teacher", kept],
  ] as const) {
    const student = network(4, 3);
    const { history } = await fit(student, data.batch(20), {
      objective: distillation(student, { teacher: own, temperature: 2 }),
      optimizer: adam({ learningRate: 0.02 }),
      epochs: 30,
    });
    losses.push(history.at(-1)?.["loss"] ?? Number.NaN);
    const { results } = await evaluate(student, labelled, { loss: crossEntropy(), metrics: [accuracy()] });
    expect(results["accuracy"]).toBeGreaterThan(0.85);
  }
  expect(losses[1]).toBeCloseTo(losses[0] ?? Number.NaN, 4);
  expect(losses[2]).toBeCloseTo(losses[0] ?? Number.NaN, 4);
});

test("labels have the rest of the share, and both are logged", async () => {
  const student = network(4, 3);
  const data = fromTensors({
    x,
    y: new Tensor(
      "int32",
      [200],
      Int32Array.from({ length: 200 }, (_, i) => i % 3),
    ),
  }).batch(200);
  const { history } = await fit(student, data, {
    objective: distillation(student, { teacher, share: 0.25 }),
    optimizer: sgd({ learningRate: 0 }),
    epochs: 1,
  });
  const { loss = 0, soft = 0, hard = 0 } = history[0] ?? {};
  expect(loss).toBeCloseTo(0.25 * Number(soft) + 0.75 * Number(hard), 5);
  expect(hard).toBeGreaterThan(0.5);
});

test("hidden layers of one width come near; those of others grow alike in which samples they find alike", async () => {
  for (const width of [32, 5]) {
    const student = network(width, 7);
    const { history } = await fit(student, fromTensors({ x }).batch(50), {
      objective: distillation(student, { teacher, hidden: [{ student: "layers.0", teacher: "layers.0", weight: 10 }] }),
      optimizer: adam({ learningRate: 0.02 }),
      epochs: 40,
    });
    expect(Number(history.at(-1)?.["hidden"])).toBeLessThan(0.75 * Number(history[0]?.["hidden"]));
  }
});

test("the likeness of samples is compared as by hand", async () => {
  const rows = new Tensor("float32", [3, 6], x.data.slice(0, 18));
  const student = network(5, 7);
  const { history } = await fit(student, fromTensors({ x: rows }).batch(3), {
    objective: distillation(student, { teacher, hidden: [{ student: "layers.0", teacher: "layers.0" }] }),
    optimizer: sgd({ learningRate: 0 }),
    epochs: 1,
  });
  const likeness = async (model: AnyModule) => {
    const features = (await predict(
      (model as unknown as { layers: AnyModule[] }).layers[0] as AnyModule,
      rows as never,
    )) as unknown as Tensor;
    const lines = features.toArray() as number[][];
    return lines.map((a) => {
      const products = lines.map((b) => a.reduce((sum, own, i) => sum + own * (b[i] as number), 0));
      const length = Math.hypot(...products);
      return products.map((own) => own / length);
    });
  };
  const [s, t] = [await likeness(student), await likeness(teacher)];
  const expected = s.flat().reduce((sum, own, i) => sum + (own - (t.flat()[i] as number)) ** 2, 0) / 9;
  expect(Number(history[0]?.["hidden"])).toBeCloseTo(expected, 5);
});

test("attention of fewer layers and heads comes to that of the teacher", async () => {
  const gpt = (layers: number, heads: number, seed: number): AnyModule => {
    const model = gpt2Architectures.GPT2LMHeadModel({
      sizes: { vocabulary: 20, positions: 8, width: 16, layers, heads, feedForward: 32 },
      details: {},
      embeddingDropout: 0,
    });
    model.initialize(keyOf(seed), { dtype: "int32", shape: [1, 8] });
    return model;
  };
  const [large, student] = [gpt(4, 4, 4), gpt(2, 2, 5)];
  // Queries and keys that are sharper than at a start.
  for (const [path, parameter] of large.parameters())
    if (/c_attn\.weight$/.test(path) && parameter.value)
      parameter.value = new Tensor(
        "float32",
        parameter.shape,
        (parameter.value.data as Float32Array).map((w) => 12 * w),
      );
  const ids = new Tensor(
    "int32",
    [32, 8],
    Int32Array.from({ length: 256 }, () => random.integer(20)),
  );
  const { history } = await fit(student, fromTensors({ x: ids }).batch(16), {
    objective: distillation(student, { teacher: large, attention: 5 }),
    optimizer: adam({ learningRate: 0.01 }),
    epochs: 25,
  });
  expect(Number(history[0]?.["attention"])).toBeGreaterThan(0);
  expect(Number(history.at(-1)?.["attention"])).toBeLessThan(0.6 * Number(history[0]?.["attention"]));
  const dull = network(4, 3);
  await expect(
    fit(dull, fromTensors({ x }).batch(20), {
      objective: distillation(dull, { teacher, attention: 1 }),
      optimizer: adam(),
      epochs: 1,
    }),
  ).rejects.toThrow(/no attention was found in the student/);
});

test("what does not fit is refused", async () => {
  const student = network(4, 3);
  const train = (objective: ReturnType<typeof distillation>) =>
    fit(student, fromTensors({ x }).batch(20) as never, { objective, optimizer: adam(), epochs: 1 });
  expect(() => distillation(student, {} as never)).toThrow(OptionError);
  expect(() => distillation(student, { teacher: "teacher", attention: 1 })).toThrow(/pass the module/);
  await expect(train(distillation(student, { teacher: "scores" }))).rejects.toThrow(
    /no "scores"; add it by teacherOutputs/,
  );
  const weighted = fromTensors<Batch>({ x, weight: new Tensor("float32", [200], new Float32Array(200).fill(2)) }).batch(
    20,
  );
  await expect(
    fit(student, weighted, { objective: distillation(student, { teacher }), optimizer: adam(), epochs: 1 }),
  ).rejects.toThrow(/the batch has weights of samples.*take "weight" out/);
  await expect(
    train(distillation(student, { teacher, hidden: [{ student: "layers.9", teacher: "layers.0" }] })),
  ).rejects.toThrow(/unknown layer of the student "layers.9".*layers.0, layers.1/);
  const other = sequential([dense(5)]);
  other.initialize(keyOf(1), { dtype: "float32", shape: [1, 6] });
  await expect(train(distillation(student, { teacher: other }))).rejects.toThrow(ShapeError);
  await expect(teacherOutputs(teacher, fromTensors<Batch>({ x, teacher: x }))).rejects.toThrow(
    /have a tensor "teacher"/,
  );
});
