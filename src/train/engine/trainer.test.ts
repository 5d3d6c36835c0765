/** Training steps: gradients reach the optimizer right, runs repeat bit for bit, mistakes are reported. */
import { expect, test } from "vitest";
import { keyOf, Random } from "../../core/random.ts";
import { Tensor, tensor } from "../../core/tensor.ts";
import { type Batch, fromTensors, type Labelled } from "../../data/pipeline/dataset.ts";
import type { Value } from "../../graph/ir.ts";
import type { Context } from "../../nn/context.ts";
import { dense } from "../../nn/layers/dense.ts";
import { dropout } from "../../nn/layers/dropout.ts";
import { batchNorm } from "../../nn/layers/normalization.ts";
import { sequential } from "../../nn/layers/sequential.ts";
import { crossEntropy } from "../../nn/losses/losses.ts";
import { type AnyModule, Module } from "../../nn/module.ts";
import { l2, regularized } from "../../nn/regularizers.ts";
import { mul, reduceMean, sqrt, square, sub } from "../../ops/index.ts";
import { earlyStopping } from "../callbacks/early-stopping.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../checkpoint.ts";
import { evaluate } from "../evaluate.ts";
import { fit, type Progress } from "../fit.ts";
import { loadParameters } from "../load-parameters.ts";
import { adam, adamw, lamb, muon, sgd } from "../optimizers/index.ts";
import { predict } from "../predict.ts";
import { gradientNorms } from "../transforms/index.ts";
import { Trainer } from "./trainer.ts";
import type { TrainingOptions } from "./training-options.ts";

const squaredError = (output: Value, target: Value) => reduceMean(square(sub(output, target)));

/** y = x1 - 2 x2 + noise of the generator. */
function regression(rows: number, seed = 1): Labelled {
  const random = new Random(keyOf(seed));
  const x = Float32Array.from({ length: rows * 2 }, () => random.normal());
  const y = Float32Array.from({ length: rows }, (_, i) => (x[2 * i] ?? 0) - 2 * (x[2 * i + 1] ?? 0));
  return { x: new Tensor("float32", [rows, 2], x), y: new Tensor("float32", [rows, 1], y) };
}

const network = () => sequential([dense(8, { activation: "tanh" }), batchNorm(), dropout(0.2), dense(1)]);
/** Every parameter's elements, by path. */
const valuesOf = (model: AnyModule): Record<string, number[]> =>
  Object.fromEntries(
    [...model.parameters()].map(([path, { value }]) => [path, Array.from(value?.data as Float32Array)]),
  );

/** Every parameter's elements in one row. */
const flat = (model: AnyModule): number[] => Object.values(valuesOf(model)).flat();

async function train(model: AnyModule, batches: readonly Batch[], options: TrainingOptions = {}, rate = 0.05) {
  const trainer = new Trainer(model, { loss: squaredError, optimizer: sgd({ learningRate: rate }), training: options });
  const results = [];
  for (const batch of batches) results.push(await trainer.step(batch));
  return { trainer, results };
}

test("one step of gradient descent on a line, by hand", async () => {
  const model = sequential([dense(1, { initializer: "zeros" })]);
  const batch = { x: tensor([[1], [2]]), y: tensor([[1], [3]]) };
  const { results } = await train(model, [batch], { transforms: [gradientNorms()] }, 0.1);
  // loss = (1 + 9) / 2; dw = mean(2 (0 - y) x) = -7, db = mean(2 (0 - y)) = -4
  expect(results[0]?.loss).toBe(5);
  expect(results[0]?.reports["gradientNorms"]).toEqual({ "layers.0.weight": 7, "layers.0.bias": 4 });
  expect(valuesOf(model)).toEqual({ "layers.0.weight": [Math.fround(0.7)], "layers.0.bias": [Math.fround(0.4)] });
});

/** w x scaled by another tensor of the batch. */
class Scaled extends Module<{ readonly x: Value; readonly scale: Value }> {
  override readonly inputs = { x: "required", scale: "required" } as const;
  readonly inner = dense(1, { bias: false, initializer: "zeros" });
  protected call({ x, scale }: { readonly x: Value; readonly scale: Value }, context: Context): Value {
    return mul(this.inner.apply(x, context), scale);
  }
}

