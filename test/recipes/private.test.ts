/** The private recipe, shortened: the guarantee and what an audit finds stand beside the accuracy. */
import { expect, test } from "vitest";
import { train } from "./run.ts";

test("private-mnist: some digits are learned, and nothing is found out of which", () => {
  const { results, stdout } = train(
    "private-mnist",
    "--limit",
    "2000",
    "--epochs",
    "4",
    "--batch-size",
    "256",
    "--private",
    "8",
    "--canaries",
    "100",
  );
  expect(results["accuracy"]).toBeGreaterThan(0.5);
  expect(results["epsilon"]).toBe(8);
  expect(results["audit_epsilon"]).toBeLessThan(8);
  expect(results["canary_epsilon"]).toBeLessThan(8);
  expect(stdout).toMatch(/each of 1750 samples with probability 0\.146/);
}, 120_000);
