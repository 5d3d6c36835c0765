/** Sinusoids and rotations against their definitions, and Llama 3's scaled frequencies against their released values. */
import { expect, test } from "vitest";
import { Tensor, tensor } from "../../core/tensor.ts";
import { input, type Value } from "../../graph/ir.ts";
import { compile } from "../../jit/compile.ts";
import { expectClose, randomTensor } from "../testing/check-layer.ts";
import { rotary, rotaryFrequencies, sinusoidal } from "./positions.ts";

async function run(y: Value, feeds: readonly (readonly [Value, Tensor])[] = []): Promise<Tensor | undefined> {
  const executable = await compile(
    feeds.map(([value]) => value),
    [y],
  );
  const [result] = await executable.run(feeds.map(([, fed]) => fed));
  await executable.session.release();
  return result;
}

test("sines at even features, cosines at odd ones", async () => {
  const expected = [0, 1, 2].flatMap((t) =>
    [0, 1].flatMap((i) => [Math.sin(t / 10_000 ** (i / 2)), Math.cos(t / 10_000 ** (i / 2))]),
  );
  expectClose(await run(sinusoidal(3, 4)), tensor(expected, { shape: [3, 4] }), "encodings");
});

test("each pair of features turns by position times frequency", async () => {
  const x = randomTensor([2, 2, 3, 4], 1);
  const expected = new Float32Array(x.data.length);
  for (let at = 0; at < expected.length; at += 4)
    for (const [i, rate] of [1, 1 / 10].entries()) {
      const angle = ((at / 4) % 3) * rate;
      const [a, b] = [Number(x.data[at + i]), Number(x.data[at + i + 2])];
      expected[at + i] = a * Math.cos(angle) - b * Math.sin(angle);
      expected[at + i + 2] = b * Math.cos(angle) + a * Math.sin(angle);
    }
  const value = input("float32", x.shape);
  expectClose(await run(rotary(value, { base: 100 }), [[value, x]]), new Tensor("float32", x.shape, expected), "y");
});

test("scaled frequencies", () => {
  expect(rotaryFrequencies(4, { base: 100, scaling: { type: "linear", factor: 4 } })).toEqual([0.25, 0.1 / 4]);
  // Llama 3.1: wavelengths below 8192/4 stay, those above 8192 are stretched 8 times, between them it is gradual.
  const options = { base: 500_000 };
  const own = rotaryFrequencies(128, options);
  const scaled = rotaryFrequencies(128, {
    ...options,
    scaling: { type: "llama3", factor: 8, low: 1, high: 4, trained: 8192 },
  });
  const ratios = scaled.map((rate, i) => rate / (own[i] ?? 1));
  const wavelengths = own.map((rate) => (2 * Math.PI) / rate);
  for (const [i, wavelength] of wavelengths.entries()) {
    if (wavelength < 2048) expect(ratios[i]).toBe(1);
    else if (wavelength > 8192) expect(ratios[i]).toBeCloseTo(1 / 8, 12);
    else {
      const smooth = (8192 / wavelength - 1) / 3;
      expect(ratios[i]).toBeCloseTo((1 - smooth) / 8 + smooth, 12);
    }
  }
  expect(ratios.filter((ratio) => ratio > 1 / 8 && ratio < 1).length).toBeGreaterThan(0);
});

test("an odd width and what is no heads are reported", () => {
  expect(() => sinusoidal(4, 3)).toThrow("positions of width 3: a sine and a cosine each; make it even");
  expect(() => rotary(input("float32", [2, 3, 4]))).toThrow(
    "rotary takes heads, got [2, 3, 4]; pass [batch, heads, time, width]",
  );
});
