/** Recipes of images, shortened: what each is to learn shows in less. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { epochsOf, fixtures, train } from "./run.ts";

describe("images", () => {
  test.skipIf(!existsSync("/usr/share/datasets/fashion-mnist"))("cnn-fashion", () => {
    const { results } = train("cnn-fashion", "--limit", "6000", "--epochs", "2");
    expect(results["accuracy"]).toBeGreaterThan(0.7);
  });

  test("cnn-fashion on the format's fixture", () => {
    train("cnn-fashion", "--data", join(fixtures, "fashion-mnist"), "--batch-size", "3", "--epochs", "1");
  });

  test.each(["plain", "resnet"])("cnn-cifar10, %s, on the format's fixture: the loss falls", (network) => {
    const args = ["--network", network, "--data", join(fixtures, "cifar10"), "--batch-size", "5", "--epochs", "60"];
    const { run } = train("cnn-cifar10", ...args);
    const losses = epochsOf(run).map(({ loss }) => loss ?? Number.NaN);
    expect(losses).toHaveLength(60);
    expect(losses.at(-1)).toBeLessThan(0.85 * (losses[0] ?? 0));
  });
});