test("a model takes its inputs from the batch by name, in training and evaluation", async () => {
  const model = new Scaled();
  const batch = { x: tensor([[1], [2]]), y: tensor([[1], [3]]), scale: tensor([[1], [3]]) };
  const { results } = await train(model, [batch], { transforms: [gradientNorms()] }, 0.1);
  // dw = mean(2 (0 - y) x scale) = -(2 + 36) / 2
  expect(results[0]).toMatchObject({ loss: 5, reports: { gradientNorms: { "inner.weight": 19 } } });
  const { results: held } = await evaluate(model, fromTensors(batch).batch(2), { loss: squaredError });
  // With w = 1.9: (1.9 - 1)² and (11.4 - 3)², halved.
  expect(held["loss"]).toBeCloseTo((0.81 + 70.56) / 2, 4);
  await expect(train(new Scaled(), [{ x: batch.x, y: batch.y }])).rejects.toThrow('lacks its input "scale"');
  const broken = { ...batch, scale: tensor([[Number.NaN], [1]]) };
  await expect(train(new Scaled(), [broken])).rejects.toThrow('"scale" of the batch holds NaN or Infinity');
});

test("clipping scales the gradient to the given norm and reports what it was", async () => {
  const [free, clipped] = [sequential([dense(1)]), sequential([dense(1)])];
  const batch = regression(8);
  const { results } = await train(free, [batch], { transforms: [gradientNorms()] }, 0);
  const norms = Object.values(results[0]?.reports["gradientNorms"] ?? {});
  const norm = Math.hypot(...norms);
  const before = sequential([dense(1)]);
  await train(before, [batch], {}, 0);
  const { results: measured } = await train(clipped, [batch], { clipNorm: norm / 4 }, 1);
  expect(measured[0]?.gradientNorm).toBeCloseTo(norm, 4);
  const start = flat(before);
  const moved = flat(clipped).map((value, i) => value - (start[i] ?? 0));
  expect(Math.hypot(...moved)).toBeCloseTo(norm / 4, 4);
});

test("learning rate and weight decay by parameter; frozen parameters do not move, bit for bit", async () => {
  const model = sequential([dense(4, { activation: "relu" }), dense(1)]);
  model.trace({ dtype: "float32", shape: [4, 2] });
  model.initialize(keyOf(0));
  model.freeze("layers.0");
  const before = valuesOf(model);
  const groups = [{ parameters: "*.bias", learningRateScale: 0 }];
  const optimizer = adamw({ learningRate: 0.1, weightDecay: 0.1 });
  const trainer = new Trainer(model, { loss: squaredError, optimizer, training: { groups } });
  for (let i = 0; i < 3; i++) await trainer.step(regression(4, i));
  const after = valuesOf(model);
  const moved = Object.keys(after).filter((path) => JSON.stringify(after[path]) !== JSON.stringify(before[path]));
  expect(moved).toEqual(["layers.1.weight"]);
});

test("what is frozen or unfrozen in mid-run counts from the next step, at any batch size", async () => {
  const model = sequential([dense(2), dense(1)]);
  const trainer = new Trainer(model, { loss: squaredError, optimizer: adam({ learningRate: 0.1 }) });
  const movedBy = async (rows: number) => {
    const before = valuesOf(model);
    await trainer.step(regression(rows, rows));
    const after = valuesOf(model);
    return Object.keys(after).filter((path) => JSON.stringify(after[path]) !== JSON.stringify(before[path]));
  };
  const [first, second] = [
    ["layers.0.weight", "layers.0.bias"],
    ["layers.1.weight", "layers.1.bias"],
  ];
  const sorted = async (rows: number) => (await movedBy(rows)).sort();
  const all = [...first, ...second].sort();
  expect(await sorted(4)).toEqual(all);
  model.freeze("layers.0");
  expect(await sorted(4)).toEqual([...second].sort());
  expect(await sorted(6)).toEqual([...second].sort());
  model.unfreeze();
  expect(await sorted(6)).toEqual(all);
});

test("a layer that is replaced in mid-run is trained from the next step on", async () => {
  class Headed extends Module {
    readonly body = dense(4, { activation: "tanh" });
    head: Module = dense(1);
    protected call(x: Value, context: Context) {
      return this.head.apply(this.body.apply(x, context), context);
    }
  }
  const model = new Headed();
  const batch = regression(8);
  const options = { loss: squaredError, optimizer: adam({ learningRate: 0.1 }) };
  const trainer = new Trainer(model, options);
  await trainer.step(batch);
  const old = model.head;
  const kept = valuesOf(old);
  // Of another shape, so that nothing of the old one can be meant.
  const other = dense(2);
  model.head = other;
  await trainer.step(batch);
  const before = valuesOf(model);
  const { loss } = await trainer.step(batch);
  expect(valuesOf(old)).toEqual(kept);
  for (const [path, values] of Object.entries(valuesOf(model))) expect(values, path).not.toEqual(before[path]);
  // What is measured is the new head, too.
  const { results } = await evaluate(model, fromTensors(batch).batch(8), options);
  expect(results["loss"]).toBeLessThan(loss);
});

