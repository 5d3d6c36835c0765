/** Objectives: what a batch is trained on, whatever its tensors and the model's outputs are. */
import { expect, test } from "vitest";
import { keyOf, Random } from "../../core/random.ts";
import { Tensor, tensor } from "../../core/tensor.ts";
import { fromTensors } from "../../data/pipeline/dataset.ts";
import type { Value } from "../../graph/ir.ts";
import {
  against,
  type Context,
  crossEntropy,
  dense,
  dropout,
  Module,
  meanSquaredError,
  sequential,
} from "../../nn/index.ts";
import { add, concat, mul, randomNormal, reduceMean, reduceSum, reshape, square, sub } from "../../ops/index.ts";
import { evaluate } from "../evaluate.ts";
import { fit } from "../fit.ts";
import { accuracy, confusionMatrix } from "../metrics/classification.ts";
import { type Metric, reading } from "../metrics/metric.ts";
import { meanAbsoluteErrorMetric } from "../metrics/regression.ts";
import { adam, sgd } from "../optimizers/index.ts";
import type { Objective } from "./objective.ts";
import { Trainer } from "./trainer.ts";

const random = new Random(keyOf(3));
const normal = (...shape: number[]) =>
  new Tensor(
    "float32",
    shape,
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
  );
const labels = (...values: number[]) => tensor(values, { dtype: "int32" });

/** An image and a row of a table, one class. */
class TwoInputs extends Module<{ readonly image: Value; readonly table: Value }> {
  override readonly inputs = { image: "required", table: "required" } as const;
  readonly ofImage = dense(4);
  readonly ofTable = dense(4);
  readonly head = dense(2);
  protected call({ image, table }: { readonly image: Value; readonly table: Value }, context: Context): Value {
    const both = concat([this.ofImage.apply(image, context), this.ofTable.apply(table, context)], -1);
    return this.head.apply(both, context);
  }
}

/** A number and a class of it. */
class TwoHeads extends Module<Value, { readonly size: Value; readonly sign: Value }> {
  readonly trunk = dense(8, { activation: "tanh" });
  readonly size = dense(1);
  readonly sign = dense(2);
  protected call(x: Value, context: Context) {
    const features = this.trunk.apply(x, context);
    return { size: this.size.apply(features, context), sign: this.sign.apply(features, context) };
  }
}

test("two inputs come from the batch by name; a name that nothing reads is refused with what there is", async () => {
  const batch = { image: normal(8, 6), table: normal(8, 3), y: labels(0, 1, 0, 1, 0, 1, 0, 1) };
  const options = { loss: crossEntropy(), optimizer: adam({ learningRate: 0.05 }), epochs: 30, metrics: [accuracy()] };
  const { history } = await fit(new TwoInputs(), fromTensors(batch).batch(8), options);
  expect(history.at(-1)?.["accuracy"]).toBe(1);
  const stray = fromTensors({ ...batch, tabel: normal(8, 3) }).batch(8);
  await expect(fit(new TwoInputs(), stray, options)).rejects.toThrow(
    'the batch has "tabel", which nothing reads: the model takes image, table, the loss and the metrics y',
  );
});

