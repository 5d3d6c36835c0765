/** MovieLens's files: read, unpacked, refused where they are broken, counted where rows are left out. */
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { zipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { keyOf } from "../../core/random.ts";
import { linesOf } from "../tables/csv-schema.node.ts";
import { loadMovieLens, loadSyntheticRatings, unpackMovieLens } from "./movielens.node.ts";
import { multiHotGenres, readMovieLens } from "./movielens.ts";

const fixture = fileURLToPath(new URL("../../../test/fixtures/data/movielens", import.meta.url));
const folder = () => mkdtempSync(join(tmpdir(), "sardonyx-movielens-"));

test("reads films and ratings", async () => {
  const { movies, users, genres, ratings, skipped } = await loadMovieLens({ dir: fixture });
  expect(movies).toHaveLength(10);
  expect(movies[3]).toEqual({
    id: 11,
    title: "American President, The (1995)",
    genres: ["Comedy", "Drama", "Romance"],
  });
  expect(movies[9]?.genres).toEqual([]); // (no genres listed)
  expect(users).toEqual([1, 2, 3, 5, 7, 11]);
  expect(genres.slice(0, 3)).toEqual(["Action", "Adventure", "Animation"]);
  expect([ratings.x.shape, ratings.y.shape]).toEqual([[42, 2], [42]]);
  // The file's first rating, of film 1 by user 1, or what it has there.
  const [user, movie, stars] = (readFileSync(join(fixture, "ratings.csv"), "utf8").split("\n")[1] ?? "").split(",");
  expect([users[Number(ratings.x.data[0])], movies[Number(ratings.x.data[1])]?.id, ratings.y.data[0]]).toEqual(
    [user, movie, stars].map(Number),
  );
  expect(skipped).toEqual({ outOfRange: 0, unknownMovie: 0, repeated: 0 });
});

/** Reads two texts as files. */
const read = (movies: readonly string[], ratings: readonly string[]) => {
  const source = (name: string, rows: readonly string[]) => ({
    name,
    lines: linesOf(Readable.from([rows.join("\n")]), name),
  });
  return readMovieLens({
    movies: source("movies.csv", ["movieId,title,genres", ...movies]),
    ratings: source("ratings.csv", ["userId,movieId,rating,timestamp", ...ratings]),
  });
};
const films = ['5,"One, The (1990)",Drama|War', "9,Two (1991),War"];

test("leaves out ratings out of range, of unknown films and repeated ones, and counts them", async () => {
  const rows = ["1,5,4.0,0", "1,9,5.5,0", "2,9,0,0", "2,7,3,0", "2,5,-1,0", "1,5,2.0,1", "2,9,0.5,0"];
  const { ratings, skipped, users } = await read(films, rows);
  expect(skipped).toEqual({ outOfRange: 3, unknownMovie: 1, repeated: 1 });
  expect([...ratings.x.data]).toEqual([0, 0, 1, 1]);
  expect([...ratings.y.data]).toEqual([4, 0.5]);
  expect(users).toEqual([1, 2]);
});

test("genres as zeros and ones", async () => {
  const data = await read(films, ["1,5,4.0,0"]);
  expect(data.genres).toEqual(["Drama", "War"]);
  expect(multiHotGenres(data).toArray()).toEqual([
    [1, 1],
    [0, 1],
  ]);
});

describe("refuses", () => {
  test.each([
    [films, ["1,5,4.0"], "ratings.csv: line 2 has 3 values, expected 4"],
    [films, ["1,5,4.0,0", "1,9,good,0"], 'ratings.csv: line 3, rating is "good", expected a number'],
    [films, ["1,5,,0"], 'ratings.csv: line 2, rating is "", expected a number'],
    [films, ["one,5,4.0,0"], 'ratings.csv: line 2, userId is "one", expected a whole number'],
    [films, ["1,5.5,4.0,0"], 'ratings.csv: line 2, movieId is "5.5", expected a whole number'],
    [["x,One,Drama"], ["1,5,4.0,0"], 'movies.csv: line 2, movieId is "x", expected a whole number'],
    [["5,One,Drama", "5,Two,War"], ["1,5,4.0,0"], "movies.csv: line 3 has movieId 5 a second time"],
    [films, ["1,77,4.0,0"], "ratings.csv: holds no rating of a known film"],
    [films, [], "ratings.csv: holds no rating of a known film"],
  ])("%j, %j", async (movies, ratings, message) => {
    await expect(read(movies, ratings)).rejects.toThrow(message);
  });

  test("files of another layout", async () => {
    const dir = folder();
    writeFileSync(join(dir, "movies.csv"), "id,name\n1,One\n");
    writeFileSync(join(dir, "ratings.csv"), "userId,movieId,rating,timestamp\n1,1,4,0\n");
    await expect(loadMovieLens({ dir })).rejects.toThrow('is "id,name", expected the header movieId,title,genres');
  });

  test("a folder without both files", async () => {
    await expect(loadMovieLens({ dir: folder() })).rejects.toThrow("has not both of movies.csv, ratings.csv");
  });
});

describe("archive", () => {
  const bytesOf = (name: string) => new Uint8Array(readFileSync(join(fixture, name)));

  test("is unpacked, its own folders aside", async () => {
    const dir = folder();
    const files = {
      "ml/movies.csv": bytesOf("movies.csv"),
      "ml/ratings.csv": bytesOf("ratings.csv"),
      "ml/README.txt": new Uint8Array(3),
    };
    writeFileSync(join(dir, "a.zip"), zipSync(files));
    await unpackMovieLens(join(dir, "a.zip"), join(dir, "ml-latest-small"));
    expect((await loadMovieLens({ dir })).movies).toHaveLength(10);
  });

  test("is refused when it is cut off, or has not both files", async () => {
    const dir = folder();
    const whole = zipSync({ "movies.csv": bytesOf("movies.csv") });
    writeFileSync(join(dir, "half.zip"), whole.subarray(0, whole.length / 2));
    await expect(unpackMovieLens(join(dir, "half.zip"), dir)).rejects.toThrow("half.zip is no whole zip archive");
    writeFileSync(join(dir, "one.zip"), whole);
    await expect(unpackMovieLens(join(dir, "one.zip"), dir)).rejects.toThrow("one.zip has no ratings.csv");
  });

  test("that the server does not give is reported, with what to put where", async () => {
    const options = { cacheDir: folder() };
    const failing = globalThis.fetch;
    globalThis.fetch = async () => new Response("gone", { status: 404 });
    try {
      await expect(loadMovieLens(options)).rejects.toThrow(/HTTP status 404.*978202 bytes, sha256 696d65a3/);
    } finally {
      globalThis.fetch = failing;
    }
  });
});

test("synthetic ratings are in range, of known films, the same for the same key", async () => {
  const options = { key: keyOf(1), users: 50, movies: 120, perUser: 30 };
  const { movies, users, ratings, skipped } = await loadSyntheticRatings(options);
  expect([movies.length, users.length]).toEqual([120, 50]);
  expect(movies[0]?.title).toMatch(/film 1, The \(1950\)$/);
  expect(skipped).toEqual({ outOfRange: 0, unknownMovie: 0, repeated: 0 });
  const stars = ratings.y.toNumbers();
  expect(stars.length).toBeGreaterThan(800);
  expect(stars.every((value) => value >= 0.5 && value <= 5 && Number.isInteger(2 * value))).toBe(true);
  const mean = stars.reduce((sum, value) => sum + value, 0) / stars.length;
  // 3.5, and somewhat more: people see rather what they will like.
  expect(mean).toBeGreaterThan(3.3);
  expect(mean).toBeLessThan(4.1);
  expect((await loadSyntheticRatings(options)).ratings.y.data).toEqual(ratings.y.data);
});
