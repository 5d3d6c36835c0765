/** Training on a graphics card of software gives what training on the processor gives, with every kind of optimizer and transform. */
import { describe, expect, test } from "vitest";
import { hasSoftwareGpu } from "../../../test/software-gpu.ts";
import { DataError } from "../../core/errors.ts";
import { Tensor, tensor } from "../../core/tensor.ts";
import { crossEntropy, dense, sequential } from "../../nn/index.ts";
import { Trainer } from "../engine/trainer.ts";
import type { TrainingOptions } from "../engine/training-options.ts";
import { adam, adamw, lamb, muon, type Optimizer, sgd } from "../optimizers/index.ts";
import { predict } from "../predict.ts";
import { clipValue, gradientNorms } from "../transforms/index.ts";

const waves = (length: number) => Float32Array.from({ length }, (_, i) => Math.sin(1.7 * i) + Math.cos(0.37 * i));
const batch = { x: new Tensor("float32", [6, 5], waves(30)), y: tensor([0, 1, 2, 1, 0, 2], { dtype: "int32" }) };
const network = () => sequential([dense(7, { activation: "tanh" }), dense(3)]);

/** What four steps and a flush come to: what was measured, what is kept, what the model then says. */
async function trained(device: "cpu" | "webgpu", optimizer: Optimizer, training: TrainingOptions) {
  const model = network();
  const trainer = new Trainer(model, {
    loss: crossEntropy(),
    optimizer,
    training: { ...training, compile: { device, threads: 1 } },
  });
  const measured: number[] = [];
  for (let i = 0; i < 4; i++) {
    const { loss, gradientNorm, reports } = await trainer.step(batch);
    measured.push(loss, gradientNorm, ...Object.values(reports["gradientNorms"] ?? {}));
  }
  await trainer.flush();
  await trainer.sync();
  const { tensors } = trainer.state();
  const kept = Object.fromEntries(Object.entries(tensors).map(([name, own]) => [name, own.toNumbers()]));
  await trainer.release();
  return { measured, kept, said: (await predict(model, batch.x)).toNumbers() };
}

const editing: TrainingOptions["transforms"] = [
  {
    name: "halves",
    bind: () => ({
      apply: (gradients) =>
        gradients.edit((gradient) => {
          for (const [i, element] of gradient.entries()) gradient[i] = element / 2;
        }),
    }),
  },
];

describe.skipIf(!hasSoftwareGpu)("on a graphics card as on the processor", () => {
  test.each<readonly [string, Optimizer, TrainingOptions]>([
    ["adam, clipped", adam({ learningRate: 0.01 }), { clipNorm: 0.2 }],
    [
      "adamw, its biases without decay",
      adamw({ weightDecay: 0.1 }),
      { groups: [{ parameters: /bias$/, weightDecayScale: 0 }] },
    ],
    ["sgd with momentum, accumulated", sgd({ learningRate: 0.1, momentum: 0.9 }), { accumulate: 3 }],
    ["lamb", lamb({ learningRate: 0.01 }), {}],
    ["muon", muon({ learningRate: 0.01 }), {}],
    [
      "two optimizers, values cut off, norms told",
      adam(),
      {
        groups: [{ parameters: "layers.1", optimizer: sgd({ learningRate: 0.1 }) }],
        transforms: [clipValue(0.05), gradientNorms()],
      },
    ],
    ["gradients edited on the host", sgd({ learningRate: 0.1 }), { transforms: editing }],
  ])("%s", async (_, optimizer, training) => {
    const [there, here] = [await trained("webgpu", optimizer, training), await trained("cpu", optimizer, training)];
    expect(Object.keys(there.kept).sort()).toEqual(Object.keys(here.kept).sort());
    const pairs: (readonly [readonly number[] | undefined, readonly number[]])[] = [
      [there.measured, here.measured],
      [there.said, here.said],
      ...Object.entries(here.kept).map(([name, expected]) => [there.kept[name], expected] as const),
    ];
    for (const [actual, expected] of pairs)
      for (const [i, element] of expected.entries()) expect(actual?.[i]).toBeCloseTo(element, 4);
  });

  test("what is on the card is not read by mistake, and what is put into a parameter counts", async () => {
    const model = network();
    const options = { loss: crossEntropy(), optimizer: sgd({ learningRate: 0.1 }) };
    const trainer = new Trainer(model, { ...options, training: { compile: { device: "webgpu" } } });
    await trainer.step(batch);
    const bias = model.parameters().get("layers.1.bias");
    expect(() => bias?.value?.data).toThrow(DataError);
    expect(() => trainer.state().tensors["layers.1.bias"]?.toNumbers()).toThrow(/await trainer.sync\(\)/);
    if (bias) bias.value = tensor([100, 0, 0]);
    expect((await trainer.step(batch)).loss).toBeGreaterThan(50);
    await trainer.sync();
    expect(bias?.value?.toNumbers()[0]).toBeCloseTo(100, 0);
    await trainer.release();
    // A trainer that was let go of goes on where it was.
    expect((await trainer.step(batch)).loss).toBeGreaterThan(50);
    await trainer.release();
  });

  test("what is frozen is sent once, and what is put in its place counts", async () => {
    const stepped = async (device: "cpu" | "webgpu") => {
      const model = network();
      const trainer = new Trainer(model, {
        loss: crossEntropy(),
        optimizer: sgd({ learningRate: 0.1 }),
        training: { compile: { device, threads: 1 } },
      });
      await trainer.step(batch);
      model.freeze("layers.0");
      const losses = [(await trainer.step(batch)).loss, (await trainer.step(batch)).loss];
      const weight = model.parameters().get("layers.0.weight");
      if (weight)
        weight.value = new Tensor(
          "float32",
          weight.shape,
          waves(35).map((element) => 3 * element),
        );
      losses.push((await trainer.step(batch)).loss);
      model.unfreeze();
      losses.push((await trainer.step(batch)).loss, (await trainer.step(batch)).loss);
      await trainer.release();
      return losses;
    };
    const [there, here] = [await stepped("webgpu"), await stepped("cpu")];
    for (const [i, expected] of here.entries()) expect(there[i]).toBeCloseTo(expected, 4);
    expect(Math.abs((here[2] ?? 0) - (here[1] ?? 0))).toBeGreaterThan(0.001);
  });
});