test("what an optimizer remembers of a parameter outlives its freezing", async () => {
  const run = async (frozenAt: number | undefined) => {
    const model = sequential([dense(1)]);
    const trainer = new Trainer(model, { loss: squaredError, optimizer: sgd({ learningRate: 0.01, momentum: 0.9 }) });
    for (let i = 0; i < 4; i++) {
      // Frozen and unfrozen between two steps: nothing has happened.
      if (i === frozenAt) {
        model.freeze("layers.0.bias");
        await trainer.prepare(regression(8, i));
        model.unfreeze("layers.0.bias");
      }
      await trainer.step(regression(8, i));
    }
    return flat(model);
  };
  expect(await run(2)).toEqual(await run(undefined));
});

test("values that are put into parameters in mid-run are trained on", async () => {
  const model = sequential([dense(1, { bias: false, initializer: "zeros" })]);
  const trainer = new Trainer(model, { loss: squaredError, optimizer: sgd({ learningRate: 0.1 }) });
  const batch = { x: tensor([[1]]), y: tensor([[1]]) };
  await trainer.step(batch);
  loadParameters(model, { "layers.0.weight": tensor([[5]], { dtype: "float16" }) });
  const { loss } = await trainer.step(batch);
  expect(loss).toBe(16);
  expect(flat(model)[0]).toBeCloseTo(5 - 0.1 * 8, 5);
});

test("two trainers of one model train it in turns, and neither loses what the other did", async () => {
  const model = sequential([dense(1, { bias: false, initializer: "zeros" })]);
  const one = new Trainer(model, { loss: squaredError, optimizer: sgd({ learningRate: 0.1 }) });
  const other = new Trainer(model, { loss: squaredError, optimizer: adam({ learningRate: 0.1 }) });
  const batch = { x: tensor([[1]]), y: tensor([[1]]) };
  const losses = [];
  for (const trainer of [one, other, one, other]) losses.push((await trainer.step(batch)).loss);
  // 0 -> 0.2 -> 0.3 -> 0.44: each step starts from the last one's.
  expect(losses.map((loss) => Number(loss.toFixed(4)))).toEqual([1, 0.64, 0.49, 0.3136]);
});

test("groups with rates, schedules and optimizers of their own", async () => {
  const model = sequential([dense(4), dense(1)]);
  const groups = [
    { parameters: "layers.0.bias", learningRate: 0 },
    { parameters: /bias/, learningRate: (step: number) => (step === 0 ? 0 : 0.1) },
    { parameters: (path: string) => path === "layers.0.weight", optimizer: adam({ learningRate: 0.1 }) },
  ];
  const trainer = new Trainer(model, {
    loss: squaredError,
    optimizer: sgd({ learningRate: 0 }),
    training: { groups, transforms: [gradientNorms()] },
  });
  await trainer.prepare(regression(4));
  const history = [valuesOf(model)];
  for (let i = 0; i < 2; i++) {
    await trainer.step(regression(4, i + 1));
    history.push(valuesOf(model));
  }
  const moved = (path: string) =>
    history.slice(1).map((values, i) => JSON.stringify(values[path]) !== JSON.stringify(history[i]?.[path]));
  expect(moved("layers.0.weight")).toEqual([true, true]);
  expect(moved("layers.0.bias")).toEqual([false, false]);
  expect(moved("layers.1.weight")).toEqual([false, false]);
  expect(moved("layers.1.bias")).toEqual([false, true]);
  // Adam's first step is as long as the rate, whatever the gradient.
  for (const [i, value] of (history[1]?.["layers.0.weight"] ?? []).entries())
    expect(Math.abs(value - (history[0]?.["layers.0.weight"]?.[i] ?? 0))).toBeCloseTo(0.1, 4);
  expect(trainer.optimizers.map(({ name }) => name)).toEqual(["sgd", "adam"]);
  const wrong = [{ parameters: "layers.2", learningRate: 0 }];
  const other = new Trainer(model, { loss: squaredError, optimizer: sgd(), training: { groups: wrong } });
  await expect(other.step(regression(4))).rejects.toThrow('unknown parameter "layers.2"');
});

