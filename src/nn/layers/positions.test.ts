/** Sinusoids and rotations against their definitions, and Llama 3's scaled frequencies against their released values. */
import { describe, expect, test } from "vitest";
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

test("YaRN divides the slow pairs, keeps the fast ones, and ramps between", () => {
  const scaling = { type: "yarn", factor: 4, trained: 2048, fast: 32, slow: 1, magnitude: 1 } as const;
  // By the formulas of Peng et al. 2023, sec. 3.2, in Python: pairs 0 to 2 stay, from 6 on a quarter.
  const expected = [
    ...[1, 0.31622776601683794, 0.1, 0.02569350598886808, 0.00625, 0.0013834964763236657],
    ...[0.00025, 7.905694150420948e-5],
  ];
  for (const [i, rate] of rotaryFrequencies(16, { scaling }).entries())
    expect(rate).toBeCloseTo(expected[i] as number, 15);
});

describe("LongRoPE", () => {
  const scaling = { type: "longrope", short: [1, 2], long: [4, 8], trained: 3, magnitude: 1.5 } as const;

  test("has factors for short and for long sequences", () => {
    expect(rotaryFrequencies(4, { base: 100, scaling }, 3)).toEqual([1, 0.05]);
    expect(rotaryFrequencies(4, { base: 100, scaling }, 4)).toEqual([0.25, 0.0125]);
    expect(() => rotaryFrequencies(6, { scaling })).toThrow("short has 2 factors, expected 3, one for each pair");
  });

  test.each([3, 4])("%i tokens, with positions as a model gives them, and magnified", async (length) => {
    const x = randomTensor([1, 1, length, 4], 1);
    const [value, positions] = [input("float32", x.shape), input("int64", [length])];
    const at = new Tensor(
      "int64",
      [length],
      BigInt64Array.from({ length }, (_, i) => BigInt(i)),
    );
    const factors = length > 3 ? scaling.long : scaling.short;
    const expected = Float32Array.from(x.data, (_, i) => {
      const [t, feature] = [Math.floor(i / 4), i % 4];
      const pair = feature % 2;
      const angle = (t * 100 ** (-pair / 2)) / (factors[pair] as number);
      const [a, b] = [0, 2].map((half) => Number(x.data[t * 4 + pair + half])) as [number, number];
      return (
        1.5 * (feature < 2 ? a * Math.cos(angle) - b * Math.sin(angle) : b * Math.cos(angle) + a * Math.sin(angle))
      );
    });
    const built = [
      await run(rotary(value, { base: 100, scaling }), [[value, x]]),
      await run(rotary(value, { base: 100, scaling, positions }), [
        [value, x],
        [positions, at],
      ]),
    ];
    for (const y of built) expectClose(y, new Tensor("float32", x.shape, expected), "y");
  });
});

test("an odd width and what is no heads are reported", () => {
  expect(() => sinusoidal(4, 3)).toThrow("positions of width 3: a sine and a cosine each; make it even");
  expect(() => rotary(input("float32", [2, 3, 4]))).toThrow(
    "rotary takes heads, got [2, 3, 4]; pass [batch, heads, time, width]",
  );
});