test("outputs with a loss, a weight and metrics each", async () => {
  const x = normal(64, 2);
  const sums = Array.from({ length: 64 }, (_, i) => Number(x.data[2 * i]) + Number(x.data[2 * i + 1]));
  const batch = { x, size: tensor(sums.map((sum) => [sum])), sign: labels(...sums.map((sum) => (sum > 0 ? 1 : 0))) };
  const data = fromTensors(batch).batch(32);
  const loss = {
    size: { loss: meanSquaredError(), weight: 0.5, metrics: [meanAbsoluteErrorMetric()] },
    sign: { loss: crossEntropy(), metrics: [accuracy()] },
  };
  const model = new TwoHeads();
  const { history } = await fit(model, data, { loss, optimizer: adam({ learningRate: 0.02 }), epochs: 40 });
  const last = history.at(-1) ?? {};
  expect(Object.keys(last)).toEqual(["loss", "size_loss", "size_meanAbsoluteError", "sign_loss", "sign_accuracy"]);
  expect(last["loss"]).toBeCloseTo(0.5 * (last["size_loss"] ?? 0) + (last["sign_loss"] ?? 0), 5);
  expect(last["sign_accuracy"]).toBeGreaterThan(0.9);
  // The same measured by hand, beside a metric that names what it reads.
  const { results } = await evaluate(model, data, {
    objective: (context, { x: input, size, sign }) => {
      const outputs = model.apply(input as Value, context);
      return {
        loss: meanSquaredError()(outputs.size, size as Value),
        outputs,
        figures: { sign: crossEntropy()(outputs.sign, sign as Value) },
      };
    },
    metrics: [reading(accuracy(), { output: "sign", target: "sign" })],
  });
  const { results: named } = await evaluate(model, data, { loss });
  expect(results["loss"]).toBeCloseTo(named["size_loss"] ?? 0, 6);
  expect(results["sign"]).toBeCloseTo(named["sign_loss"] ?? 0, 6);
  expect(results["accuracy"]).toBe(named["sign_accuracy"]);
});

test("an output, a target or a metric's that does not exist is reported with the nearest", async () => {
  const data = fromTensors({ x: normal(4, 2), sign: labels(0, 1, 0, 1) }).batch(4);
  const run = (loss: Record<string, ReturnType<typeof crossEntropy>>, metrics = [accuracy()]) =>
    fit(new TwoHeads(), data, { loss, optimizer: sgd(), epochs: 1, metrics });
  await expect(run({ sing: crossEntropy() }, [])).rejects.toThrow('is it meant as "sing"?');
  await expect(run({ sign: against("label", crossEntropy()) }, [])).rejects.toThrow(
    'is it meant as "label"? Rename it or take it out',
  );
  const scored = { sign: { loss: crossEntropy(), metrics: [reading(accuracy(), { target: "class" })] } };
  await expect(fit(new TwoHeads(), data, { loss: scored, optimizer: sgd(), epochs: 1 })).rejects.toThrow(
    'accuracy compares with "class", and the batch has x, sign',
  );
  await expect(run({ sign: crossEntropy() })).rejects.toThrow(
    'accuracy reads one output, and there are size, sign; name it: reading(accuracy(), { output: "size" })',
  );
  const one = fit(new TwoHeads(), data, { loss: crossEntropy() as never, optimizer: sgd(), epochs: 1 });
  await expect(one).rejects.toThrow();
  await expect(fit(new TwoHeads(), data, { loss: {}, optimizer: sgd(), epochs: 1 })).rejects.toThrow(
    "there is no loss",
  );
});

test("an autoencoder is compared with its own input, and needs no target in the batch", async () => {
  const model = sequential([dense(3), dense(6)]);
  const data = fromTensors({ x: normal(16, 6) }).batch(8);
  const loss = against("x", meanSquaredError());
  const { history } = await fit(model, data, { loss, optimizer: adam({ learningRate: 0.02 }), epochs: 40 });
  expect(history.at(-1)?.["loss"]).toBeLessThan(0.7 * (history[0]?.["loss"] ?? 0));
});

test("weights of samples weigh losses and metrics: a sample of weight 2 counts as two", async () => {
  const model = sequential([dense(3)]);
  const x = normal(4, 5);
  const y = labels(0, 1, 2, 1);
  model.trace(x);
  model.initialize(keyOf(0));
  const options = { loss: crossEntropy(), metrics: [accuracy(), confusionMatrix(3)] };
  const weighted = fromTensors({ x, y, weight: tensor([2, 1, 0, 1]) });
  const repeated = fromTensors({ x: rows(x, [0, 0, 1, 3]), y: labels(0, 0, 1, 1) });
  const expected = (await evaluate(model, repeated.batch(4), options)).results;
  for (const size of [4, 2, 1]) {
    const { results } = await evaluate(model, weighted.batch(size), options);
    for (const [name, value] of Object.entries(expected)) expect(results[name]).toBeCloseTo(value, 6);
  }
  // The same update, too.
  const trained = async (data: typeof weighted | typeof repeated) => {
    const own = sequential([dense(3)]);
    await fit(own, data.batch(4), { ...options, optimizer: sgd({ learningRate: 1 }), epochs: 1 });
    return own.parameters().get("layers.0.weight")?.value?.toNumbers() ?? [];
  };
  const other = await trained(repeated);
  for (const [i, value] of (await trained(weighted)).entries()) expect(value).toBeCloseTo(other[i] ?? 0, 6);
});

