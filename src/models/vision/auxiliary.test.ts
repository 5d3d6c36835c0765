/** Auxiliary heads: traced always, part of the loss while training only. */
import { describe, expect, test } from "vitest";
import { OptionError } from "../../core/errors.ts";
import { keyOf } from "../../core/random.ts";
import { tensor } from "../../core/tensor.ts";
import { fromTensors } from "../../data/index.ts";
import { input, Value } from "../../graph/ir.ts";
import { against, type Context, crossEntropy, dense, Module, meanSquaredError } from "../../nn/index.ts";
import { constant, keyTensor, reduceMean } from "../../ops/index.ts";
import { Trainer } from "../../train/engine/trainer.ts";
import { evaluate } from "../../train/evaluate.ts";
import { sgd } from "../../train/optimizers/index.ts";
import { GoogLeNet, InceptionV3 } from "../index.ts";
import { type AuxiliaryOutputs, auxiliaryLoss, withAuxiliary } from "./auxiliary.ts";

/** y = w x, with one head v x beside it. */
class Tiny extends Module<Value, Value | AuxiliaryOutputs> {
  readonly head = dense(1, { bias: false, initializer: "ones" });
  readonly main = dense(1, { bias: false, initializer: "ones" });
  protected call(x: Value, context: Context): Value | AuxiliaryOutputs {
    const logits = this.head.apply(x, context);
    return withAuxiliary(this.main.apply(x, context), [logits], context);
  }
}
const batch = { x: tensor([[2]]), y: tensor([[5]]) };

test("while training the loss adds the heads', weighted, and they learn", async () => {
  const model = new Tiny();
  const loss = auxiliaryLoss(meanSquaredError(), 0.5);
  const trainer = new Trainer(model, { loss, optimizer: sgd({ learningRate: 0.1 }) });
  // (2 - 5)² for each.
  expect((await trainer.step(batch)).loss).toBeCloseTo(9 + 0.5 * 9, 5);
  // d/dw = 2 (2 - 5) 2 = -12, and half of it for the head.
  expect(model.parameters().get("main.weight")?.value?.item()).toBeCloseTo(1 + 1.2, 5);
  expect(model.parameters().get("head.weight")?.value?.item()).toBeCloseTo(1 + 0.6, 5);
});

test("in evaluation the loss is the main one's", async () => {
  const model = new Tiny();
  model.trace(batch.x);
  // The head's weight exists without training, too.
  expect([...model.parameters().keys()]).toEqual(["head.weight", "main.weight"]);
  model.initialize(keyOf(1));
  const data = fromTensors(batch).batch(1);
  const { results } = await evaluate(model, data, { loss: auxiliaryLoss(meanSquaredError()) });
  expect(results["loss"]).toBeCloseTo(9, 5);
});

test("the loss keeps what the one it wraps says of its targets, and metrics read the logits", () => {
  const [logits, head] = [input("float32", [2, 7]), input("float32", [2, 7])];
  const { ignoreIndex, target, predictions } = auxiliaryLoss(against("label", crossEntropy({ ignoreIndex: -1 })));
  expect([ignoreIndex, target]).toEqual([-1, "label"]);
  expect(predictions?.(logits)).toBe(logits);
  expect(predictions?.({ logits, auxiliary: [head] })).toBe(logits);
});

test("a loss without terms is refused", () => {
  expect(() => auxiliaryLoss((output: Value) => reduceMean(output))).toThrow(OptionError);
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
    expect(model.trace(type).output).toBeInstanceOf(Value);
    const output = model.trace(type, training).output as AuxiliaryOutputs;
    expect(output.logits.shape).toEqual([2, 7]);
    expect(output.auxiliary.map(({ shape }) => shape)).toEqual(new Array(heads).fill([2, 7]));
    expect(build(false).trace(type, training).output).toBeInstanceOf(Value);
  });
});
