/** Private training: what is drawn, bounded and added, alike by every way; what is spent; what is refused. */
import { expect, test } from "vitest";
import { keyOf, Random } from "../core/random.ts";
import { Tensor } from "../core/tensor.ts";
import { type Batch, bucketed, fromIterable, fromTensors, padRows } from "../data/index.ts";
import { addLora } from "../finetune/index.ts";
import type { Value } from "../graph/ir.ts";
import {
  type AnyModule,
  activation,
  against,
  batchNorm,
  type Context,
  conv2d,
  crossEntropy,
  dense,
  embedding,
  flatten,
  groupNorm,
  l2,
  lstm,
  Module,
  maxPool2d,
  regularized,
  sequential,
} from "../nn/index.ts";
import { abs, add, cast, matmul, mul, reduceMean, reshape, sqrt, square, sub } from "../ops/index.ts";
import { accuracy, adam, fit, type Objective, type Progress, sgd, Trainer } from "../train/index.ts";
import { type ClippingOptions, differentialPrivacy } from "./index.ts";

const random = new Random(keyOf(1));
const count = 200;
const images = {
  x: new Tensor("float32", [count, 1, 8, 8], random.normals(count * 64)),
  y: new Tensor(
    "int32",
    [count],
    Int32Array.from({ length: count }, () => random.integer(3)),
  ),
};
const sequences = { x: new Tensor("float32", [count, 5, 4], random.normals(count * 20)), y: images.y };
const network = (): AnyModule =>
  sequential([conv2d(4, 3), groupNorm(2), activation("relu"), maxPool2d(2), flatten(), dense(3)]);

/** The parameters after so many updates. */
async function trained(
  build: () => AnyModule,
  data: { x: Tensor; y: Tensor },
  clipping: ClippingOptions,
  { updates = 3, optimizer = sgd({ learningRate: 0.1 }) } = {},
) {
  const model = build();
  const privacy = differentialPrivacy(fromTensors(data).batch(20), { epsilon: 8, epochs: 1, clipping, key: keyOf(5) });
  const trainer = new Trainer(model, {
    loss: crossEntropy(),
    optimizer,
    training: { transforms: [privacy.transform] },
  });
  for await (const batch of privacy.batches.epoch(0)) {
    if (privacy.history()[0]?.steps === updates) break;
    await trainer.step(batch);
  }
  await trainer.sync();
  expect(privacy.history()[0]?.steps).toBe(updates);
  return [...model.parameters().values()].map(({ value }) => Float32Array.from(value?.data as Float32Array));
}

const distance = (a: readonly Float32Array[], b: readonly Float32Array[]) =>
  Math.max(...a.flatMap((own, i) => [...own].map((value, k) => Math.abs(value - (b[i]?.[k] ?? Number.NaN)))));

test.each<[string, () => AnyModule, typeof images]>([
  ["a convolutional network", network, images],
  ["a recurrent network", () => sequential([lstm(6, { returns: "last" }), dense(3)]), sequences],
  ["a network with penalties", () => sequential([flatten(), regularized(dense(4), l2(0.1)), dense(3)]), images],
])("%s learns alike by every way, whole and in parts", async (_, build, data) => {
  const whole = await trained(build, data, { limit: 0.5 });
  for (const clipping of [{ way: "each" }, { way: "alone" }, { rows: 9 }, { way: "each", rows: 16 }] as const)
    expect(distance(whole, await trained(build, data, { limit: 0.5, ...clipping }))).toBeLessThan(1e-6);
  const byLayer = await trained(build, data, { limit: 0.5, byLayer: true });
  expect(distance(byLayer, await trained(build, data, { limit: 0.5, byLayer: true, way: "alone" }))).toBeLessThan(1e-6);
  expect(distance(whole, byLayer)).toBeGreaterThan(1e-4);
});

