/** Adapters against PyTorch's numbers, recorded by scripts/record-adapter-fixtures.py. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Tensor } from "../../core/tensor.ts";
import { fromTensors } from "../../data/index.ts";
import { fill, integers, signed } from "../../models/testing/fill.ts";
import { crossEntropy, type Module, quantizeFrozen } from "../../nn/index.ts";
import { adam, fit, type Optimizer, predict, sgd } from "../../train/index.ts";
import { smallGpt2 } from "../testing/models.ts";
import { network } from "../testing/peft-files.ts";
import { addIa3 } from "./ia3.ts";
import { addLora, type LoraOptions } from "./lora.ts";
import { merge } from "./merge.ts";

interface Recorded {
  readonly outputs: readonly number[];
  readonly loss: number;
  readonly gradients: Readonly<Record<string, readonly number[]>>;
  readonly after: Readonly<Record<string, readonly number[]>>;
}
const { cases }: { readonly cases: Readonly<Record<string, Recorded>> } = JSON.parse(
  readFileSync("test/fixtures/train/adapters.json", "utf8"),
);

const whole = (name: string, shape: readonly number[], limit: number) =>
  new Tensor("int32", shape, Int32Array.from(integers(name, shape, limit).data, Number));
const images = {
  make: network,
  x: signed("x", [5, 1, 6, 6]),
  y: whole("y", [5], 3),
};
const text = { make: smallGpt2, x: whole("ids", [2, 6], 20), y: whole("labels", [2, 6], 20) };

const rank = { rank: 4, alpha: 8 };
const ofImages = ["layers.0", "layers.2"];
const ofText = ["c_attn", "mlp.c_proj"];
const lora = (options: Partial<LoraOptions>) => (model: Module) => addLora(model, { ...rank, ...options });
const kinds = {
  "lora images": [images, lora({ targets: ofImages })],
  "dora images": [images, lora({ targets: ofImages, dora: true })],
  "ia3 images": [images, (model: Module) => addIa3(model, { targets: "layers.0", feedForward: "layers.2" })],
  "lora text": [text, lora({ targets: ofText })],
  "rslora text": [text, lora({ targets: ofText, scaling: { rankStabilized: true } })],
  "dora text": [text, lora({ targets: ofText, dora: true })],
  "qlora text": [text, lora({ targets: ofText })],
  "lora embedding": [text, lora({ targets: "*wte" })],
  "dora embedding": [text, lora({ targets: "*wte", dora: true })],
  "ia3 text": [text, (model: Module) => addIa3(model, { targets: "c_attn", feedForward: "mlp.c_proj" })],
} as const;

const largest = (values: readonly number[]) => Math.max(...values.map(Math.abs));
/** The largest difference, relative to the largest number. */
const apart = (a: readonly number[], b: readonly number[]) =>
  largest(a.map((value, i) => value - (b[i] ?? Number.NaN))) / largest(b);

/** The model of a case with its adapter, all tensors as the script has them. */
async function made(kind: keyof typeof kinds) {
  const [{ make, x, y }, add] = kinds[kind];
  const model = make();
  fill(model);
  if (kind === "qlora text") {
    model.freeze();
    quantizeFrozen(model, { bits: 4 });
  }
  const set = await add(model);
  fill(model, 0.25, ({ trainable }) => trainable);
  const trained = () =>
    Object.fromEntries(
      [...model.parameters()].flatMap(([path, { trainable, value }]) =>
        trainable ? [[path, value?.toNumbers() ?? []]] : [],
      ),
    );
  const train = (optimizer: Optimizer, epochs: number) =>
    fit(model, fromTensors({ x, y }).batch(x.shape[0] ?? 1), { loss: crossEntropy(), optimizer, epochs });
  return { model, set, x, trained, train, outputs: async () => (await predict(model, x)).toNumbers() };
}

test("every recorded case is tested", () => {
  expect(Object.keys(kinds)).toEqual(Object.keys(cases));
});

// float32 against float64, of which the file has 7 digits.
describe.each(Object.keys(kinds) as (keyof typeof kinds)[])("%s", (kind) => {
  const { outputs, loss, gradients, after } = cases[kind] as Recorded;

  test("outputs, loss and gradients", async () => {
    const own = await made(kind);
    expect(apart(await own.outputs(), outputs)).toBeLessThan(1e-5);
    const before = own.trained();
    expect(Object.keys(before).sort()).toEqual(Object.keys(gradients).sort());
    // A step takes so many gradients off, more than the tensors' own rounding.
    const rate = 64;
    const { history } = await own.train(sgd({ learningRate: rate }), 1);
    expect(history[0]?.loss).toBeCloseTo(loss, 5);
    const now = own.trained();
    for (const [path, expected] of Object.entries(gradients)) {
      const gradient = (before[path] ?? []).map((value, i) => (value - (now[path]?.[i] ?? 0)) / rate);
      expect(apart(gradient, expected), path).toBeLessThan(1e-5);
    }
  });

  test("three steps of Adam", async () => {
    const own = await made(kind);
    await own.train(adam({ learningRate: 0.01 }), 3);
    const now = own.trained();
    for (const [path, expected] of Object.entries(after))
      expect(apart(now[path] ?? [], expected), path).toBeLessThan(1e-5);
  });

  // The scores of tokens read the same table, which cannot take up what stands beside one of its uses.
  test.skipIf(kind.endsWith("embedding"))("merged equals unmerged", async () => {
    const { set, x, outputs: ask } = await made(kind);
    const { difference } = await merge<unknown, never>(set as never, { probe: x });
    expect(difference).toBeLessThan(1e-5);
    expect(apart(await ask(), outputs)).toBeLessThan(1e-5);
  });
});
