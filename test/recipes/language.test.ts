/** Language models, shortened: they learn more than how often each token occurs, and write. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { sardonyx, train } from "./run.ts";

describe("gpt-char", () => {
  const { run, results } = train("gpt-char", "--limit", "500", "--epochs", "4");

  test("knows more of the next character than the one before gives away", () => {
    // Alone, characters of the book have 3.1 nats each; with the one before them 2.5.
    expect(results["loss"]).toBeLessThan(2.6);
    expect(results["perplexity"]).toBeCloseTo(Math.exp(results["loss"] ?? 0), 3);
    expect(readFileSync(join(run, "curve-loss.svg"), "utf8")).toContain("validation");
  });

  test("writes the same text for the same seed, as much as is asked for", () => {
    const write = (...args: string[]) =>
      JSON.parse(sardonyx("generate", run, "--prompt", "The whale", "--tokens", "150", "--json", ...args).stdout) as {
        text: string;
        tokens: number[];
      };
    // More than the model's 128 positions.
    const first = write("--seed", "3", "--top-k", "20");
    expect(first.tokens).toHaveLength(150);
    expect(first.text).toHaveLength(150);
    expect(write("--seed", "3", "--top-k", "20")).toMatchObject({ text: first.text });
    expect(write("--seed", "4").text).not.toBe(first.text);
    // Its tokenizer is a file of Hugging Face's format.
    expect(JSON.parse(readFileSync(join(run, "tokenizer.json"), "utf8")).model.type).toBe("WordLevel");
  });

  test.each([
    [["--prompt", "naïve ☃"], /the character "ï" at position 3 of the text is none of the \d+ that the model knows/],
    [["--prompt", ""], /--prompt is empty/],
    [["--prompt", "a".repeat(129)], /the prompt has 129 tokens, the model reads 128 at most; shorten it/],
    [["--top-p", "1.5"], /--top-p is 1.5; pass a number above 0, at most 1/],
  ])("refuses %j", (args, message) => {
    const { status, stderr } = sardonyx("generate", run, ...args);
    expect(status).toBe(2);
    expect(stderr).toMatch(message);
  });

  test("your own text that is not there", () => {
    const { status, stderr } = sardonyx("train", "gpt-char", "--text", "nowhere.txt");
    expect([status, stderr]).toEqual([2, expect.stringContaining("nowhere.txt cannot be read")]);
  });
});

test("gpt-bpe writes any text that it is given", () => {
  const { run, results } = train("gpt-bpe", "--limit", "400", "--epochs", "10");
  expect(results["loss"]).toBeLessThan(6);
  const { stdout } = sardonyx("generate", run, "--prompt", "naïve ☃", "--tokens", "5");
  expect(stdout).toContain("naïve ☃");
});

test("bert-mlm fills gaps, and what it learned begins a classifier", () => {
  const { run, results } = train("bert-mlm", "--limit", "150", "--epochs", "6");
  // By chance it would be ln 3000 = 8.0, and of the classes a third and a half: three deviations of two runs on 150 sentences.
  expect(results["loss"]).toBeLessThan(7.3);
  expect(results["subject_pretrained_accuracy"]).toBeGreaterThan(0.42);
  expect(results["sentiment_pretrained_accuracy"]).toBeGreaterThan(0.54);
  const { subject_pretrained_accuracy: pretrained = 0, subject_scratch_accuracy: scratch = 0 } = results;
  expect(results["subject_gain_accuracy"]).toBeCloseTo(pretrained - scratch, 9);
  const filled = sardonyx("predict", run, "the [MASK] whale", "--json");
  expect(JSON.parse(filled.stdout).tokens).toHaveLength(5);
  const refused = sardonyx("predict", run, "no gap");
  expect([refused.status, refused.stderr]).toEqual([2, expect.stringContaining("the text needs one [MASK]")]);
});
