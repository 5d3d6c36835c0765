/** The recipe of sentiment, shortened, and what it says of bad questions and of other data. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { fixtures, sardonyx, train } from "./run.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-reviews-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("lstm-sentiment", () => {
  test("learns from 1,000 sentences to classify most of the others", () => {
    const { results, run, stdout } = train("lstm-sentiment", "--limit", "1000", "--epochs", "4", "--members", "3");
    // Chance is 0.5; with 600 sentences its standard deviation is 0.02.
    expect(results["accuracy"]).toBeGreaterThan(0.65);
    expect(stdout).toMatch(/left out for lack of a text or a class: 3/);
    const said = sardonyx("predict", run, "Great phone, I love it!", "Terrible xyzzy food.").stdout;
    expect(said).toMatch(/I love it!: positive/);
    expect(said).toMatch(/food\.: negative .*\(not known: xyzzy\)/);
    const empty = sardonyx("predict", run, " ");
    expect([empty.status, empty.stderr]).toEqual([2, expect.stringContaining("the sentence has no words; pass one")]);
  });

  test("needs two networks at least, each trained without a fold", () => {
    const { status, stderr } = sardonyx("train", "lstm-sentiment", "--members", "1");
    expect([status, stderr]).toEqual([2, expect.stringContaining("--members is 1; pass a whole number from 2")]);
  });

  test("reads film reviews by other layers; a run belongs to its words", () => {
    cpSync(join(fixtures, "aclImdb"), folder, { recursive: true });
    const args = [
      "--corpus",
      "imdb",
      "--data",
      folder,
      "--cell",
      "gru",
      "--forward",
      "--layers",
      "2",
      "--members",
      "2",
    ];
    const { run } = train("lstm-sentiment", ...args, "--batch-size", "2", "--epochs", "1", "--threads", "1");
    writeFileSync(join(folder, "train", "pos", "0_9.txt"), "Other words.");
    const { status, stderr } = sardonyx("eval", run);
    expect(status).toBe(2);
    expect(stderr).toMatch(/trained with another vocabulary, of \d+ tokens where the data now gives \d+/);
  });
});
