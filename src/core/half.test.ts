/** 16-bit floats: every float16 comes back, and numbers between two of them go to the nearer one. */
import { expect, test } from "vitest";
import {
  bfloat16Number,
  float16Bits,
  float16Number,
  float16ToFloat32,
  float32ToBfloat16,
  float32ToFloat16,
} from "./half.ts";
import { Tensor, tensor } from "./tensor.ts";

test.each([
  [0x0000, 0],
  [0x3c00, 1],
  [0xc000, -2],
  [0x7bff, 65504],
  [0x0400, 2 ** -14],
  [0x0001, 2 ** -24],
  [0x3555, 0.333251953125],
  [0x7c00, Number.POSITIVE_INFINITY],
  [0xfc00, Number.NEGATIVE_INFINITY],
])("%i stands for %d (IEEE 754-2019, table 3.5)", (bits, value) => {
  expect(float16Number(bits)).toBe(value);
  expect(float16Bits(value)).toBe(bits);
});

test("every float16 but NaN keeps its bits", () => {
  for (let bits = 0; bits < 0x10000; bits++) {
    const value = float16Number(bits);
    if (!Number.isNaN(value) && float16Bits(value) !== bits) expect.fail(`${bits} came back as ${float16Bits(value)}`);
  }
  expect(Number.isNaN(float16Number(float16Bits(Number.NaN)))).toBe(true);
});

test("between two of them the nearer, of two as near the even one", () => {
  for (let bits = 0; bits < 0x7bff; bits += 37) {
    const [low, high] = [float16Number(bits), float16Number(bits + 1)];
    expect(float16Bits(low + (high - low) * 0.4)).toBe(bits);
    expect(float16Bits(low + (high - low) * 0.6)).toBe(bits + 1);
    expect(float16Bits((low + high) / 2)).toBe(bits % 2 === 0 ? bits : bits + 1);
  }
  expect([float16Bits(65519), float16Bits(65520)]).toEqual([0x7bff, 0x7c00]);
});

test("arrays go there and back as their elements do, multiplied and divided by a scale", () => {
  const numbers = Float32Array.of(1, -2.5, 65504, 1e-7, 3e38, Number.NaN);
  expect([...float32ToFloat16(numbers)]).toEqual(Array.from(numbers, float16Bits));
  expect([...float16ToFloat32(float32ToFloat16(numbers.subarray(0, 3), 2 ** -4), 2 ** -4)]).toEqual([1, -2.5, 65504]);
  // Of 1e-7 alone, one and a half of the smallest steps, two are left; multiplied before, 11 bits.
  const [alone = 0] = float16ToFloat32(float32ToFloat16(Float32Array.of(1e-7)));
  const [scaled = 0] = float16ToFloat32(float32ToFloat16(Float32Array.of(1e-7), 2 ** 20), 2 ** 20);
  expect(alone).toBe(2 ** -23);
  expect(Math.abs(scaled / 1e-7 - 1)).toBeLessThan(2 ** -11);
});

test("bfloat16 is the upper half of a float32", () => {
  expect([0x3f80, 0xc0a0, 0x4049].map(bfloat16Number)).toEqual([1, -5, 3.140625]);
});

test("tensors of float16 are made of numbers and read as numbers", () => {
  const half = tensor([[1.5, -2]], { dtype: "float16" });
  expect([...half.data]).toEqual([0x3e00, 0xc000]);
  expect([half.toNumbers(), half.toArray()]).toEqual([[1.5, -2], [[1.5, -2]]]);
  expect(new Tensor("float16", [], Uint16Array.of(0x3c00)).item()).toBe(1);
});

test("every bfloat16 but NaN keeps its bits, and between two of them the nearer is taken, of two as near the even one", () => {
  const bitsOf = (value: number) => float32ToBfloat16(Float32Array.of(value))[0];
  for (let bits = 0; bits < 0x7f80; bits += 31) {
    const [low, high] = [bfloat16Number(bits), bfloat16Number(bits + 1)];
    expect([bitsOf(low), bitsOf(-low)]).toEqual([bits, bits | 0x8000]);
    if (high === Number.POSITIVE_INFINITY) continue;
    expect(bitsOf(low + (high - low) * 0.4)).toBe(bits);
    expect(bitsOf(low + (high - low) * 0.6)).toBe(bits + 1);
    expect(bitsOf((low + high) / 2)).toBe(bits % 2 === 0 ? bits : bits + 1);
  }
  // By hand: the largest float32, infinity, and a NaN whose bits would carry into an infinity of the other sign.
  expect([bitsOf(3.4028235e38), bitsOf(Number.POSITIVE_INFINITY)]).toEqual([0x7f80, 0x7f80]);
  expect(bfloat16Number(bitsOf(Number.NaN) ?? 0)).toBeNaN();
});
