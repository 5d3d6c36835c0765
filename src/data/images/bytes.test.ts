/** Bytes to numbers. */
import { expect, it } from "vitest";
import { DTypeError } from "../../core/errors.ts";
import { Tensor, tensor } from "../../core/tensor.ts";
import { scaleBytes } from "./bytes.ts";

const y = tensor([0]);

it("divides every byte by 255, correctly rounded, for odd lengths and odd addresses", () => {
  const bytes = Uint8Array.from({ length: 300 }, (_, i) => i);
  const expected = Float32Array.from(bytes, (byte) => byte / 255);
  const scale = scaleBytes();
  for (const [start, end] of [
    [0, 256],
    [1, 256],
    [0, 255],
    [3, 4],
    [7, 7],
  ] as const) {
    const { x } = scale({ x: new Tensor("uint8", [end - start], bytes.subarray(start, end)), y });
    expect(x.dtype).toBe("float32");
    expect(x.data).toEqual(expected.slice(start, end));
  }
});

it("keeps the shape and the other tensors, and reports numbers that are no bytes", () => {
  const batch = { x: new Tensor("uint8", [2, 1, 1, 3], new Uint8Array(6)), y, weight: tensor([1]) };
  const scaled = scaleBytes()(batch);
  expect(scaled.x.shape).toEqual([2, 1, 1, 3]);
  expect([scaled.y, scaled.weight]).toEqual([y, batch.weight]);
  expect(() => scaleBytes()({ x: tensor([1]), y })).toThrow(DTypeError);
});
