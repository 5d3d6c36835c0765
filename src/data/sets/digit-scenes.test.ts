/** Scenes: the same for the same key, digits within, apart from one another, boxes close around the ink. */
import { expect, it } from "vitest";
import { keyOf, Random } from "../../core/random.ts";
import { Tensor } from "../../core/tensor.ts";
import { overlapOf } from "../images/boxes.ts";
import { digitScene } from "./digit-scenes.ts";

/** Two "digits": a bright bar 4 wide and 20 high, and a square of 20; labels 1 and 0. */
const digits = {
  x: new Tensor(
    "uint8",
    [2, 1, 28, 28],
    Uint8Array.from({ length: 2 * 784 }, (_, i) => {
      const [row, column] = [Math.floor((i % 784) / 28), i % 28];
      const wide = i < 784 ? column >= 12 && column < 16 : column >= 4 && column < 24;
      return row >= 4 && row < 24 && wide ? 255 : 0;
    }),
  ),
  y: new Tensor("int32", [2], Int32Array.of(1, 0)),
};
const options = { side: 64, most: 4, heights: [12, 36] } as const;

it("draws each digit in a box that is close around it", () => {
  const counts = new Set<number>();
  for (let seed = 0; seed < 200; seed++) {
    const { pixels, truth } = digitScene(digits, options, new Random(keyOf(seed)));
    counts.add(truth.length);
    for (const { box, label } of truth) {
      const [left, top, right, bottom] = box;
      expect(Math.min(left, top)).toBeGreaterThanOrEqual(0);
      expect(Math.max(right, bottom)).toBeLessThanOrEqual(64);
      expect(bottom - top).toBeGreaterThanOrEqual(12);
      expect(bottom - top).toBeLessThanOrEqual(36);
      // A bar is a fifth as wide as high, a square as wide.
      expect(Math.abs(right - left - (bottom - top) * (label === 1 ? 0.2 : 1))).toBeLessThanOrEqual(1);
      // Solid ink: the middle is white.
      expect(pixels[Math.floor((top + bottom) / 2) * 64 + Math.floor((left + right) / 2)]).toBe(255);
    }
    for (const [i, a] of truth.entries())
      for (const b of truth.slice(i + 1)) expect(overlapOf(a.box, b.box)).toBeLessThanOrEqual(0.1);
    const inside = (x: number, y: number) =>
      truth.some(({ box: [left, top, right, bottom] }) => x >= left && x < right && y >= top && y < bottom);
    expect(pixels.every((level, i) => level === 0 || inside(i % 64, Math.floor(i / 64)))).toBe(true);
  }
  expect([...counts].sort()).toEqual([1, 2, 3, 4]);
});

it("depends on the key alone", () => {
  const draw = (seed: number) => digitScene(digits, options, new Random(keyOf(seed)));
  expect(draw(3)).toEqual(draw(3));
  expect(draw(3).pixels).not.toEqual(draw(4).pixels);
});
