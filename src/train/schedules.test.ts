/** Schedules at their corners, by hand. */
import { describe, expect, test } from "vitest";
import { OptionError } from "../core/errors.ts";
import {
  constantRate,
  cosine,
  exponentialDecay,
  inverseSquareRoot,
  linearWarmup,
  oneCycle,
  piecewise,
  type Schedule,
  stepDecay,
} from "./schedules.ts";

describe("rates by step", () => {
  // √½ is the cosine at a quarter of the half wave.
  const quarter = (1 + Math.SQRT1_2) / 2;
  const cases: readonly (readonly [string, Schedule, Readonly<Record<number, number>>])[] = [
    ["constant", constantRate(0.5), { 0: 0.5, 1000: 0.5 }],
    ["stepDecay", stepDecay({ rate: 1, every: 10 }), { 0: 1, 9: 1, 10: 0.1, 25: 0.01 }],
    ["exponentialDecay", exponentialDecay({ rate: 2, factor: 0.5, every: 4 }), { 0: 2, 2: Math.SQRT2, 4: 1, 8: 0.5 }],
    ["cosine", cosine({ rate: 1, steps: 8 }), { 0: 1, 2: quarter, 4: 0.5, 6: 1 - quarter, 8: 0, 100: 0 }],
    ["cosine with floor", cosine({ rate: 1, steps: 8, floor: 0.2 }), { 0: 1, 4: 0.6, 8: 0.2, 9: 0.2 }],
    [
      "cosine with warm-up",
      cosine({ rate: 1, steps: 12, warmup: 4 }),
      { 0: 0.2, 1: 0.4, 3: 0.8, 4: 1, 6: quarter, 8: 0.5, 12: 0 },
    ],
    ["linearWarmup", linearWarmup(stepDecay({ rate: 1, every: 2 }), 3), { 0: 0.25, 2: 0.75, 3: 1, 4: 1, 5: 0.1 }],
    ["linearWarmup of no steps", linearWarmup(constantRate(1), 0), { 0: 1 }],
    // width 64: 1/8 of min(n^-½, n · 16^-1.5); the peak is at n = 16.
    [
      "inverseSquareRoot",
      inverseSquareRoot({ width: 64, warmup: 16 }),
      { 0: 1 / 8 / 64, 7: 1 / 8 / 8, 15: 1 / 8 / 4, 63: 1 / 8 / 8, 99: 1 / 8 / 10 },
    ],
    ["piecewise", piecewise([2, 5], [1, 0.5, 0.1]), { 0: 1, 1: 1, 2: 0.5, 4: 0.5, 5: 0.1, 50: 0.1 }],
    // Rises over steps 0 to 4 (0.5 · 10 - 1), falls over 4 to 9.
    [
      "oneCycle",
      oneCycle({ rate: 1, steps: 10, rise: 0.5, startDivisor: 10, endDivisor: 100 }),
      { 0: 0.1, 2: 0.55, 4: 1, 9: 0.001 },
    ],
  ];
  test.each(cases)("%s", (_, schedule, rates) => {
    for (const [step, rate] of Object.entries(rates))
      expect(schedule(Number(step)), `step ${step}`).toBeCloseTo(rate, 12);
  });
});

test("oneCycle is PyTorch's", () => {
  // OneCycleLR(SGD(…), max_lr=0.1, total_steps=20) of torch 1.13, rounded to 12 decimals.
  const expected = [
    0.004, 0.01316718427, 0.03716718427, 0.06683281573, 0.09083281573, 0.1, 0.098746400624, 0.095048463201,
    0.089091617757, 0.081174565395, 0.071694300179, 0.061126202194, 0.0500002, 0.038874197806, 0.028306099821,
    0.018825834605, 0.010908782243, 0.004951936799, 0.001253999376, 4e-7,
  ];
  const schedule = oneCycle({ rate: 0.1, steps: 20 });
  for (const [step, rate] of expected.entries()) expect(schedule(step), `step ${step}`).toBeCloseTo(rate, 11);
});

test("options out of range are refused", () => {
  for (const make of [
    () => constantRate(-1),
    () => constantRate(Number.NaN),
    () => stepDecay({ rate: 1, every: 0 }),
    () => exponentialDecay({ rate: 1, factor: -0.5 }),
    () => cosine({ rate: 1, steps: 10, warmup: 10 }),
    () => cosine({ rate: 1, steps: 10, floor: 2 }),
    () => linearWarmup(constantRate(1), -1),
    () => inverseSquareRoot({ width: 0 }),
    () => piecewise([1], [1]),
    () => piecewise([5, 2], [1, 2, 3]),
    () => oneCycle({ rate: 1, steps: 3 }),
  ])
    expect(make).toThrow(OptionError);
});
