/** Pruned networks, shortened. */
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { sardonyx, train } from "./run.ts";

// Of each layer by itself the first convolution loses nine of ten as well, which costs more.
test.each([
  ["global", 0.7],
  ["layer", 0.3],
] as const)("prune-lenet, %s: nine of ten weights are zero, and the digits are still read", (by, least) => {
  const { results, stdout } = train("prune-lenet", "--by", by, "--limit", "2000", "--epochs", "4");
  expect(results["sparsity"]).toBeCloseTo(0.9, 3);
  expect(results["accuracy"]).toBeGreaterThan(least);
  expect(stdout).toContain("the dense network");
});

const hasClothing = existsSync("/usr/share/datasets/fashion-mnist");

test.skipIf(!hasClothing)("prune-fashion: half of the multiply-adds are cut, and what is left learns on", () => {
  const { run } = train("cnn-fashion", "--limit", "1000", "--epochs", "3");
  const { results, stdout } = train("prune-fashion", "--base", run, "--limit", "1000", "--epochs", "2");
  expect(results["macs_share"]).toBeLessThanOrEqual(0.5);
  expect(results["macs_share"]).toBeGreaterThan(0.4);
  expect(results["accuracy"]).toBeGreaterThan(0.4);
  expect(stdout).toContain("the whole network");
});

test("prune-fashion without a trained network says where one comes from", () => {
  const { status, stderr } = sardonyx("train", "prune-fashion");
  expect(status).toBe(2);
  expect(stderr).toContain("sardonyx train cnn-fashion --out runs/dense");
});
