/** Training as in 8 bits: what is computed in training is what the file computes, and it learns. */
import { describe, expect, test } from "vitest";
import { keyOf, Random } from "../../core/random.ts";
import { Tensor } from "../../core/tensor.ts";
import { type Batch, type Dataset, fromTensors } from "../../data/index.ts";
import {
  type AnyModule,
  activation,
  batchNorm,
  conv2d,
  crossEntropy,
  dense,
  flatten,
  maxPool2d,
  sequential,
} from "../../nn/index.ts";
import { accuracy, adam, evaluate, fit, predict } from "../../train/index.ts";
import { outputsOf } from "../testing/file-outputs.ts";
import { quantizationAware } from "./quantization-aware.ts";
import { quantizeStatic } from "./static.ts";

const types = { dtype: "float32", shape: [1, 1, 8, 8] } as const;
const random = new Random(keyOf(1));

/** Images whose brighter half is the class: left, right, upper, lower. */
const images = (count: number): Dataset<Batch> => {
  const y = Int32Array.from({ length: count }, () => random.integer(4));
  const x = Float32Array.from({ length: count * 64 }, (_, i) => {
    const [row, column] = [Math.floor((i % 64) / 8), i % 8];
    const bright = [column < 4, column >= 4, row < 4, row >= 4][y[Math.floor(i / 64)] as number];
    return 0.9 * random.normal() + Number(bright);
  });
  return fromTensors({ x: new Tensor("float32", [count, 1, 8, 8], x), y: new Tensor("int32", [count], y) }).batch(
    20,
  ) as never;
};

async function trained(): Promise<AnyModule> {
  const model = sequential([
    conv2d(4, 3, { padding: "same" }),
    batchNorm(),
    activation("relu"),
    maxPool2d(2),
    conv2d(8, 3, { padding: "same", activation: "relu" }),
    flatten(),
    dense(4),
  ]);
  model.initialize(keyOf(2), types);
  await fit(model, train, { loss: crossEntropy(), optimizer: adam({ learningRate: 3e-3 }), epochs: 4 });
  return model;
}
const [train, held] = [images(200), images(100)];
const measured = { loss: crossEntropy(), metrics: [accuracy()] };
const firstOf = async (data: Dataset<Batch>): Promise<Tensor> => {
  for await (const { x } of data.epoch(0)) return x as Tensor;
  throw new Error("no data");
};
const largest = (a: Float32Array, b: Float32Array) =>
  Math.max(...Array.from(a, (x, i) => Math.abs(x - (b[i] as number))));

describe.each([{ learned: false }, { learned: true }])("with %o steps", ({ learned }) => {
  test("the network computes in training what the file computes, before and after it has learned", async () => {
    const network = await trained();
    const { model, quantized } = await quantizationAware(network, train, { inputs: types, learned });
    const x = await firstOf(held);
    const compare = async () => {
      const own = (await predict(model, x as never)) as unknown as Tensor<"float32">;
      const file = await outputsOf(quantized().bytes, x);
      const size = Math.max(...own.data.map(Math.abs));
      // One step of an output that was rounded, where a sum falls on the other side of a half.
      expect(largest(own.data, file)).toBeLessThan(0.03 * size);
      return own.data.slice();
    };
    const before = await compare();
    // As it begins it is what quantizing gives.
    const plain = await quantizeStatic(network, train, { inputs: types });
    expect(largest(before, await outputsOf(plain.bytes, x))).toBeLessThan(0.05 * Math.max(...before.map(Math.abs)));
    const ranges = () =>
      [...model.parameters()].flatMap(([path, { value }]) =>
        /quantization_/.test(path) ? [...(value?.data ?? [])] : [],
      );
    const start = ranges();
    const { results: first } = await evaluate(model, train, measured as never);
    await fit(model, train, { loss: crossEntropy(), optimizer: adam({ learningRate: 1e-3 }), epochs: 4 });
    const { results: second } = await evaluate(model, train, measured as never);
    expect(second["loss"]).toBeLessThan(first["loss"] ?? 0);
    expect(ranges().some((own, i) => own !== start[i])).toBe(true);
    await compare();
    // The file holds no rounding of the training.
    const { layers, bytes } = quantized({ metadata: { made: "here" } });
    expect(layers).toHaveLength(3);
    expect(Buffer.from(bytes).includes("quantization_")).toBe(false);
  });
});

test("layers that are named stay as they are", async () => {
  const aware = await quantizationAware(await trained(), train, {
    inputs: types,
    ranges: "percentile",
    keep: "layers.6",
  });
  const { kept, layers, bytes } = aware.quantized();
  expect([kept, layers.length]).toEqual([["layers.6"], 2]);
  const x = await firstOf(held);
  const own = (await predict(aware.model, x as never)) as unknown as Tensor<"float32">;
  expect(largest(own.data, await outputsOf(bytes, x))).toBeLessThan(0.03 * Math.max(...own.data.map(Math.abs)));
});

test("what does not fit is refused", async () => {
  const network = await trained();
  await expect(quantizationAware(network, train, { inputs: types, momentum: 2 } as never)).rejects.toThrow(/momentum/);
  await expect(quantizationAware(network, train, { inputs: types, keep: /./ })).rejects.toThrow(
    /no convolution or dense layer/,
  );
});
