/** Infidelity and sensitivity: by hand on linear models and a square, maps that say nothing, and what is refused. */
import { describe, expect, test } from "vitest";
import { keyOf } from "../../core/random.ts";
import { type Tensor, tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import { lambda } from "../../nn/index.ts";
import * as ops from "../../ops/index.ts";
import type { Attribution } from "../attribution.ts";
import { gradCam } from "../cam/grad-cam.ts";
import { integratedGradients } from "../gradients/integrated-gradients.ts";
import { saliency } from "../gradients/saliency.ts";
import { image, messageOf, network } from "../testing/recorded.ts";
import { infidelity } from "./infidelity.ts";
import { maxSensitivity } from "./max-sensitivity.ts";

const scoring = (compute: (x: Value) => Value) => lambda((x: Value) => ops.reshape(compute(x), [x.shape[0] ?? 1, 1]));
const linear = scoring((x) => ops.matmul(x, ops.constant(tensor([[2], [-1], [3]]))));
const x = tensor([[1, 2, -1]]);
const byHand = (values: Tensor, method = "by hand"): Attribution => ({
  method,
  values: values as Tensor<"float32">,
  target: 0,
  score: 0,
  notes: [],
});

describe("infidelity", () => {
  test("is 0 of the shares and of the gradient of a linear model", async () => {
    const shares = await infidelity(linear, x, await integratedGradients(linear, x));
    expect(shares.infidelity).toBeLessThan(1e-9);
    const gradient = await infidelity(linear, x, await saliency(linear, x, { absolute: false }));
    expect(gradient.infidelity).toBeLessThan(1e-9);
    expect([shares.notes, gradient.notes]).toEqual([[], []]);
  });

  test("is that of zeros by hand, and notes maps that say nothing", async () => {
    // Shares 2, -2, -3, each removed or not with even odds: E (Σ z c)² = (Σ c² + (Σ c)²) / 4 = (17 + 9) / 4
    const none = await infidelity(linear, x, byHand(tensor([[0, 0, 0]])), { samples: 4000 });
    expect(Math.abs(none.infidelity - 6.5)).toBeLessThan(0.4);
    expect(none.zeros).toBe(none.infidelity);
    expect(none.notes[0]).toMatch(/^by hand predicts the score under removal no better than zeros do/);
    // Noise of deviation 0.1 · 3: E (I·w)² = 0.09 · 14
    const noise = await infidelity(linear, x, byHand(tensor([[0, 0, 0]])), {
      samples: 4000,
      noise: 0.1,
    });
    expect(Math.abs(noise.zeros - 1.26)).toBeLessThan(0.1);
    const opposite = await infidelity(linear, x, byHand(tensor([[-2, 2, 3]])));
    expect(opposite.notes).toHaveLength(1);
  });

  test("does not mind the scale where it is scaled", async () => {
    const twice = await infidelity(linear, x, byHand(tensor([[4, -4, -6]])));
    expect(twice.infidelity).toBeCloseTo(twice.zeros, 5);
    expect(twice.scaled).toBeLessThan(1e-9);
    expect(twice.notes).toEqual([]);
  });

  test("takes maps of one channel by removal, and the key", async () => {
    const model = network();
    const map = await gradCam(model, image, { target: 2 });
    const found = await infidelity(model, image, map, { key: keyOf(1) });
    expect(await infidelity(model, image, map, { key: keyOf(1), chunk: 3 })).toEqual(found);
    expect(found.zeros).toBeGreaterThan(0);
    expect(await messageOf(infidelity(model, image, map, { noise: 0.1 }))).toBe(
      "ShapeError: infidelity: the values of gradCam are [1, 1, 8, 8], the input [1, 2, 8, 8], and noise is on every element; leave noise out",
    );
  });

  test.each(["int32", "int64"] as const)("takes inputs of %s, by removal", async (dtype) => {
    const own = tensor([[1, 2, -1]], { dtype });
    const model = scoring((given) => ops.matmul(ops.cast(given, "float32"), ops.constant(tensor([[2], [-1], [3]]))));
    const { infidelity: error, zeros } = await infidelity(model, own, byHand(tensor([[2, -2, -3]])));
    expect(error).toBeLessThan(1e-9);
    expect(zeros).toBeGreaterThan(1);
    expect(await messageOf(infidelity(model, own, byHand(tensor([[2, -2, -3]])), { noise: 0.1 }))).toMatch(
      /^GradientError: the input is int/,
    );
  });

  test("refuses the attribution of another input or function", async () => {
    expect(await messageOf(infidelity(linear, x, byHand(tensor([[1]]))))).toMatch(
      /^ShapeError: the attribution is \[1, 1\]/,
    );
    const own = { ...byHand(tensor([[1, 1, 1]])), target: undefined };
    expect(await messageOf(infidelity(linear, x, own))).toMatch(
      /infidelity: the attribution is of a function; pass it again/,
    );
    expect(await messageOf(infidelity(linear, x, own, { target: 0, noise: 0 }))).toMatch(
      /noise is 0; pass a number above 0/,
    );
  });
});

describe("maxSensitivity", () => {
  const square = scoring((own) => ops.reduceSum(ops.square(own), [1]));

  test("is 0 of a linear model, and of a square by hand", async () => {
    expect(await maxSensitivity(x, (own) => saliency(linear, own))).toEqual({ sensitivity: 0, mean: 0, notes: [] });
    // φ = 2x moves by 2 (y - x), each element by up to 0.02 · 3: relative to |x| = √6 by √3 · 0.06 / √6 at most.
    const { sensitivity, mean } = await maxSensitivity(x, (own) => saliency(square, own), { samples: 200 });
    const most = (Math.sqrt(3) * 0.06) / Math.sqrt(6);
    expect(sensitivity).toBeLessThanOrEqual(most + 1e-6);
    expect(sensitivity).toBeGreaterThan(0.8 * most);
    expect(mean).toBeLessThan(sensitivity);
  });

  test("notes an explanation that jumps, and one of zeros", async () => {
    const steep = scoring((own) => ops.sin(ops.mul(1000, ops.reduceSum(own, [1]))));
    const jumping = await maxSensitivity(x, (own) => saliency(steep, own, { absolute: false }));
    expect(jumping.notes[0]).toMatch(/^saliency changes by \d+\.\d times its size within 0\.060 of this input/);
    const none = await maxSensitivity(x, async () => byHand(tensor([[0, 0, 0]])));
    expect(none).toMatchObject({
      sensitivity: 0,
      notes: ["the values of by hand are 0 everywhere: nothing can change relative to them"],
    });
  });

  test("asks for the class by name, and for floats", async () => {
    let target = 0;
    const changing = async () => ({ ...byHand(tensor([[1, 1, 1]])), target: target++ });
    expect(await messageOf(maxSensitivity(x, changing))).toBe(
      "OptionError: maxSensitivity: the class that is explained became 1 close to the input; name it: { target: 0 }",
    );
    const words = tensor([[1, 2]], { dtype: "int32" });
    expect(await messageOf(maxSensitivity(words, changing))).toMatch(/^GradientError: the input is int32/);
    expect(await messageOf(maxSensitivity(x, changing, { radius: 0 }))).toMatch(/radius is 0; pass a number above 0/);
  });
});
