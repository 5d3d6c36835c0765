/** A Pad in front of a pool, which ONNX Runtime would fold into the pool's own pads; values by PyTorch 1.13. */
import { expect, test } from "vitest";
import { tensor } from "../../core/tensor.ts";
import { input } from "../../graph/ir.ts";
import { compile } from "../../jit/compile.ts";
import { pad } from "../slicing.ts";
import { averagePool, maxPool, type PoolOptions } from "./pooling.ts";

/** -1 … -25, in zeros one wide. */
async function pooled(pool: typeof maxPool, kernel: number, options: PoolOptions & { countIncludePad?: boolean }) {
  const x = input("float32", [1, 1, 5, 5], "x");
  const framed = pad(x, [
    [0, 0],
    [0, 0],
    [1, 1],
    [1, 1],
  ]);
  const { run } = await compile([x], [pool(framed, [kernel, kernel], options)]);
  const [y] = await run([
    tensor(
      Array.from({ length: 25 }, (_, i) => -1 - i),
      { shape: [1, 1, 5, 5], dtype: "float32" },
    ),
  ]);
  return y?.toNumbers();
}

const close = (numbers: readonly number[]) => numbers.map((number) => expect.closeTo(number, 5));
const padding = [
  [1, 1],
  [1, 1],
] as const;

test("a maximum counts the zeros", async () => {
  // F.max_pool2d(F.pad(x, (1, 1, 1, 1)), 3, 2)
  expect(await pooled(maxPool, 3, { strides: [2, 2] })).toEqual([0, 0, 0, 0, -7, 0, 0, 0, 0]);
  // … padding=1
  expect(await pooled(maxPool, 3, { strides: [2, 2], padding })).toEqual([
    0, 0, 0, 0, 0, -1, -3, 0, 0, -11, -13, 0, 0, 0, 0, 0,
  ]);
});

test("a number of windows rounded up stays what it was", async () => {
  // F.max_pool2d(F.pad(x, (1, 1, 1, 1)), 2, ceil_mode=True)
  expect(await pooled(maxPool, 2, { ceilMode: true })).toEqual([0, 0, 0, 0, 0, -7, -9, 0, 0, -17, -19, 0, 0, 0, 0, 0]);
  // F.avg_pool2d, the same
  expect(await pooled(averagePool, 2, { ceilMode: true })).toEqual(
    close([-0.25, -1.25, -2.25, 0, -4.25, -10, -12, 0, -9.25, -20, -22, 0, 0, 0, 0, 0]),
  );
});

test("a mean divides by the zeros of the Pad, and by its own only on request", async () => {
  // F.avg_pool2d(F.pad(x, (1, 1, 1, 1)), 3, 2, padding=1, count_include_pad=False)
  expect(await pooled(averagePool, 3, { strides: [2, 2], padding, countIncludePad: false })).toEqual(
    close([-0.25, -1, -2, -1.25, -3, -7, -9, -5, -8, -17, -19, -10, -5.25, -11, -12, -6.25]),
  );
});
