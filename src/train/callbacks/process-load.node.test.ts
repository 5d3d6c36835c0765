/** The load of a process: shares of processor time between two looks. */
import { expect, test } from "vitest";
import { LoadMeter } from "./process-load.node.ts";

test("is what passed between two looks, and of no time nothing", () => {
  let [now, processor] = [1000, 5_000_000];
  const meter = new LoadMeter({ now: () => now, processor: () => processor, memory: () => 3 * 2 ** 19 });
  expect(meter.look()).toBeUndefined();
  now += 2000;
  processor += 3_000_000;
  expect(meter.seconds).toBe(2);
  expect(meter.look()).toEqual({ cpuPercent: 150, memoryMiB: 1.5 });
  now += 1000;
  expect(meter.look()).toEqual({ cpuPercent: 0, memoryMiB: 1.5 });
});

test("of this process: work of one thread is about one core", () => {
  const meter = new LoadMeter();
  while (meter.seconds < 0.2);
  const load = meter.look();
  expect(load?.cpuPercent).toBeGreaterThan(1);
  expect(load?.memoryMiB).toBeGreaterThan(20);
});
