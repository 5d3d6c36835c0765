/** Sounds resampled, compared with the same sine taken at the other rate; mixed; brought to a length. */
import { expect, it } from "vitest";
import { keyOf, Random } from "../../core/random.ts";
import { fitLength, mixDown, resampler } from "./sound.ts";
import { changeSpeed, gain, shiftTime, whiteNoise } from "./sound-augment.ts";

const sine = (frequency: number, rate: number, count: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => Math.sin((2 * Math.PI * frequency * i) / rate + 0.3));
const root = (samples: Float32Array): number =>
  Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
/** Away from the ends, where the silence outside shows. */
const middle = (samples: Float32Array): Float32Array => samples.subarray(samples.length / 4, (3 * samples.length) / 4);

it.each([
  [22_050, 16_000],
  [44_100, 16_000],
  [8000, 16_000],
  [11_025, 16_000],
  [48_000, 16_000],
])("a sine of 1,000 Hz at %i Hz is that sine at %i Hz", (from, to) => {
  const result = middle(resampler(from, to)(sine(1000, from, from)));
  const expected = middle(sine(1000, to, to));
  expect(result).toHaveLength(expected.length);
  // A Hann window over 16 crossings leaves less than -60 dB.
  expect(root(result.map((sample, i) => sample - (expected[i] ?? 0)))).toBeLessThan(0.001);
});

it("what the lower rate cannot hold is gone", () => {
  expect(root(middle(resampler(48_000, 16_000)(sine(10_000, 48_000, 4800))))).toBeLessThan(0.001);
});

it("a constant stays, an equal rate changes nothing, rates are checked", () => {
  const ones = new Float32Array(2000).fill(1);
  for (const sample of middle(resampler(22_050, 16_000)(ones))) expect(sample).toBeCloseTo(1, 3);
  expect(resampler(16_000, 16_000)(ones)).toBe(ones);
  expect(() => resampler(0, 16_000)).toThrow(/rates of 0 and 16000/);
});

it("mixes channels to their mean", () => {
  const channels = [Float32Array.of(1, 0.5), Float32Array.of(0, -0.5)];
  expect([...mixDown({ rate: 8000, channels })]).toEqual([0.5, 0]);
});

it("fills up with silence around, cuts to the loudest", () => {
  expect([...fitLength(Float32Array.of(1, 2), 5)]).toEqual([0, 1, 2, 0, 0]);
  expect([...fitLength(Float32Array.of(1, 0, 3, -4, 0), 2)]).toEqual([3, -4]);
  expect([...fitLength(Float32Array.of(5, 0, 3), 2)]).toEqual([5, 0]);
});

it("changes of sounds: moved, louder, noisier, the same for the same key", () => {
  const samples = Float32Array.from({ length: 4000 }, (_, i) => i + 1);
  const moved = shiftTime(3)(samples, new Random(keyOf(4)));
  const shift = (samples[2000] ?? 0) - (moved[2000] ?? 0);
  expect(Math.abs(shift)).toBeLessThanOrEqual(3);
  expect([...moved].slice(3, -3)).toEqual([...samples].map((sample) => sample - shift).slice(3, -3));
  expect([...gain([20, 20])(Float32Array.of(0.5), new Random(keyOf(1)))]).toEqual([5]);
  const silence = new Float32Array(4000);
  const noisy = whiteNoise([-40, -40])(silence, new Random(keyOf(1)));
  expect(root(noisy)).toBeCloseTo(0.01, 3);
  expect(whiteNoise([-40, -40])(silence, new Random(keyOf(1)))).toEqual(noisy);
  expect([...changeSpeed([2, 2])(Float32Array.of(1, 2, 3, 4, 5), new Random(keyOf(1)))]).toEqual([0, 1, 3, 5, 0]);
  expect([...changeSpeed([0.5, 0.5])(Float32Array.of(1, 2, 3), new Random(keyOf(1)))]).toEqual([1.5, 2, 2.5]);
  expect(() => changeSpeed([0, 1])).toThrow(/expected factors above 0/);
  expect(() => gain([1, 0])).toThrow(/expected \[low, high\]/);
});
