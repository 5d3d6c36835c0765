/** Ensembles, shortened. */
import { expect, test } from "vitest";
import { train } from "./run.ts";

// Of so few samples one member may be as good as all: in two of four seeds the best of five was.
test.each([
  ["bagging", 3000, 10],
  ["snapshot", 2000, 8],
  ["average", 2000, 8],
])("ensemble-mnist, %s: together the members are better than the mean of them", (method, limit, epochs) => {
  const { results } = train("ensemble-mnist", "--method", method, "--limit", `${limit}`, "--epochs", `${epochs}`);
  expect(results["accuracy"]).toBeGreaterThan(results["mean_member_accuracy"] ?? 1);
});
