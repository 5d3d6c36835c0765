/** The model of sums over a network: limits that it must have, and links as people write them. */
import { expect, test } from "vitest";
import { OptionError } from "../../core/errors.ts";
import { linkOf, stepOfProcesses, sumSeconds } from "./exchange.ts";

test("links as people write them", () => {
  expect(linkOf("10Gb", "--network")).toEqual({ bandwidth: 1.25e9, latency: 50 / 1e6 });
  expect(linkOf("100 Mbit/s, 1 ms", "--network")).toEqual({ bandwidth: 12.5e6, latency: 1e-3 });
  expect(linkOf("25Gbps,20us", "--network")).toEqual({ bandwidth: 3.125e9, latency: 20 / 1e6 });
  for (const text of ["10", "Gb", "10GB", "10Gb,fast", "0Gb", "10Gb,-1ms", ""])
    expect(() => linkOf(text, "--network")).toThrow(OptionError);
});

test("a large sum comes to twice its bytes by the bandwidth, a small one to messages up and down a tree", () => {
  const link = linkOf("8Gb,0us", "--network");
  expect(sumSeconds(1e6, 1, link)).toBe(0);
  // 2 (n - 1) / n of the bytes, of two as of eight.
  expect(sumSeconds(4e7, 8, link)).toBeCloseTo((2 * (7 / 8) * 4e7) / 1e9, 9);
  expect(sumSeconds(4e7, 2, link)).toBeCloseTo(4e7 / 1e9, 9);
  const slow = linkOf("8Gb,1ms", "--network");
  expect(sumSeconds(8, 1024, slow)).toBeCloseTo(20e-3, 6);
  expect(sumSeconds(8, 2, slow)).toBeCloseTo(2e-3, 6);
});

test("a step has its part of the work, and the exchange beside it", () => {
  const link = linkOf("10Gb,10us", "--network");
  const exchange = { gradients: 1e8, meetings: 3 };
  const { seconds, exchange: told } = stepOfProcesses(8, exchange, 4, link);
  expect(seconds).toBeCloseTo(2 + told, 9);
  expect(told).toBeCloseTo(sumSeconds(1e8, 4, link) + 3 * sumSeconds(256, 4, link), 9);
  expect(stepOfProcesses(8, exchange, 1, link)).toEqual({ seconds: 8, exchange: 0 });
});

test("buckets hide what of the exchange goes beside the way back", () => {
  const link = { bandwidth: 1e9, latency: 0 };
  // Two processes: 3 s of work each, of which 2 s are the way back, and 1 s of exchange.
  const step = (buckets: number, gradients = 1e9) =>
    stepOfProcesses(6, { gradients, meetings: 0, buckets }, 2, link).seconds;
  expect(step(1)).toBeCloseTo(4, 9);
  // The last of four is computed at the end, and a quarter of the exchange is left.
  expect(step(4)).toBeCloseTo(3.25, 9);
  // Where the exchange takes longer than the way back, it begins a quarter of that after the way forward.
  expect(step(4, 8e9)).toBeCloseTo(1 + 0.5 + 8, 9);
});
