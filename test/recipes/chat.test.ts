/** Instruction tuning, shortened. */
import { expect, test } from "vitest";
import { sardonyx, train } from "./run.ts";

test("chat-gpt answers no question before it is tuned, and knows tokens of answers after it", () => {
  const { run, results, stdout } = train("chat-gpt", "--limit", "4096", "--pretraining", "8", "--epochs", "8");
  expect(stdout).toMatch(/⟦\w+<\|im_end\|>⟧/);
  expect(results["untuned_accuracy"]).toBe(0);
  // Of the tokens of answers; whole answers take longer.
  expect(results["accuracy"]).toBeGreaterThan(0.35);
  const answered = sardonyx("predict", run, "What is the copy of AB?", "--json");
  expect(JSON.parse(answered.stdout).answer).toMatch(/^[A-J\d]+$/);
  const refused = sardonyx("predict", run, "What is the copy of ABCDEFGHIJABCDEFGHIJ?");
  expect([refused.status, refused.stderr]).toEqual([2, expect.stringContaining("the model reads 24")]);
});
