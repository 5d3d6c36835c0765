/** What models of sounds take of a clip, by their inputs. */
import { expect, test } from "vitest";
import { keyOf, Random } from "../../core/random.ts";
import type { Shape } from "../../core/shape.ts";
import { soundPreparation } from "../../data/index.ts";
import { dense } from "../../nn/index.ts";
import { soundFormatOf } from "./audio-classification.ts";

const taking = (...shape: number[]) => {
  const model = dense(2);
  model.trace({ dtype: "float32", shape: shape as Shape });
  return model;
};

test.each([
  [[1, 16_000], { rate: 16_000, samples: 16_000 }],
  [[1, 1, 8000], { rate: 16_000, samples: 8000 }],
  // 98 frames are those of the recipe keywords, of a second; 10 end in 0.025 + 9 · 0.01 s, of which no tenth is near.
  [[1, 98, 40], { rate: 16_000, samples: 16_000, bands: 40 }],
  [[1, 1, 10, 64], { rate: 16_000, samples: 1840, bands: 64 }],
])("%j", (shape, format) => expect(soundFormatOf(taking(...shape), 16_000)).toEqual(format));

test("features have as many frames as the model reads, of mean 0 and deviation 1", () => {
  const random = new Random(keyOf(1));
  for (const shape of [
    [1, 98, 40],
    [1, 10, 64],
  ]) {
    const format = soundFormatOf(taking(...shape), 16_000);
    const features = soundPreparation(format)(Float32Array.from({ length: format.samples }, () => random.normal()));
    expect(features.length).toBe((shape[1] ?? 0) * (shape[2] ?? 0));
    expect(features.reduce((a, b) => a + b, 0) / features.length).toBeCloseTo(0, 4);
  }
});

test("what is no sound is refused, and a rate that is none", () => {
  for (const shape of [
    [1, 3, 32, 32],
    [1, 20],
    [1, 2, 8000],
  ])
    expect(() => soundFormatOf(taking(...shape), 16_000)).toThrow("expected samples [N, T] or [N, 1, T], or log-mel");
  expect(() => soundFormatOf(taking(1, 16_000), 10)).toThrow("the rate is 10 samples a second");
});