test("objectives of your own and penalties on activations learn alike by every way: what each sample adds is found", async () => {
  /** Reconstructs its input, with a sum of two means as the loss, and a penalty on what it gives. */
  class Coder extends Module {
    readonly code = dense(4, { activation: "tanh" });
    readonly back = dense(64);
    protected call(x: Value, context: Context): Value {
      const code = this.code.apply(reshape(x, [x.shape[0] ?? 1, 64]), context);
      context.penalties.push(mul(reduceMean(square(code)), 0.3));
      return this.back.apply(code, context);
    }
  }
  const updated = async (clipping: ClippingOptions) => {
    const model = new Coder();
    const objective: Objective<{ x: Tensor }> = (context, { x }) => {
      const y = model.apply(x, context);
      const error = reduceMean(square(sub(y, reshape(x, y.shape))));
      return { loss: add(error, mul(reduceMean(abs(y)), 0.1)), figures: { error } };
    };
    const privacy = differentialPrivacy(fromTensors({ x: images.x }).batch(20), {
      ...{ epsilon: 8, epochs: 1, key: keyOf(5) },
      clipping: { limit: 0.05, ...clipping },
    });
    await fit(model, privacy.batches, {
      ...{ objective, optimizer: sgd({ learningRate: 0.1 }), epochs: 1 },
      training: { transforms: [privacy.transform] },
    });
    return [...model.parameters().values()].map(({ value }) => Float32Array.from(value?.data as Float32Array));
  };
  const whole = await updated({});
  for (const clipping of [{ way: "each" }, { way: "alone" }, { rows: 9 }] as const)
    expect(distance(whole, await updated(clipping))).toBeLessThan(1e-6);
});

test("sentences of unlike length are drawn as one shape, which shows none of them", async () => {
  const rows = Array.from({ length: 40 }, (_, i) => Array.from({ length: 1 + (i % 9) }, () => 1 + random.integer(5)));
  const data = bucketed(rows, {
    ...{ size: 8, widths: [4, 8, 12], lengthOf: (row) => row.length },
    collate: (members, width) => ({
      x: padRows(members, width),
      y: new Tensor(
        "int32",
        [members.length],
        Int32Array.from(members, ([first = 0]) => first % 2),
      ),
    }),
  });
  const privacy = differentialPrivacy(data, { epsilon: 8, delta: 1e-3, epochs: 2, key: keyOf(3) });
  const shapes = new Set<string>();
  for await (const { x } of privacy.batches.epoch(0)) shapes.add(x.shape.join());
  expect([...shapes]).toEqual([`${[...shapes][0]?.split(",")[0]},12`]);
  const model = sequential([embedding(6, 4), lstm(4, { returns: "last" }), dense(2)]);
  await fit(model, privacy.batches, {
    ...{ loss: crossEntropy(), metrics: [accuracy()], optimizer: adam(), epochs: 2 },
    training: { transforms: [privacy.transform] },
  });
  expect(privacy.spent().epsilon).toBeGreaterThan(4);
});

test("the noise of an update has the deviation that was reckoned", async () => {
  const model = dense(3, { initializer: "zeros" });
  // Of zeros the weights have no gradient.
  const zeros = { x: new Tensor("float32", [count, 400], new Float32Array(count * 400)), y: images.y };
  const privacy = differentialPrivacy(fromTensors(zeros).batch(20), {
    epsilon: 1,
    epochs: 1,
    clipping: { limit: 2 },
    key: keyOf(6),
  });
  const trainer = new Trainer(model, {
    loss: crossEntropy(),
    optimizer: sgd({ learningRate: 1 }),
    training: { transforms: [privacy.transform] },
  });
  for await (const batch of privacy.batches.epoch(0)) {
    await trainer.step(batch);
    break;
  }
  await trainer.sync();
  const weights = model.parameters().get("weight")?.value?.data as Float32Array;
  const deviation = Math.sqrt(weights.reduce((sum, own) => sum + own * own, 0) / weights.length);
  // 1,200 numbers tell a deviation to 2 %; five of these.
  expect(Math.abs(deviation / ((privacy.noiseMultiplier * 2) / 20) - 1)).toBeLessThan(0.1);
});

test("what is spent rises to the budget and not beyond; then training ends", async () => {
  const privacy = differentialPrivacy(fromTensors(images).batch(50), { epsilon: 2, epochs: 2 });
  expect(privacy.spent().epsilon).toBe(0);
  const options = { loss: crossEntropy(), metrics: [accuracy()], optimizer: adam() };
  const training = { transforms: [privacy.transform] };
  const { history } = await fit(network(), privacy.batches, { ...options, epochs: 2, training });
  expect(history[0]?.["accuracy"]).toBeGreaterThanOrEqual(0);
  const { epsilon, delta } = privacy.spent();
  expect(epsilon).toBeLessThanOrEqual(2);
  expect(epsilon).toBeGreaterThan(1.9);
  expect(delta).toBe(1e-5);
  const again = differentialPrivacy(fromTensors(images).batch(50), { epsilon: 2, epochs: 1 });
  await expect(
    fit(network(), again.batches, { ...options, epochs: 2, training: { transforms: [again.transform] } }),
  ).rejects.toThrow(/the budget of privacy is spent after 4 updates/);
});

