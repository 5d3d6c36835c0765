/** Auxiliary heads: traced always, part of the loss while training only. */
import { describe, expect, test } from "vitest";
import { OptionError } from "../../core/errors.ts";
import { keyOf } from "../../core/random.ts";
import { tensor } from "../../core/tensor.ts";
import { fromTensors } from "../../data/index.ts";
import { input, type Value } from "../../graph/ir.ts";
import { type Context, crossEntropy, dense, meanSquaredError } from "../../nn/index.ts";
import { constant, keyTensor } from "../../ops/index.ts";
import { evaluate, sgd, Trainer } from "../../train/index.ts";
import { GoogLeNet, InceptionV3 } from "../index.ts";
import { AuxiliaryClassifier, auxiliaryLoss } from "./auxiliary.ts";

/** y = w x, with one head v x beside it. */
class Tiny extends AuxiliaryClassifier {
  readonly kind = "container";
  readonly head = dense(1, { bias: false, initializer: "ones" });
  readonly main = dense(1, { bias: false, initializer: "ones" });
  protected call(x: Value, context: Context): Value {
    const logits = this.head.apply(x, context);
    return this.withAuxiliary(this.main.apply(x, context), [logits], context);
  }
}
const batch = { x: tensor([[2]]), y: tensor([[5]]) };

test("while training the loss adds the heads', weighted, and they learn", async () => {
  const model = new Tiny();
  const loss = auxiliaryLoss(model, meanSquaredError(), 0.5);
  const trainer = new Trainer(model, loss, sgd({ learningRate: 0.1 }));
  // (2 - 5)² for each.
  expect((await trainer.step(batch)).loss).toBeCloseTo(9 + 0.5 * 9, 5);
  // d/dw = 2 (2 - 5) 2 = -12, and half of it for the head.
  expect(model.parameters().get("main.weight")?.value?.item()).toBeCloseTo(1 + 1.2, 5);
  expect(model.parameters().get("head.weight")?.value?.item()).toBeCloseTo(1 + 0.6, 5);
});

test("in evaluation the loss is the main one's", async () => {
  const model = new Tiny();
  model.trace(batch.x);
  model.initialize(keyOf(1));
  const data = fromTensors(batch).batch(1);
  const { results } = await evaluate(model, data, { loss: auxiliaryLoss(model, meanSquaredError()), metrics: [] });
  expect(results["loss"]).toBeCloseTo(9, 5);
});

test("the loss keeps what the one it wraps says of its targets", () => {
  const output = input("float32", [2, 7]);
  expect(auxiliaryLoss(new Tiny(), crossEntropy()).classesOf?.(output)).toBe(7);
});

test("a value that is no output is told", () => {
  expect(() => new Tiny().auxiliary(input("float32", [1, 1]))).toThrow(OptionError);
});

describe("of the architectures", () => {
  const cases = [
    ["googlenet", (auxiliary: boolean) => new GoogLeNet({ classes: 7, auxiliary }), 224, 2],
    ["inception_v3", (auxiliary: boolean) => new InceptionV3({ classes: 7, auxiliary }), 299, 1],
  ] as const;
  test.each(cases)("%s", (_, build, extent, heads) => {
    const type = { dtype: "float32", shape: [2, 3, extent, extent] } as const;
    const training = { training: true, key: constant(keyTensor(keyOf(1))) };
    const model = build(true);
    expect(model.auxiliary(model.trace(type).y)).toEqual([]);
    const logits = model.auxiliary(model.trace(type, training).y);
    expect(logits.map(({ shape }) => shape)).toEqual(new Array(heads).fill([2, 7]));
    const without = build(false);
    expect(without.auxiliary(without.trace(type, training).y)).toEqual([]);
  });
});