test("optimizers of whole matrices train a network, vectors beside them", async () => {
  for (const optimizer of [muon({ learningRate: 0.02 }), lamb({ learningRate: 0.02 })]) {
    const model = sequential([dense(16, { activation: "tanh" }), dense(1)]);
    const trainer = new Trainer(model, { loss: squaredError, optimizer });
    const losses = [];
    for (let i = 0; i < 150; i++) losses.push((await trainer.step(regression(64, i))).loss);
    expect(losses.at(-1)).toBeLessThan(0.1 * (losses[0] ?? 0));
    await trainer.release();
  }
});

test("a regularizer adds its penalty to the loss", async () => {
  const model = sequential([regularized(dense(1, { initializer: "ones", bias: false }), l2(0.5))]);
  const { results } = await train(model, [{ x: tensor([[1, 1]]), y: tensor([[2]]) }]);
  expect(results[0]?.loss).toBe(1); // the output is exact; 0.5 (1 + 1) is left
});

test("a regularizer that is changed in mid-run counts from the next step", async () => {
  const layer = regularized(dense(1, { initializer: "ones", bias: false }), l2(0.5));
  const trainer = new Trainer(layer, { loss: squaredError, optimizer: sgd({ learningRate: 0 }) });
  const batch = { x: tensor([[1, 1]]), y: tensor([[2]]) };
  const losses = [(await trainer.step(batch)).loss];
  for (const regularizer of [l2(1), undefined]) {
    layer.regularizer = regularizer;
    losses.push((await trainer.step(batch)).loss);
  }
  expect(losses).toEqual([1, 2, 0]);
});

test("a run resumed from a checkpoint in the middle of an epoch ends with the same bits", async () => {
  const data = fromTensors(regression(40)).shuffle(keyOf(3)).batch(8);
  const options = {
    loss: squaredError,
    optimizer: adam({ learningRate: 0.01 }),
    epochs: 3,
    training: {
      seed: 7,
      accumulate: 2,
      clipNorm: 1,
      groups: [{ parameters: "*.bias", optimizer: muon({ learningRate: 0.01 }) }],
    },
  };
  const saved: Uint8Array[] = [];
  const whole = network();
  const { history } = await fit(whole, data, {
    ...options,
    callbacks: [{ name: "save", onBatch: (run) => void saved.push(encodeCheckpoint(run.progress())) }],
  });
  for (const at of [0, 6, 8, 14]) {
    const resume: Progress = decodeCheckpoint(saved[at] as Uint8Array);
    const again = network();
    const result = await fit(again, data, { ...options, training: { ...options.training, resume } });
    expect(valuesOf(again)).toEqual(valuesOf(whole));
    expect(result.history).toEqual(history);
  }
  const resume = decodeCheckpoint(saved[0] as Uint8Array);
  const other = { ...options, optimizer: sgd(), training: { ...options.training, resume } };
  await expect(fit(network(), data, other)).rejects.toThrow("resume with the same optimizer");
});

test("training lowers the loss; evaluation and prediction use running statistics", async () => {
  const model = network();
  const data = fromTensors(regression(256)).shuffle(keyOf(0)).batch(32);
  const { history } = await fit(model, data, {
    loss: squaredError,
    optimizer: adam({ learningRate: 0.02 }),
    epochs: 20,
  });
  expect(history.at(-1)?.loss).toBeLessThan(0.25 * (history[0]?.loss ?? 0));
  const held = regression(64, 9);
  const { results, samples } = await evaluate(model, fromTensors(held).batch(64), { loss: squaredError });
  const outputs = (await predict(model, held.x)).data as Float32Array;
  const mean = outputs.reduce((sum, y, i) => sum + (y - Number(held.y.data[i])) ** 2, 0) / 64;
  expect(samples).toBe(64);
  expect(results.loss).toBeCloseTo(mean, 5);
});