/** Rows of a matrix. */
function rows(x: Tensor, chosen: readonly number[]): Tensor {
  const width = x.shape[1] ?? 1;
  return tensor(chosen.map((row) => Array.from(x.data.slice(row * width, (row + 1) * width), Number)));
}

test("a metric that does not read the weights of a batch is refused with what to do", async () => {
  const model = sequential([dense(1)]);
  const batch = { x: normal(4, 2), y: normal(4, 1), weight: tensor([1, 2, 3, 4]) };
  const error = (output: Value, target: Value) => reduceSum(sub(output, target));
  const facts = { name: "error", size: 1, result: ([sum = 0]: Float64Array) => sum, direction: "down" } as const;
  const measure = (update: Metric["update"]) =>
    evaluate(model, fromTensors(batch).batch(4), { loss: meanSquaredError(), metrics: [{ ...facts, update }] });
  model.initialize(keyOf(0), batch.x);
  await expect(measure((output, target) => reshape(error(output, target), [1]))).rejects.toThrow(
    'which error does not read; count each sample as much as the weight in its update(output, target, { weight }), or take "weight" out of the batch',
  );
  const { results } = await measure((output, target, { weight } = {}) =>
    reshape(weight ? reduceSum(mul(weight, reshape(sub(output, target), [4]))) : error(output, target), [1]),
  );
  expect(results["error"]).not.toBeNaN();
});

test.each([-1, Number.NaN])("a sample cannot weigh %d", async (weight) => {
  const model = sequential([dense(3)]);
  const trainer = new Trainer(model, { loss: crossEntropy(), optimizer: sgd() });
  const batch = { x: normal(2, 4), y: labels(0, 1), weight: tensor([1, weight]) };
  await expect(trainer.step(batch)).rejects.toThrow(
    `weight: the weight of row 1 is ${weight}, expected a number from 0`,
  );
});

test("a loss of your own that is one number cannot be weighted, one of terms can", async () => {
  const batch = fromTensors({ x: normal(4, 2), y: normal(4, 1), weight: tensor([1, 2, 3, 4]) }).batch(4);
  const squares = (output: Value, target: Value) => square(sub(output, target));
  const run = (loss: (output: Value, target: Value) => Value) =>
    fit(sequential([dense(1)]), batch, { loss, optimizer: sgd(), epochs: 1 });
  await expect(run((output, target) => reduceMean(squares(output, target)))).rejects.toThrow(
    "return one term a sample",
  );
  expect((await run(squares)).history).toHaveLength(1);
});

test("an objective sees the whole batch, logs figures, and needs no target", async () => {
  const model = sequential([dense(1, { bias: false, initializer: "ones" })]);
  const objective: Objective<{ x: Tensor; advantage: Tensor }> = (context, { x, advantage }) => {
    const score = model.apply(x, context);
    return { loss: reduceMean(mul(score, advantage)), figures: { score: reduceMean(score) } };
  };
  const data = fromTensors({ x: tensor([[1], [3]]), advantage: tensor([[1], [2]]) }).batch(2);
  const { history } = await fit(model, data, { objective, optimizer: sgd({ learningRate: 0.1 }), epochs: 1 });
  expect(history).toEqual([{ loss: 3.5, score: 2 }]);
  const stray = fromTensors({ x: tensor([[1]]), advantage: tensor([[1]]), y: tensor([[1]]) }).batch(1);
  const options = { optimizer: sgd(), epochs: 1 };
  await expect(fit(model, stray, { objective: objective as Objective, ...options })).rejects.toThrow(
    'the batch has "y", on which neither the loss nor a figure depends; take it out',
  );
  await expect(fit(model, data, { objective: (() => 3) as never, ...options })).rejects.toThrow(
    "an objective must return { loss }",
  );
  await expect(
    fit(model, data, { objective: (context, { x }) => ({ loss: model.apply(x, context) }), ...options }),
  ).rejects.toThrow("the loss must be a scalar");
});

