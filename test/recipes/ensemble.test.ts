/** Ensembles, shortened. */
import { expect, test } from "vitest";
import { train } from "./run.ts";

test("ensemble-mnist, bagging: together the members are better than the best of them", () => {
  const { results } = train("ensemble-mnist", "--limit", "3000", "--epochs", "10");
  expect(results["accuracy"]).toBeGreaterThan(results["best_member_accuracy"] ?? 1);
});

test.each(["snapshot", "average"])("ensemble-mnist, %s: together they are better than the mean of them", (method) => {
  const { results } = train("ensemble-mnist", "--method", method, "--limit", "2000", "--epochs", "8");
  expect(results["accuracy"]).toBeGreaterThan(results["mean_member_accuracy"] ?? 1);
});