test("limits follow a quantile of the norms", async () => {
  const options = { epsilon: 100, epochs: 30, clipping: { limit: 50, quantile: 0.5 }, key: keyOf(8) };
  const privacy = differentialPrivacy(fromTensors(images).batch(100), options);
  const limits: number[] = [];
  await fit(network(), privacy.batches, {
    loss: crossEntropy(),
    optimizer: sgd({ learningRate: 1e-6 }),
    epochs: 30,
    training: { transforms: [privacy.transform] },
    callbacks: [
      { name: "limits", onBatch: (_, result) => void limits.push(result.reports["privacy"]?.["limit"] ?? Number.NaN) },
    ],
  });
  // exp(-0.2 · 0.5) an update while all are within the limit.
  expect(limits[5] as number).toBeCloseTo(50 * Math.exp(-0.5), 0);
  expect(limits.at(-1) as number).toBeLessThan(10);
  const last = limits.slice(-10);
  expect(Math.max(...last) / Math.min(...last)).toBeLessThan(1.6);
});

test("a run that goes on is the run that was not stopped, to the bit", async () => {
  const run = async (stopAfter?: number) => {
    const model = network();
    const make = () =>
      differentialPrivacy(fromTensors(images).batch(25), {
        epsilon: 4,
        epochs: 2,
        clipping: { rows: 20, quantile: 0.7 },
        key: keyOf(9),
      });
    let progress: Progress | undefined;
    const options = { loss: crossEntropy(), optimizer: adam(), epochs: 2 };
    const first = make();
    let batches = 0;
    await fit(model, first.batches, {
      ...options,
      training: { transforms: [first.transform] },
      callbacks: [
        {
          name: "stopping",
          onBatch(own) {
            if (++batches === stopAfter) {
              progress = structuredCloneOf(own.progress());
              own.stop("enough");
            }
          },
        },
      ],
    });
    const resumed = network();
    if (progress) {
      const second = make();
      await fit(resumed, second.batches, {
        ...options,
        training: { transforms: [second.transform], resume: progress },
      });
    }
    return [...(progress ? resumed : model).parameters().values()].map(({ value }) => value?.data);
  };
  const structuredCloneOf = (progress: Progress): Progress => ({
    ...progress,
    trainer: {
      ...progress.trainer,
      tensors: Object.fromEntries(
        Object.entries(progress.trainer.tensors).map(([name, { dtype, shape, data }]) => [
          name,
          new Tensor(dtype, shape, data.slice() as never),
        ]),
      ),
    },
  });
  // In the middle of an update of several batches.
  expect(await run(4)).toEqual(await run());
});

test("adapters learn under privacy, and the frozen weights do not move", async () => {
  const model = sequential([flatten(), dense(8, { activation: "relu" }), dense(3)]);
  model.initialize(keyOf(1), { dtype: "float32", shape: [1, 1, 8, 8] });
  const before = [...model.parameters()].map(([, { value }]) => Float32Array.from(value?.data as Float32Array));
  await addLora(model, { rank: 2, targets: "all-linear" });
  const privacy = differentialPrivacy(fromTensors(images).batch(50), { epsilon: 5, epochs: 2 });
  await fit(model, privacy.batches, {
    loss: crossEntropy(),
    optimizer: adam(),
    epochs: 2,
    training: { transforms: [privacy.transform] },
  });
  const all = [...model.parameters()];
  expect(all.filter(([, { frozen }]) => frozen).map(([, { value }]) => value?.data)).toEqual(before);
  expect(all.filter(([, { trainable }]) => trainable).length).toBe(2);
});

test("samples come by chance, each as often as was reckoned, and padding weighs nothing", async () => {
  const privacy = differentialPrivacy(fromTensors({ x: sequences.x, y: images.y }).batch(20), {
    epsilon: 5,
    epochs: 300,
    key: keyOf(7),
  });
  let [drawn, updates, most] = [0, 0, 0];
  for (let epoch = 0; epoch < 300; epoch++)
    for await (const { weight } of privacy.batches.epoch(epoch) as AsyncIterable<Batch>) {
      const own = ((weight as Tensor).data as Float32Array).reduce((sum, value) => sum + value, 0);
      drawn += own;
      updates++;
      most = Math.max(most, own);
    }
  // 3,000 updates of 20 ± √18.
  expect(Math.abs(drawn / updates - 20)).toBeLessThan(0.4);
  expect(most).toBeGreaterThan(27);
});