test("a part in evaluation mode, detached or frozen", async () => {
  const [student, teacher] = [sequential([dense(2)]), sequential([dense(2), dropout(0.9)])];
  const x = normal(4, 3);
  teacher.trace(x);
  teacher.initialize(keyOf(7));
  const before = teacher.parameters().get("layers.0.weight")?.value?.toNumbers();
  const distil: Objective<{ x: Tensor }> = (context, batch) => {
    const soft = context.frozen(() => teacher.apply(batch.x, context));
    return { loss: meanSquaredError()(student.apply(batch.x, context), soft) };
  };
  const data = fromTensors({ x }).batch(4);
  const options = { objective: distil, optimizer: sgd({ learningRate: 0.3 }), epochs: 200 };
  const { history } = await fit(student, data, options);
  // Dropout that dropped would leave the teacher's outputs no limit to come near.
  expect(history.at(-1)?.["loss"]).toBeLessThan(0.05 * (history[0]?.["loss"] ?? 1));
  expect(teacher.parameters().get("layers.0.weight")?.value?.toNumbers()).toEqual(before);
  await expect(
    fit(student, data, {
      ...options,
      objective: (context, batch) => ({ loss: reduceMean(teacher.apply(batch.x, context)) }),
    }),
  ).rejects.toThrow("not a property of the model");
});

test("a teacher that is renewed in mid-run teaches what it knows now", async () => {
  const [student, teacher] = [dense(1, { bias: false }), dense(1, { bias: false, initializer: "ones" })];
  const x = tensor([[1], [2]]);
  teacher.trace(x);
  teacher.initialize(keyOf(0));
  const trainer = new Trainer<{ x: Tensor }>(student, {
    objective: (context, batch) => ({
      loss: meanSquaredError()(
        student.apply(batch.x, context),
        context.frozen(() => teacher.apply(batch.x, context)),
      ),
    }),
    optimizer: sgd({ learningRate: 0 }),
  });
  const weight = () => Number(student.parameters().get("weight")?.value?.item());
  const { loss } = await trainer.step({ x });
  expect(loss).toBeCloseTo(2.5 * (weight() - 1) ** 2, 5);
  const parameter = teacher.parameters().get("weight");
  if (parameter) parameter.value = tensor([[10]]);
  expect((await trainer.step({ x })).loss).toBeCloseTo(2.5 * (weight() - 10) ** 2, 3);
});

