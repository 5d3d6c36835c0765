/** Rates of devices: of the order that processors have. */
import { expect, test } from "vitest";
import { measureDevice } from "./measure-device.ts";

test("a processor multiplies and moves numbers", async () => {
  const small = { side: 128, length: 2 ** 16, seconds: 0.1, threads: 1 };
  const { flopsPerSecond, bytesPerSecond } = await measureDevice("cpu", small);
  expect(flopsPerSecond).toBeGreaterThan(1e8);
  expect(flopsPerSecond).toBeLessThan(1e15);
  expect(bytesPerSecond).toBeGreaterThan(1e7);
  expect(bytesPerSecond).toBeLessThan(1e14);
});
