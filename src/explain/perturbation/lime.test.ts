/** LIME: the terms of linear models, scikit-learn's coefficients of one that is not, groups, keys, and what is refused. */
import { describe, expect, test } from "vitest";
import { keyOf } from "../../core/random.ts";
import { tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import { lambda } from "../../nn/index.ts";
import { expectClose } from "../../nn/testing/check-layer.ts";
import * as ops from "../../ops/index.ts";
import { messageOf, recorded } from "../testing/recorded.ts";
import { lime } from "./lime.ts";

const scoring = (compute: (x: Value) => Value) => lambda((x: Value) => ops.reshape(compute(x), [x.shape[0] ?? 1, 1]));
const linear = (weights: readonly number[]) =>
  scoring((x) => ops.add(3, ops.matmul(x, ops.constant(tensor(weights.map((w) => [w]))))));
const column = (x: Value, i: number) => ops.slice(x, { axis: 1, start: i, end: i + 1 });
/** x1 x2 + 2 x3, which is not linear in what is present. */
const product = scoring((x) => ops.add(ops.mul(column(x, 0), column(x, 1)), ops.mul(2, column(x, 2))));

describe("lime", () => {
  test("has the terms of a linear model, from a baseline, of all coalitions and of drawn ones", async () => {
    const few = await lime(linear([2, -1, 0.5]), tensor([[1, 4, -2]]), {
      baseline: tensor([[1, 1, 1]]),
      surrogate: { ridge: 1e-9 },
    });
    expectClose(few.values, tensor([[0, -3, -1.5]]), "all");
    expect(few.fit).toBeCloseTo(1, 6);
    expect(few.intercept).toBeCloseTo(3 + 1.5, 4);
    expect(few.notes).toEqual([]);
    const weights = Array.from({ length: 30 }, (_, i) => i - 14.5);
    const many = await lime(linear(weights), tensor([weights.map(() => 0.5)]), { surrogate: { ridge: 1e-9 } });
    expectClose(many.values, tensor([weights.map((w) => w / 2)]), "drawn");
  });

  test("is scikit-learn's ridge regression by the same weights", async () => {
    const { coefficients, intercept, fit, ridge, width } = recorded["lime"] as {
      readonly coefficients: number[];
      readonly [name: string]: unknown;
    } & Readonly<Record<"intercept" | "fit" | "ridge" | "width", number>>;
    const own = await lime(product, tensor([[1, 3, 2]]), { surrogate: { ridge, width } });
    expectClose(tensor(own.features), tensor(coefficients), "coefficients");
    expect(own.intercept).toBeCloseTo(intercept, 5);
    expect(own.fit).toBeCloseTo(fit, 5);
  });

  test("says where the fit is poor, and where samples are too few", async () => {
    // The parity of two signs: no linear model says anything of it.
    const parity = scoring((x) => ops.mul(ops.sub(ops.mul(2, column(x, 0)), 1), ops.sub(ops.mul(2, column(x, 1)), 1)));
    const { fit, notes } = await lime(parity, tensor([[1, 1]]), { surrogate: { width: 10 } });
    expect(fit).toBeLessThan(0.1);
    expect(notes[0]).toMatch(/^the linear model explains \d % of the scores' variance near the sample/);
    const wide = await lime(linear(new Array(40).fill(1)), tensor([new Array(40).fill(1)]), {
      surrogate: { samples: 20 },
    });
    expect(wide.notes.at(-1)).toBe("20 samples are no more than the 40 features; draw more, or group elements");
  });

  test("takes elements in groups, and draws by the key", async () => {
    const groups = tensor([[0, 0, 1, 1]], { dtype: "int32" });
    const grouped = await lime(linear([1, 2, 3, 4]), tensor([[1, 1, 1, 1]]), { groups, surrogate: { ridge: 1e-9 } });
    expectClose(grouped.values, tensor([[1.5, 1.5, 3.5, 3.5]]), "values");
    const wave = scoring((x) => ops.sin(ops.reduceSum(x, [1])));
    const x = tensor([Array.from({ length: 14 }, (_, i) => i / 7)]);
    const of = async (key: number) => (await lime(wave, x, { surrogate: { samples: 100 }, key: keyOf(key) })).features;
    expect(await of(1)).toEqual(await of(1));
    expect(await of(1)).not.toEqual(await of(2));
  });

  test("refuses groups that do not fit, and options that are none", async () => {
    const model = linear([1, 2, 3]);
    const bad = (options: object) => messageOf(lime(model, tensor([[1, 1, 1]]), options));
    expect(await bad({ groups: tensor([[0, 2, 2]], { dtype: "int32" }) })).toMatch(
      /^OptionError: lime: groups have no element of feature 1/,
    );
    expect(await bad({ baseline: tensor([[0, 1]]) })).toMatch(/^ShapeError: the baseline is \[1, 2\]/);
    const pixels = tensor(new Array(5000).fill(1)).reshape([1, 5000]);
    expect(
      await messageOf(
        lime(
          scoring((x) => ops.reduceSum(x, [1])),
          pixels,
        ),
      ),
    ).toBe(
      "OptionError: lime: the input has 5000 features, of which a linear model takes 4096 at most; pass groups of elements",
    );
    expect(await bad({ surrogate: { width: 0 } })).toMatch(/width is 0; pass a number above 0/);
    expect(await bad({ surrogate: { samples: 1 } })).toMatch(/samples is 1; pass a whole number from 2/);
  });
});
