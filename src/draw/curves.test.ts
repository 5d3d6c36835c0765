/** Learning curves: which figures there are, and that their ticks are whole epochs. */
import { expect, test } from "vitest";
import { curvesOf } from "./curves.ts";

/** What stands below the horizontal axis, in order. */
const epochsNamed = (epochs: number): readonly number[] => {
  const history = Array.from({ length: epochs }, (_, i) => ({ loss: 1 / (i + 1), validation_loss: 1 / (i + 1) }));
  const svg = curvesOf(history)["curve-loss.svg"] ?? "";
  return [...svg.matchAll(/<text [^>]*text-anchor="middle"[^>]*>([\d.]+)<\/text>/g)].map(([, text]) => Number(text));
};

test("epochs are named by whole numbers, however few they are", () => {
  expect(epochsNamed(2)).toEqual([1, 2]);
  expect(epochsNamed(3)).toEqual([1, 2, 3]);
  expect(epochsNamed(5)).toEqual([1, 2, 3, 4, 5]);
  expect(epochsNamed(60)).toEqual([10, 20, 30, 40, 50, 60]);
  for (let epochs = 2; epochs < 40; epochs++) {
    const named = epochsNamed(epochs);
    expect(named.length, `${epochs} epochs`).toBeGreaterThan(1);
    expect(named.every(Number.isInteger), `${epochs} epochs`).toBe(true);
  }
});

test("a single epoch has no curve, and a confusion matrix neither", () => {
  expect(curvesOf([{ loss: 1 }])).toEqual({});
  expect(
    Object.keys(
      curvesOf([
        { loss: 1, confusionMatrix: 0 },
        { loss: 0.5, confusionMatrix: 0 },
      ]),
    ),
  ).toEqual(["curve-loss.svg"]);
});

test("a result that is no number leaves a gap, and only such results an empty plot", () => {
  const gap = curvesOf([{ loss: 1 }, { loss: Number.NaN }, { loss: 0.5 }])["curve-loss.svg"] ?? "";
  expect(gap.match(/<circle/g)).toHaveLength(2);
  expect(gap).not.toContain("NaN");
  const none = curvesOf([{ loss: Number.NaN }, { loss: Number.POSITIVE_INFINITY }])["curve-loss.svg"] ?? "";
  expect(none).not.toMatch(/NaN|Infinity|<circle/);
});