test("early stopping ends the run and goes back to the best epoch", async () => {
  const model = sequential([dense(1)]);
  const data = fromTensors(regression(32)).batch(32);
  const { history, stopReason } = await fit(model, data, {
    loss: squaredError,
    // Diverges: every epoch is worse than the first.
    optimizer: sgd({ learningRate: 2 }),
    epochs: 20,
    validation: data,
    callbacks: [earlyStopping({ patience: 2 })],
  });
  expect(history).toHaveLength(3);
  expect(stopReason).toBe("validation_loss has not improved for 2 epochs");
  const { results } = await evaluate(model, data, { loss: squaredError });
  expect(results.loss).toBeCloseTo(history[0]?.validation_loss ?? 0, 4);
});

test("a loss that is not a number names the layer where it began, and leaves the parameters alone", async () => {
  const model = sequential([dense(4), dense(1)]);
  const trainer = new Trainer(model, { loss: (output: Value) => reduceMean(sqrt(output)), optimizer: sgd() });
  const batch = regression(16);
  await trainer.prepare(batch);
  const before = valuesOf(model);
  await expect(trainer.step(batch)).rejects.toThrow(
    /the loss became NaN at batch 1; the first layer with a non-finite gradient is dense "layers\.1".*lower the learning rate/,
  );
  expect(valuesOf(model)).toEqual(before);
  const poisoned = { x: tensor([[Number.NaN, 0]]), y: tensor([[0]]) };
  await expect(
    new Trainer(sequential([dense(1)]), { loss: squaredError, optimizer: sgd() }).step(poisoned),
  ).rejects.toThrow('"x" of the batch holds NaN or Infinity');
});

test("labels that are no class are refused before they train anything", async () => {
  const model = sequential([dense(3)]);
  const trainer = new Trainer(model, { loss: crossEntropy(), optimizer: sgd() });
  const batch = (label: number) => ({
    x: tensor([
      [1, 2],
      [3, 4],
    ]),
    y: tensor([0, label], { dtype: "int32" }),
  });
  await expect(trainer.step(batch(-1))).rejects.toThrow(
    "the label of row 1 is -1, expected a whole number from 0 to 2",
  );
  await expect(evaluate(model, fromTensors(batch(3)).batch(2), { loss: crossEntropy() })).rejects.toThrow("row 1 is 3");
  expect((await trainer.step(batch(2))).loss).toBeGreaterThan(0);
});

test("training on wasm moves the parameters as training on cpu does", async () => {
  const [native, web] = [network(), network()];
  const batches = [regression(16, 1), regression(16, 2), regression(16, 3)];
  await train(native, batches, { compile: { device: "cpu" } });
  await train(web, batches, { compile: { device: "wasm" } });
  // The two builds order sums differently.
  for (const [i, value] of flat(native).entries()) expect(flat(web)[i]).toBeCloseTo(value, 5);
});

test("memory does not grow over 1,000 steps", async () => {
  const trainer = new Trainer(network(), { loss: squaredError, optimizer: adam() });
  const batch = regression(64);
  for (let i = 0; i < 200; i++) await trainer.step(batch);
  const grown: number[] = [];
  // What ran in this process before may be collected meanwhile, or not yet: a leak shows each time.
  for (let round = 0; round < 3; round++) {
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 1000; i++) await trainer.step(batch);
    grown.push(process.memoryUsage().rss - before);
  }
  // A leak of one copy of the batch and its gradients a step would be 1 MB; garbage not yet collected stays below 32 MB.
  expect(Math.min(...grown)).toBeLessThan(32e6);
});

test("a trainer that forgets goes on as a new one on the same parameters would", async () => {
  const batches = Array.from({ length: 4 }, (_, i) => regression(8, i));
  const trainerOf = (model: AnyModule) =>
    new Trainer<Batch>(model, {
      loss: squaredError,
      optimizer: adam({ learningRate: 0.05 }),
      training: { accumulate: 2, clipNorm: 1, seed: 3 },
    });
  const [long, anew] = [network(), network()];
  const first = trainerOf(long);
  // One batch more than an update takes: it is held, and forgotten too.
  for (const batch of batches.slice(0, 3)) await first.step(batch);
  anew.initialize(keyOf(0), { dtype: "float32", shape: [1, 2] });
  loadParameters(anew, Object.fromEntries([...long.parameters()].map(([path, { value }]) => [path, value as Tensor])));
  await first.forget();
  first.key = keyOf(7);
  expect([first.batches, first.updates]).toEqual([0, 0]);
  const second = trainerOf(anew);
  second.key = keyOf(7);
  for (const batch of batches) expect(await first.step(batch)).toEqual(await second.step(batch));
  expect(flat(long)).toEqual(flat(anew));
  expect(first.state()).toEqual(second.state());
});
