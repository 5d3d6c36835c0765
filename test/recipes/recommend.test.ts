/** Films recommended, on synthetic ratings and on the format's fixture. */
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fixtures, sardonyx, train } from "./run.ts";

/** What simple ways reached beside a run, by name and measure. */
function baselinesOf(run: string): Readonly<Record<string, number>> {
  const { baselines } = JSON.parse(readFileSync(join(run, "evaluation.json"), "utf8")) as {
    baselines: readonly { readonly name: string; readonly metric: string; readonly test: number }[];
  };
  return Object.fromEntries(baselines.map(({ name, metric, test }) => [`${name}, ${metric}`, test]));
}

describe("recommend-movies on synthetic ratings", () => {
  test.each(["both", "factors", "neural"])("%s beats biases, and ranks better than every simple way", (model) => {
    const { results, run } = train("recommend-movies", "--data", "synthetic", "--model", model);
    const baselines = baselinesOf(run);
    expect(results["rootMeanSquaredError"]).toBeLessThan((baselines["biases of users and items, rmse"] ?? 0) - 0.01);
    const popular = baselines["most popular, recall at 10"] ?? 1;
    const nearest = baselines["nearest items, recall at 10"] ?? 1;
    // Chance finds 10 / 1,200; over five seeds the means are 12 %, 13 % and 15 %.
    expect(popular).toBeGreaterThan(0.05);
    expect(results["recall_at_10"]).toBeGreaterThan(Math.max(popular, nearest) + 0.005);
    expect(readFileSync(join(run, "films.svg"), "utf8")).toContain("principal component");
  });

  test("content knows nothing of a film but its genres: better than the mean alone", () => {
    const { results, run } = train("recommend-movies", "--data", "synthetic", "--model", "content", "--epochs", "6");
    // Ratings have a standard deviation of 0.9.
    expect(results["rootMeanSquaredError"]).toBeLessThan(0.85);
    expect(existsSync(join(run, "films.svg"))).toBe(false);
  });
});

test("recommend-movies on the format's fixture: the ten best films not rated yet, strangers refused", () => {
  const { run, stdout } = train(
    "recommend-movies",
    "--data",
    join(fixtures, "movielens"),
    "--batch-size",
    "8",
    "--epochs",
    "3",
  );
  expect(stdout).toContain("6 users, 10 films, 14 genres");
  const [answer] = sardonyx("predict", run, "7", "--json")
    .stdout.trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(answer.user).toBe(7);
  expect(answer.films).toHaveLength(10 - answer.rated);
  const ratings: readonly number[] = answer.films.map(({ rating }: { rating: number }) => rating);
  expect(ratings.filter((stars) => stars >= 0.5 && stars <= 5)).toHaveLength(ratings.length);
  expect(new Set(answer.films.map(({ id }: { id: number }) => id)).size).toBe(ratings.length);
  const stranger = sardonyx("predict", run, "4");
  expect([stranger.status, stranger.stderr]).toEqual([
    2,
    expect.stringContaining('there is no user "4" in the ratings'),
  ]);
});

test("recommend-movies reports what it left out, and names a broken line", () => {
  const folder = mkdtempSync(join(tmpdir(), "sardonyx-ratings-"));
  const copy = (name: string) => readFileSync(join(fixtures, "movielens", name), "utf8");
  writeFileSync(join(folder, "movies.csv"), copy("movies.csv"));
  writeFileSync(join(folder, "ratings.csv"), `${copy("ratings.csv")}1,999,4.0,0\n1,1,11,0\n`);
  const { stdout } = train("recommend-movies", "--data", folder, "--batch-size", "8", "--epochs", "1");
  expect(stdout).toContain("left out: 1 ratings out of range");
  expect(stdout).toContain("left out: 1 ratings of unknown films");
  writeFileSync(join(folder, "ratings.csv"), `${copy("ratings.csv")}1,1\n`);
  const { status, stderr } = sardonyx("train", "recommend-movies", "--data", folder);
  expect([status, stderr]).toEqual([2, expect.stringContaining("line 44 has 2 values, expected 4")]);
});
