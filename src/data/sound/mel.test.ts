/** Log-mel features against PyTorch's FFT, and the scale against the values of its formula. */
import { expect, it } from "vitest";
import { logMel, melOf } from "./mel.ts";

it("the scale: 1,000 Hz is 1,000 mel", () => {
  expect(melOf(0)).toBe(0);
  expect(melOf(1000)).toBeCloseTo(999.9856, 3); // 2595 log10(17 / 7)
});

it("features of two sines are those of torch.fft.rfft under torch.hann_window", () => {
  const samples = Float32Array.from({ length: 1200 }, (_, i) => {
    const t = i / 16_000;
    return 0.5 * Math.sin(2 * Math.PI * 440 * t) + 0.25 * Math.sin(2 * Math.PI * 3000 * t);
  });
  const features = logMel({ rate: 16_000 })(samples);
  expect(features.shape).toEqual([6, 40]);
  // PyTorch 1.13, float64: frames 0 and 3, every sixth band.
  const expected = [
    [-6.8594, 7.6719, -8.6638, -13.8155, -7.4932, -13.5743, -13.8155],
    [-8.122, 7.672, -8.5223, -13.5113, -7.4884, -13.5985, -13.8155],
  ];
  for (const [row, frame] of [0, 3].entries())
    for (const [i, value] of (expected[row] ?? []).entries())
      expect(features.data[frame * 40 + 6 * i]).toBeCloseTo(value, 3);
});

it("a frame lies wholly within the samples; fewer than one are refused", () => {
  const features = logMel({ rate: 16_000, bands: 4 });
  expect(features(new Float32Array(400)).shape).toEqual([1, 4]);
  expect(features(new Float32Array(719)).shape).toEqual([2, 4]);
  expect(features(new Float32Array(16_000)).shape).toEqual([98, 4]);
  expect(() => features(new Float32Array(399))).toThrow(/got 399 samples, expected 400 or more/);
  expect(() => logMel({ rate: 8000, range: [0, 5000] })).toThrow(/0 to 5000 Hz, expected one from 0 up to 4000/);
});
