/** A text of your own without code: a GPT learns to write on from it, beside n-grams. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { Random } from "../../src/core/random.ts";
import { keyOf } from "../../src/index.ts";
import { sardonyx } from "./run.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-own-writing-"));
afterAll(() => rmSync(folder, { recursive: true }));

const random = new Random(keyOf(3));
const one = (words: readonly string[]) => words[random.integer(words.length)] ?? "";
const book = join(folder, "book.txt");
writeFileSync(
  book,
  Array.from(
    { length: 900 },
    () => `The ${one(["whale", "ship", "sea"])} ${one(["sings", "sinks", "waits"])} at ${one(["dawn", "night"])}.`,
  ).join("\n"),
);
const small = ["--threads", "1", "--context", "16", "--minutes", "0.5"];

test("is learned, held against n-grams of the same pieces, and written on", () => {
  const run = join(folder, "run");
  const { stdout, stderr, status } = sardonyx("train", "--data", book, "--out", run, ...small, "--epochs", "3");
  expect([stderr, status]).toEqual(["", 0]);
  expect(stdout.replace(/\s+/g, " ")).toMatch(/is taken for a text to learn writing from/);
  const { results, baselines } = JSON.parse(readFileSync(join(run, "evaluation.json"), "utf8"));
  expect(baselines.map(({ name, metric }: Record<string, string>) => [name, metric])).toEqual([
    ["unigram", "perplexity"],
    ["n-gram model", "perplexity"],
  ]);
  expect(results.perplexity).toBeLessThan(baselines[0].test);
  expect(results.bits_per_byte).toBeLessThan(3);
  const written = sardonyx("generate", run, "--prompt", "The whale", "--tokens", "6", "--temperature", "0");
  expect([written.stderr, written.status]).toEqual(["", 0]);
  expect(written.stdout).toContain("The whale");
  expect(sardonyx("eval", run).stdout).toMatch(/n-gram model/);
});

test("says what is missing or wrong before it trains", () => {
  const short = join(folder, "short.txt");
  writeFileSync(short, "The whale sings.\n".repeat(5));
  for (const [args, said] of [
    [["--data", short], /a part of it has \d+ pieces of words, too few for windows of 16; pass a longer text/],
    [["--data", book, "--context", "1"], /--context is 1; pass a whole number from 2/],
  ] as const) {
    const { stderr, status } = sardonyx("train", ...args.slice(0, 2), ...small, ...args.slice(2));
    expect([status, stderr]).toEqual([2, expect.stringMatching(said)]);
  }
});
