/** Parts in which a batch fits into memory: the fewest, with nothing computed again where that goes. */
import { expect, test } from "vitest";
import { tensor } from "../../core/tensor.ts";
import { crossEntropy, dense, sequential } from "../../nn/index.ts";
import { randomTensor } from "../../nn/testing/check-layer.ts";
import { adam } from "../optimizers/index.ts";
import { partsWithin } from "./batch-parts.ts";

const layers = Array.from({ length: 6 }, () => dense(256, { activation: "gelu" }));
const model = () => sequential([...layers, dense(3)]);
const trained = { loss: crossEntropy(), optimizer: adam() };
const batch = (samples: number) => ({
  x: randomTensor([samples, 256], 1),
  y: tensor(
    Array.from({ length: samples }, (_, i) => i % 3),
    { dtype: "int32" },
  ),
});

test("a batch that fits is not divided, a larger one is", () => {
  const whole = partsWithin(model(), trained, batch(1024), 2 ** 40);
  expect(whole).toMatchObject({ parts: 1, samples: 1024 });
  const room = 0.8 * whole.bytes;
  const divided = partsWithin(model(), trained, batch(1024), room);
  expect(divided.parts).toBeGreaterThan(1);
  expect(divided.parts * divided.samples).toBe(1024);
  expect(divided.bytes).toBeLessThanOrEqual(room);
});

test("what a single sample does not fit into is refused", () => {
  expect(() => partsWithin(model(), trained, batch(8), 1e6)).toThrow(
    /^training: the budget of memory is 977 KiB, and a step takes at least [\d.]+ MiB/,
  );
});
