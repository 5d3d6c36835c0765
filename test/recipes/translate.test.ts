/** The recipes of translation, on a dozen sentences that they overfit. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { epochsOf, fixtures, sardonyx, train } from "./run.ts";

const pairs = ["--data", join(fixtures, "pairs.tsv"), "--batch-size", "5", "--threads", "1"];

describe("translation", () => {
  test.each([
    ["seq2seq-translate", "--attention", "additive", "--learning-rate", "0.01", "--epochs", "50"],
    ["seq2seq-translate", "--attention", "dot", "--learning-rate", "0.01", "--epochs", "50"],
    ["transformer-translate", "--learning-rate", "0.005", "--epochs", "60"],
  ])("%s %s %s overfits what it was trained on", (name, ...options) => {
    const { run, results, stdout } = train(name, ...pairs, ...options);
    expect(stdout).toMatch(/left out for lack of a pair: 1/);
    expect(epochsOf(run).at(-1)?.["accuracy"]).toBeGreaterThan(0.95);
    // Each word of two sentences that were held out occurs in others.
    expect(results["bleu"]).toBeGreaterThan(results["dictionary_bleu"] ?? 100);
    expect(results["copy_bleu"]).toBeLessThan(20);
    expect(readFileSync(join(run, "attention.svg"), "utf8")).toContain("<title>");
    const rows = readFileSync(join(run, "translations.tsv"), "utf8").trim().split("\n");
    const held = new Set(rows.slice(1).map((row) => row.split("\t")[0]));
    const [english, french] = held.has("i see the bird.")
      ? ["You see the cat.", "tu vois le chat."]
      : ["I see the bird.", "je vois l'oiseau."];
    expect(sardonyx("predict", run, english).stdout).toContain(`${english}: ${french}`);
    const odd = sardonyx("predict", run, "I see the xyzzy.");
    expect(odd.stdout).toMatch(/\(not known: xyzzy\)/);
    const empty = sardonyx("predict", run, " ");
    expect([empty.status, empty.stderr]).toEqual([2, expect.stringContaining("the sentence has no words")]);
  });

  test("--choosing measures beams on pairs that are held out of those to train on, and leaves the test alone", () => {
    const sources = (run: string) =>
      readFileSync(join(run, "translations.tsv"), "utf8")
        .trim()
        .split("\n")
        .slice(1)
        .map((row) => row.split("\t")[0]);
    const tested = train("transformer-translate", ...pairs, "--epochs", "1");
    const chosen = train("transformer-translate", ...pairs, "--epochs", "1", "--choosing");
    expect(sources(chosen.run).length).toBeGreaterThan(0);
    expect(sources(chosen.run).filter((own) => sources(tested.run).includes(own))).toEqual([]);
    const beams = Object.keys(chosen.results).filter((name) => name.startsWith("beam"));
    expect(beams).toEqual(["beam1_bleu", "beam2_bleu", "beam4_bleu", "beam8_bleu"]);
    expect(chosen.results["beam4_bleu"]).toBe(chosen.results["bleu"]);
    expect(Object.keys(tested.results).filter((name) => name.startsWith("beam"))).toEqual([]);
  });
});