test("what breaks the guarantee is refused, with what to use instead", async () => {
  const train = async (model: AnyModule, data = images, options: object = {}, clipping: ClippingOptions = {}) => {
    const privacy = differentialPrivacy(fromTensors(data).batch(20), { epsilon: 5, epochs: 1, clipping });
    return fit(model, privacy.batches, {
      loss: crossEntropy(),
      optimizer: adam(),
      epochs: 1,
      ...options,
      training: { transforms: [privacy.transform] },
    } as never);
  };
  await expect(train(sequential([conv2d(4, 3), batchNorm(), flatten(), dense(3)]))).rejects.toThrow(
    /layers\.1 keeps statistics of the data \(layers\.1\.running_mean\).*groupNorm or layerNorm/,
  );
  // Distances from the mean of the batch.
  const mixed = (output: Value) => reduceMean(square(sub(output, reduceMean(output, 0, { keepDims: true }))), 1);
  await expect(train(sequential([flatten(), dense(3)]), images, { loss: against("y", mixed) })).rejects.toThrow(
    /computes across the samples of a batch/,
  );
  // One number, of which each sample's part is not known.
  const one = (output: Value) => sqrt(reduceMean(square(output)));
  await expect(train(sequential([flatten(), dense(3)]), images, { loss: one })).rejects.toThrow(
    /one number already; return one term a sample/,
  );
  const model = sequential([flatten(), dense(3)]);
  const pairs: Objective<{ x: Tensor; y: Tensor }> = (context, { x, y }) => {
    const output = model.apply(x, context);
    const alike = matmul(output, output, { transB: true });
    return { loss: add(reduceMean(square(alike)), mul(reduceMean(cast(y, "float32")), 0)) };
  };
  await expect(train(model, images, { loss: undefined, objective: pairs })).rejects.toThrow(
    /FusedMatMul computes across the samples of a batch/,
  );
  await expect(
    train(sequential([flatten(), dense(3)]), images, { loss: one }, { way: "alone" }),
  ).resolves.toBeDefined();
  const batches = fromTensors(images).batch(20);
  expect(() => differentialPrivacy(batches, { epsilon: 1, epochs: 1, delta: 0.5 })).toThrow(/delta.*200/);
  expect(() => differentialPrivacy(batches, { epsilon: 1e-9, delta: 1e-20, epochs: 10_000 })).toThrow(
    /out of reach.*fewer steps/,
  );
  expect(() => differentialPrivacy(fromIterable(() => [images]) as never, { epsilon: 1, epochs: 1 })).toThrow(
    /samples cannot be drawn.*stream.*fromTensors/,
  );
  const heavy = { ...images, weight: new Tensor("float32", [count], new Float32Array(count).fill(2)) };
  await expect(train(sequential([flatten(), dense(3)]), heavy)).rejects.toThrow(
    /has the weight 2; weights.*from 0 to 1/,
  );
  await expect(train(network(), images, {}, { way: "alone", rows: 1 })).resolves.toBeDefined();
});

test("without a key every training has another secret", async () => {
  const of = async () => {
    const privacy = differentialPrivacy(fromTensors(images).batch(20), { epsilon: 5, epochs: 1 });
    for await (const { x } of privacy.batches.epoch(0)) return x.data;
  };
  expect(await of()).not.toEqual(await of());
});

test("noise of the system's source does not repeat itself", async () => {
  const { secureNoise } = await import("./gaussian-noise.ts");
  const [first, second] = [secureNoise(20_000, 0, "w"), secureNoise(20_000, 0, "w")];
  expect(first).not.toEqual(second);
  const mean = first.reduce((sum, value) => sum + value, 0) / first.length;
  const variance = first.reduce((sum, value) => sum + value * value, 0) / first.length;
  expect(Math.abs(mean)).toBeLessThan(0.03);
  expect(Math.abs(variance - 1)).toBeLessThan(0.05);
  const large = first.filter((value) => Math.abs(value) > 2).length / first.length;
  expect(large).toBeCloseTo(0.0455, 2);
});
