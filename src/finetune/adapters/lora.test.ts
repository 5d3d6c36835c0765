/** LoRA and DoRA beside convolutions and dense layers. */
import { describe, expect, test } from "vitest";
import { keyOf, Random } from "../../core/random.ts";
import { Tensor } from "../../core/tensor.ts";
import { fromTensors } from "../../data/index.ts";
import { type AnyModule, conv2d, crossEntropy, dense, flatten, type Module, sequential } from "../../nn/index.ts";
import { adam, fit, predict } from "../../train/index.ts";
import { addLora } from "./lora.ts";
import { merge } from "./merge.ts";

const random = new Random(keyOf(7));
const normal = (...shape: number[]) =>
  new Tensor(
    "float32",
    shape,
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
  );

const network = () => {
  const model = sequential([
    conv2d(6, 3, { activation: "relu" }),
    flatten(),
    dense(8, { activation: "tanh" }),
    dense(3),
  ]);
  model.initialize(keyOf(1), { dtype: "float32", shape: [4, 1, 6, 6] });
  return model;
};
const x = normal(12, 1, 6, 6);
const y = new Tensor(
  "int32",
  [12],
  Int32Array.from({ length: 12 }, (_, i) => i % 3),
);
const data = () => fromTensors({ x, y }).batch(12);
const train = (model: AnyModule, epochs = 20) =>
  fit(model, data(), { loss: crossEntropy(), optimizer: adam({ learningRate: 0.01 }), epochs });

const numbers = async (model: Module) => (await predict(model, x)).toNumbers();
const largest = (values: readonly number[]) => Math.max(...values.map(Math.abs));
const apart = (a: readonly number[], b: readonly number[]) =>
  largest(a.map((value, i) => value - (b[i] ?? 0))) / largest(a);

describe.each([{ dora: false }, { dora: true }])("beside convolutions and dense layers, %o", (variant) => {
  test("outputs are those of the base at first, and only the adapter learns", async () => {
    const model = network();
    const base = await numbers(model);
    const before = new Map([...model.parameters()].map(([path, { value }]) => [path, value?.toNumbers()]));
    const set = await addLora(model, { rank: 2, alpha: 4, targets: ["layers.0", "layers.2"], ...variant });
    expect(await numbers(model)).toEqual(base);
    const paths = [...model.parameters()].flatMap(([path, { trainable }]) => (trainable ? [path] : []));
    const names = ["lora_A.weight", "lora_B.weight", ...(variant.dora ? ["lora_magnitude_vector"] : [])];
    expect(paths.sort()).toEqual(["layers.0", "layers.2"].flatMap((layer) => names.map((name) => `${layer}.${name}`)));
    await train(model);
    for (const [path, value] of before) expect(model.parameters().get(path)?.value?.toNumbers(), path).toEqual(value);
    const adapted = await numbers(model);
    expect(apart(adapted, base)).toBeGreaterThan(0.01);
    const { difference, unmerge } = await merge(set, { probe: x });
    expect(difference).toBeLessThan(1e-5);
    expect([...model.parameters().keys()].some((path) => path.includes("lora"))).toBe(false);
    expect(apart(adapted, await numbers(model))).toBeLessThan(1e-5);
    await unmerge();
    expect(await numbers(model)).toEqual(adapted);
    await set.use(undefined);
    expect(apart(base, await numbers(model))).toBeLessThan(variant.dora ? 1e-6 : 1e-12);
  });
});
