/** The WebAssembly backend, which runs under Node too, gives what the native one gives. */
import { expect, test } from "vitest";
import { valueAndGrad } from "../autodiff/transform.ts";
import { keyOf, Random } from "../core/random.ts";
import { Tensor } from "../core/tensor.ts";
import type { Value } from "../graph/ir.ts";
import { jit } from "../jit/jit.ts";
import { conv, maxPool, reduceMean, relu } from "../ops/index.ts";

test("a convolution's gradient on wasm and cpu", async () => {
  const random = new Random(keyOf(1));
  const draw = (shape: readonly number[]) =>
    new Tensor(
      "float32",
      shape,
      Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
    );
  const [w, x] = [draw([4, 3, 3, 3]), draw([2, 3, 8, 8])];
  const loss = (weight: Value, images: Value) => reduceMean(relu(maxPool(conv(images, weight), [2, 2])));
  const step = (weight: Value, images: Value) => valueAndGrad(loss)(weight, images);
  const [native, web] = [await jit(step, { device: "cpu" })(w, x), await jit(step, { device: "wasm" })(w, x)];
  expect(web[0].item()).toBeCloseTo(native[0].item(), 6);
  for (const [i, value] of Array.from(native[1].data as Float32Array).entries())
    expect(Number(web[1].data[i])).toBeCloseTo(value, 5);
});
