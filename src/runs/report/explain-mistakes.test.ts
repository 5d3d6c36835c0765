/** Mistakes with what speaks for their predictions: by kind of input, within the time, and as they are where nothing explains them. */
import { describe, expect, test } from "vitest";
import { type Tensor, tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import { lambda } from "../../nn/index.ts";
import * as ops from "../../ops/index.ts";
import type { Task } from "../recipes/recipe.ts";
import { explainedMistakes } from "./explain-mistakes.ts";
import { mistakesOf } from "./mistakes.ts";
import type { TestOutputs } from "./outputs.ts";

/** The first two of the numbers of a sample, as scores. */
const firstTwo = lambda((x: Value) => {
  const samples = x.shape[0] ?? 1;
  const numbers = x.shape.slice(1).reduce((a, b) => a * b, 1);
  return ops.slice(ops.reshape(x, [samples, numbers]), { axis: 1, start: 0, end: 2 });
});

const outputsOf = (inputs: readonly Tensor[]): TestOutputs => ({
  kind: "classes",
  samples: [],
  rows: undefined,
  worst: inputs.map((input, sample) => ({ sample, actual: 0, predicted: 1, confidence: 0.9, loss: 2, input })),
});

const explained = (task: Partial<Task>, inputs: readonly Tensor[], seconds?: number) => {
  const outputs = outputsOf(inputs);
  const whole = { model: firstTwo, classes: ["cat", "dog"], ...task } as Task;
  return explainedMistakes(whole, outputs, mistakesOf(outputs, whole), seconds);
};

describe("by the kind of input", () => {
  test("numbers have bars of what speaks for the predicted class", async () => {
    const [mistake] = await explained({}, [tensor([3, 5, 7])]);
    expect(mistake?.explained?.method).toBe("integrated-gradients");
    expect(mistake?.explained?.bars?.map(({ shown, value }) => [shown, Math.round(value ?? 0)])).toEqual([
      ["3", 0],
      ["5", 5],
      ["7", 0],
    ]);
    expect(mistake).toMatchObject({ actual: "cat", predicted: "dog" });
  });

  test("images have a map as a PNG, with the value of its full colours", async () => {
    const format = { image: { height: 2, width: 2, channels: 1 } } as const;
    const [mistake] = await explained({ format }, [
      tensor([
        [
          [0, 0.5],
          [1, 0],
        ],
      ]),
    ]);
    expect(mistake?.explained?.map).toMatch(/^data:image\/png;base64,/);
    expect(mistake?.explained?.bound).toBeCloseTo(0.5, 5);
  });

  test("a row of many columns is explained by leaving each out", async () => {
    const statistics = { fill: 0, mean: 0, deviation: 1, edges: [0, 1], hasMissing: false };
    const fields = Array.from({ length: 13 }, (_, i) => ({
      name: `c${i}`,
      kind: "number",
      decimalComma: false,
      statistics,
    }));
    const [mistake] = await explained({ format: { table: { fields } } as never }, [
      tensor(Array.from({ length: 13 }, (_, i) => i + 1)),
    ]);
    expect(mistake?.explained?.method).toBe("occlusion");
    expect(mistake?.explained?.bars?.[0]).toEqual({ name: "c1", shown: "2", value: 2 });
    expect(mistake?.explained?.bars).toHaveLength(8);
    expect(mistake?.explained?.bars?.at(-1)?.name).toBe("6 others");
  });
});

test("a method of fewer runs is taken where the time would not suffice for the usual one", async () => {
  const [mistake] = await explained({}, [tensor([3, 5])], 1e-3);
  expect(mistake?.explained?.method).toBe("input-times-gradient");
});

test("when the time is over, and where no method explains a model, mistakes are as they were", async () => {
  const inputs = [tensor([3, 5]), tensor([1, 2])];
  expect((await explained({}, inputs, 0)).map(({ explained: own }) => own)).toEqual([undefined, undefined]);
  const refuses = lambda((): Value => {
    throw new Error("no");
  });
  const kept = await explained({ model: refuses }, inputs);
  expect(kept).toHaveLength(2);
  expect(kept.every((mistake) => !("explained" in mistake))).toBe(true);
});