test("steps take turns, each with its objective, optimizer and parameters", async () => {
  const generator = dense(1, { bias: false, initializer: "ones" });
  const critic = dense(1, { bias: false, initializer: "ones" });
  const scoreOf = (context: Context, x: Value) => reduceMean(critic.apply(generator.apply(x, context), context));
  const x = tensor([[1], [1]]);
  const steps = {
    critic: {
      objective: (context: Context, batch: { readonly x: Value }) => {
        const made = context.detached(() => generator.apply(batch.x, context));
        return { loss: reduceMean(critic.apply(made, context)) };
      },
      optimizer: sgd({ learningRate: 0.1 }),
      trains: "critic",
      times: 2,
    },
    generator: {
      objective: (context: Context, batch: { readonly x: Value }) => ({ loss: scoreOf(context, batch.x) }),
      optimizer: sgd({ learningRate: 1 }),
      trains: "generator",
    },
  };
  const models = { generator, critic };
  const trainer = new Trainer<{ x: Tensor }>(models, { steps });
  const turns = [];
  const values = [];
  for (let i = 0; i < 4; i++) {
    turns.push((await trainer.step({ x })).step);
    values.push([generator, critic].map((model) => Number(model.parameters().get("weight")?.value?.item().toFixed(4))));
  }
  expect(turns).toEqual(["critic", "critic", "generator", "critic"]);
  expect(values).toEqual([
    [1, 0.9],
    [1, 0.8],
    [0.2, 0.8],
    [0.2, 0.78],
  ]);
  const { history } = await fit({ generator, critic }, fromTensors({ x }).batch(1), { steps, epochs: 1 });
  expect(Object.keys(history[0] ?? {})).toEqual(["critic_loss", "generator_loss"]);
  expect(Number.isNaN(history[0]?.["generator_loss"])).toBe(true);
  const wrong = { ...steps, generator: { ...steps.generator, trains: "genrator" } };
  await expect(new Trainer<{ x: Tensor }>(models, { steps: wrong }).step({ x })).rejects.toThrow(
    'unknown parameter "genrator"',
  );
  expect(() => new Trainer<{ x: Tensor }>(models, { steps: { critic: { ...steps.critic, times: 0 } } })).toThrow(
    "steps.critic: times is 0",
  );
  await expect(
    fit(models, fromTensors({ x }).batch(1), { loss: meanSquaredError(), optimizer: sgd(), epochs: 1 }),
  ).rejects.toThrow("several modules need an objective");
});

test("a step need not read all of a batch, where another one does", async () => {
  const [first, second] = [dense(1), dense(1)];
  const x = tensor([[1], [1]]);
  type Both = { readonly x: Value; readonly z: Value };
  const step = (trains: string, objective: (context: Context, batch: Both) => { readonly loss: Value }) => ({
    ...{ objective, trains, optimizer: sgd() },
  });
  const steps = {
    first: step("first", (context, batch) => ({ loss: reduceMean(first.apply(batch.x, context)) })),
    second: step("second", (context, batch) => ({ loss: reduceMean(second.apply(batch.z, context)) })),
  };
  const run = (batch: { readonly x: Tensor; readonly z: Tensor }) =>
    fit({ first, second }, fromTensors(batch).batch(1), { steps, epochs: 1 });
  const { history } = await run({ x, z: x });
  expect(Object.keys(history[0] ?? {})).toEqual(["first_loss", "second_loss"]);
  const stray = { x, z: x, y: x };
  await expect(run(stray)).rejects.toThrow('the batch has "y", on which neither the loss nor a figure depends');
});

test("a step of one output's loss leaves the target of another's alone", async () => {
  const data = fromTensors({ x: normal(4, 2), size: normal(4, 1), sign: labels(0, 1, 0, 1) }).batch(2);
  const optimizer = sgd();
  const steps = {
    size: { loss: { size: meanSquaredError() }, optimizer, trains: ["trunk", "size"] },
    sign: { loss: { sign: crossEntropy() }, optimizer, trains: ["trunk", "sign"] },
  };
  const { history } = await fit(new TwoHeads(), data, { steps, epochs: 1 });
  expect(Object.values(history[0] ?? {}).every(Number.isFinite)).toBe(true);
});

test("an objective that draws noise is measured too, the same each time, other noise for each batch", async () => {
  const model = dense(1, { bias: false, initializer: "zeros" });
  const objective: Objective<{ x: Tensor }> = (context, { x }) => {
    const noise = reduceMean(randomNormal(context.randomKey(), x.shape));
    return { loss: add(reduceMean(model.apply(x, context)), noise), figures: { squared: square(noise) } };
  };
  const data = fromTensors({ x: normal(2, 1) }).batch(1);
  const { history } = await fit(model, data, {
    objective,
    optimizer: sgd({ learningRate: 0 }),
    epochs: 1,
    validation: data,
  });
  const { results } = await evaluate(model, data, { objective });
  expect(results["loss"]).toBe(history[0]?.["validation_loss"]);
  expect(results["squared"]).toBeGreaterThan((results["loss"] ?? 0) ** 2 + 1e-6);
});
