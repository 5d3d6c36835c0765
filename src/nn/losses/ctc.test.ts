/** The CTC loss against PyTorch, against a sum over all alignments, and at its edges. */
import { describe, expect, test } from "vitest";
import { valueAndGrad } from "../../autodiff/transform.ts";
import { DataError, DTypeError, OptionError, ShapeError } from "../../core/errors.ts";
import { tensor } from "../../core/tensor.ts";
import { input, type Value } from "../../graph/ir.ts";
import { jit } from "../../jit/jit.ts";
import { add, logSoftmax } from "../../ops/index.ts";
import { expectClose, randomTensor } from "../testing/check-layer.ts";
import { fixture, type RecordedLoss } from "../testing/fixture.node.ts";
import { type CtcOptions, ctc } from "./ctc.ts";

const recorded = fixture<RecordedLoss>("losses");
/** Value and gradient with respect to logits: PyTorch's own gradient is only right after its log-softmax. */
const stepOf = (options?: CtcOptions) =>
  jit((x: Value, t: Value) => valueAndGrad((logits: Value) => ctc(options)(logSoftmax(logits), t))(x));

describe("as in PyTorch", () => {
  const cases: readonly (readonly [string, CtcOptions])[] = [
    ["ctc", {}],
    ["ctcLastBlank", { blank: 4 }],
    ["ctcLong", {}],
  ];
  test.each(cases)("%s", async (name, options) => {
    const { output, target, value, gradient } = recorded(name);
    const [found, slope] = await stepOf(options)(output, target);
    expectClose(found, tensor(value), "value");
    expectClose(slope, gradient, "gradient");
  });
});

/** -log of the summed probability of every alignment that reads as `labels` (Graves et al. 2006, eq. 3). */
function byEnumeration(probabilities: readonly (readonly number[])[], labels: readonly number[]): number {
  const classes = probabilities[0]?.length ?? 0;
  let total = 0;
  for (let code = 0; code < classes ** probabilities.length; code++) {
    const path = probabilities.map((_, t) => Math.floor(code / classes ** t) % classes);
    const read = path.filter((label, t) => label !== 0 && label !== path[t - 1]);
    if (read.join() === labels.join()) total += path.reduce((p, label, t) => p * (probabilities[t]?.[label] ?? 0), 1);
  }
  return -Math.log(total);
}

test("the probability of all alignments", async () => {
  const logits = randomTensor([1, 5, 3], 1);
  const rows = Array.from({ length: 5 }, (_, t) => {
    const weights = Array.from(logits.data.slice(3 * t, 3 * t + 3), Math.exp);
    return weights.map((weight) => weight / weights.reduce((a, b) => a + b));
  });
  for (const labels of [[1], [1, 2], [2, 2], [1, 2, 1]]) {
    const [value] = await stepOf()(logits, tensor([[...labels, -1]], { dtype: "int32" }));
    expect(value.item()).toBeCloseTo(byEnumeration(rows, labels) / labels.length, 5);
  }
});

describe("a target that does not fit into the steps", () => {
  const logits = randomTensor([1, 2, 3], 1);
  // Two equal labels need a blank between them: three steps.
  const long = tensor([[1, 1]], { dtype: "int64" });
  const short = tensor([[1, 2]], { dtype: "int64" });

  test("costs infinity", async () => {
    // Computed in the graph, where it is not checked.
    const step = jit((x: Value, t: Value) => valueAndGrad((y: Value) => ctc()(logSoftmax(y), add(t, 0)))(x));
    const [value, gradient] = await step(logits, long);
    expect(value.item()).toBe(Number.POSITIVE_INFINITY);
    expect(gradient.toNumbers().every(Number.isFinite)).toBe(true);
    expect((await step(logits, short))[0].item()).toBeLessThan(10);
  });

  test("is refused before it is fed", async () => {
    await expect(stepOf()(logits, long)).rejects.toThrow(DataError);
    await expect(stepOf()(logits, long)).rejects.toThrow(
      "row 0 has 2 labels (1, 1), which take 3 steps, a blank standing between equal ones, and the output has 2",
    );
    expect((await stepOf()(logits, short))[0].item()).toBeLessThan(10);
  });

  test("is refused by each of two heads on its own", async () => {
    const heads = jit((x: Value, y: Value, t: Value) => add(ctc()(logSoftmax(x), t), ctc()(logSoftmax(y), t)));
    await expect(heads(logits, randomTensor([1, 3, 3], 2), long)).rejects.toThrow("and the output has 2");
  });

  test("does not count if it is asked for", async () => {
    const two = randomTensor([2, 2, 3], 4);
    const step = stepOf({ zeroInfinity: true });
    const [value, gradient] = await step(two, tensor([long.toNumbers(), short.toNumbers()], { dtype: "int64" }));
    const kept = tensor(two.toNumbers().slice(6), { shape: [1, 2, 3] });
    const [alone, expected] = await stepOf()(kept, short);
    expectClose(value, alone, "mean of those that fit");
    expectClose(
      gradient,
      tensor([...new Array<number>(6).fill(0), ...expected.toNumbers()], { shape: [2, 2, 3] }),
      "gradient",
    );
  });
});

test("a label that is no class is refused", async () => {
  const step = stepOf();
  for (const label of [0, 3])
    await expect(step(randomTensor([1, 2, 3], 1), tensor([[label]], { dtype: "int64" }))).rejects.toThrow(
      `row 0 has the label ${label}, expected one of the classes 0 to 2 without the blank 0`,
    );
});

test("mistakes are reported while tracing", () => {
  const output = input("float32", [2, 5, 4]);
  expect(() => ctc()(output, input("int64", [3, 2]))).toThrow(
    "ctc: output is [2, 5, 4] and targets are [3, 2], expected [batch, time, classes] and [batch, labels]; put the batch first in both",
  );
  expect(() => ctc()(output, input("int64", [2, 0]))).toThrow(ShapeError);
  expect(() => ctc()(output, input("float32", [2, 2]))).toThrow(DTypeError);
  expect(() => ctc({ blank: 4 })(output, input("int64", [2, 2]))).toThrow(/has classes 0 to 3; pass one of them/);
  expect(() => ctc({ blank: -1 })).toThrow(OptionError);
});
