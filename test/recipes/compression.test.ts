/** Recipes that distil and merge, shortened: what comes out stands beside what it is made of. */
import { expect, test } from "vitest";
import { train } from "./run.ts";

test("distill-mnist: a student of a tenth of the teacher's parameters, beside itself without a teacher", () => {
  const { results, stdout } = train("distill-mnist", "--limit", "3000", "--labels", "500", "--epochs", "4");
  expect(results["parameter_share"]).toBeLessThan(0.1);
  expect(results["teacher_accuracy"]).toBeGreaterThan(0.8);
  expect(results["accuracy"]).toBeGreaterThan(0.7);
  expect(stdout).toContain("the student without teacher");
});

test("soup-mnist: the soup is measured beside its members", () => {
  const { results } = train("soup-mnist", "--limit", "500", "--epochs", "2", "--members", "2", "--tuning-epochs", "1");
  const { member_accuracy = 1, soup_accuracy = 0, best_member_accuracy = 1, soup_members } = results;
  expect(soup_accuracy).toBeGreaterThan(member_accuracy - 0.05);
  expect(best_member_accuracy).toBeGreaterThan(0.5);
  expect([1, 2]).toContain(soup_members);
});

test("merge-mnist: the merged network does more of both tasks than the one that they began from", () => {
  const { results } = train("merge-mnist", "--limit", "500", "--epochs", "3");
  const worse = (name: string) =>
    Math.min(
      results[`${name}_on_inverted_accuracy`] ?? Number.NaN,
      results[`${name}_on_turned_accuracy`] ?? Number.NaN,
    );
  expect(worse("merged")).toBeGreaterThan(worse("base"));
  expect(results["factor"]).toBeGreaterThan(0);
});
