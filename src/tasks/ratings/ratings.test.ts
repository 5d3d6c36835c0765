/** What a table of ratings is taken for, how each user's are parted, what simple ways and recommendations say. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { keyOf, Random } from "../../core/random.ts";
import { tensor } from "../../core/tensor.ts";
import { recipeForData } from "../kinds/recipe-for-data.node.ts";
import { loadRatings, type RatingsRequest } from "./load-ratings.node.ts";
import { baselinesOfRatings } from "./rating-baselines.ts";
import { itemsOfUsers, type Ratings, rankingFigures } from "./rating-parts.ts";
import { recommendationFor, userOf } from "./recommendation.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-ratings-"));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function given(lines: readonly string[]): string {
  const path = join(folder, `${files++}.csv`);
  writeFileSync(path, lines.join("\n"));
  return path;
}
const load = (lines: readonly string[], request: Partial<RatingsRequest> = {}) =>
  loadRatings({
    ...{ user: "", item: "", rating: "", time: "", task: "auto", seed: 0, limit: undefined },
    path: given(lines),
    ...request,
  });

const random = new Random(keyOf(4));
/** Twenty users of two tastes: those of one like the first half of twenty films. */
const rows = Array.from({ length: 20 }, (_, user) =>
  [...random.permutation(20)]
    .slice(0, 14)
    .map((film, i) => ({ user, film, stars: film < 10 === user < 10 ? 5 : 1, at: 100 * user + i })),
).flat();
const rated = [
  "userId,movieId,rating,timestamp",
  ...rows.map(({ user, film, stars, at }) => `u${user},f${film},${stars},${at}`),
];
const pairsOf = ({ x }: Ratings) =>
  Array.from({ length: x.data.length / 2 }, (_, i) => `${x.data[2 * i]} ${x.data[2 * i + 1]}`);

test("ratings are told by names of columns, or by --task", async () => {
  expect(await recipeForData(given(rated))).toEqual({ recipe: "ratings", because: "ratings of items by users" });
  expect(await recipeForData(given(["customer_id,product", "1,a", "2,b"]))).toEqual({
    recipe: "ratings",
    because: "items that users chose",
  });
  expect((await recipeForData(given(["user,product,price", "1,a,3", "2,b,4"]))).recipe).toBe("table");
  expect((await recipeForData(given(["a,b", "1,a", "2,b"]), "ranking")).recipe).toBe("ratings");
});

describe("parts", () => {
  test("are of each user, the latest ratings in the test, none in two", async () => {
    const { users, train, validation, test: tested } = await load(rated);
    const all = [train, validation, tested].flatMap(pairsOf);
    expect([all.length, new Set(all).size]).toEqual([280, 280]);
    // Of 14 a tenth, rounded, is 1.
    expect(itemsOfUsers(users.length, tested).map(({ size }) => size)).toEqual(new Array(20).fill(1));
    const last = rows.filter(({ user }) => user === 3).at(-1);
    const { items } = await load(rated);
    const [own] = itemsOfUsers(users.length, tested)[users.indexOf("u3")] ?? [];
    expect(items[own ?? -1]).toBe(`f${last?.film}`);
  });
  test("without a time are drawn, by the seed", async () => {
    const timeless = rated.map((line) => line.split(",").slice(0, 3).join(","));
    const [one, same, other] = [await load(timeless), await load(timeless), await load(timeless, { seed: 1 })];
    expect(pairsOf(same.test)).toEqual(pairsOf(one.test));
    expect(pairsOf(other.test)).not.toEqual(pairsOf(one.test));
  });
});

describe("rows", () => {
  test("that repeat count once, the latest; those without a value are left out; both are said", async () => {
    const {
      train,
      validation,
      test: tested,
      notes,
    } = await load([...rated, `u0,f${rows[0]?.film},3,5000`, "u0,,4,1", "u0,f1,,1"]);
    const count = [train, validation, tested].reduce((sum, { y }) => sum + y.data.length, 0);
    expect(count).toBe(280);
    expect(tested.y.toNumbers()[0]).toBe(3);
    expect(notes.join("\n")).toMatch(/2 rows without a user, an item or a rating left out/);
    expect(notes.join("\n")).toMatch(/1 of an item that the user has already: the latest counts/);
  });
  test.each([
    [[...rated, "u0,f1,good,1"], {}, /line 282: "rating" is "good", expected a number/],
    [[...rated, "u0,f1,3,yesterday"], {}, /line 282: "timestamp" is "yesterday", and tells no time/],
    [
      ["a,b,c", "1,2,3"],
      {},
      /no column is named as one of users are, .*the table has "a", "b", "c"; name it: --user COLUMN/,
    ],
    [rated, { item: "movieid" }, /"movieid"; did you mean "movieId"/],
    [["user,item", "1,2"], { task: "ratings" as const }, /has no column of ratings; name it by --rating/],
    [["user,item,rating", "1,2,3", "2,2,4"], {}, /no "user" has 5 rows or more, of which some could be tested/],
    [["user,item,rating"], {}, /has no rows below its names/],
  ])("that make no sense are refused %#", async (lines, request, refusal) => {
    await expect(load(lines, request)).rejects.toThrow(refusal);
  });
});

describe("simple ways", () => {
  test("of ratings: nearest items see tastes, which biases do not", async () => {
    const results = await baselinesOfRatings(await load(rated));
    expect(results.map(({ name, metric }) => [name, metric])).toEqual([
      ["mean rating", "rmse"],
      ["biases of users and items", "rmse"],
      ["nearest items", "rmse"],
    ]);
    const [mean = 0, biases = 0, nearest = 0] = results.map(({ test: error }) => error);
    // Half are 5, half 1.
    expect(mean).toBeCloseTo(2, 1);
    expect(biases).toBeGreaterThan(1.5);
    expect(nearest).toBeLessThan(1);
  });
  test("of choices: most popular, and nearest items", async () => {
    const liked = rated.filter((line, i) => i === 0 || line.split(",")[2] === "5");
    const results = await baselinesOfRatings(await load(liked, { task: "ranking" }));
    expect(results.map(({ name, metric }) => [name, metric])).toEqual([
      ["most popular", "recall at 10"],
      ["nearest items", "recall at 10"],
    ]);
    // What is left of a taste's ten films is among ten; of the popular ones half are of the other taste.
    expect(results[1]?.test).toBe(1);
  });
  test("of choices: what users had and passed over is not recommended", async () => {
    const pair = (user: number, item: number): Ratings => ({
      x: tensor([[user, item]], { dtype: "int32" }),
      y: tensor([1]),
    });
    // Twelve films; film 11 is the most popular, film 0 the least; "a" has passed over the former, and likes the latter.
    const likes = Array.from({ length: 12 }, (_, item) => Array.from({ length: item + 1 }, (_, i) => [1 + i, item]));
    const parts = {
      ...{ users: "abcdefghijklm".split(""), items: likes.map((_, item) => `f${item}`), hasRatings: false },
      train: { x: tensor(likes.flat(), { dtype: "int32" }), y: tensor(likes.flat().map(() => 1)) },
      ...{ validation: pair(0, 2), test: pair(0, 0), range: [1, 1] as const },
    };
    // Without 2, which is validated, ten are 11 to 1; without 11 as well, 10 to 0.
    const [before] = await baselinesOfRatings(parts);
    const [after] = await baselinesOfRatings({ ...parts, passed: { train: pair(0, 11), validation: pair(0, 10) } });
    expect([before?.name, before?.test, after?.name, after?.test]).toEqual(["most popular", 0, "most popular", 1]);
  });
});

test("figures of rankings: what was found, and how far up", async () => {
  const parts = await load(rated);
  const [tested] = itemsOfUsers(parts.users.length, parts.test)[0] ?? [];
  const sought = { ...parts.test, x: parts.test.x, y: parts.test.y };
  const atTop = await rankingFigures(parts, {
    had: [parts.train, parts.validation],
    sought,
    scores: (user) =>
      Float64Array.from(parts.items, (_, item) =>
        Number(itemsOfUsers(parts.users.length, parts.test)[user]?.has(item)),
      ),
  });
  expect([atTop.recall, atTop.gain]).toEqual([1, 1]);
  expect(tested).toBeDefined();
  // Of six or seven items that a user lacks all are among ten.
  const any = await rankingFigures(parts, {
    had: [parts.train, parts.validation],
    sought,
    scores: () => parts.items.map((_, i) => -i),
  });
  expect(any.recall).toBe(1);
  expect(any.gain).toBeLessThan(1);
});

describe("recommendations", () => {
  const facts = {
    ...{ users: ["ann", "42"], items: ["a", "b", "c"], hasRatings: true, had: [[0], []], popularity: [1, 3, 2] },
    ...{ mean: 3, range: [1, 5] as [number, number] },
  };
  test("are the best items that a user does not have, within the range of ratings", async () => {
    const { fields, text } = await recommendationFor("ann", facts, async () => [9, 7, 2]);
    expect(fields).toEqual({
      user: "ann",
      isKnown: true,
      items: [
        { item: "b", score: 5 },
        { item: "c", score: 2 },
      ],
    });
    expect(text).toContain("5.00  b");
  });
  test("for a stranger are what most users have, with a note", async () => {
    const { fields, note } = await recommendationFor("bob", facts, async () => []);
    expect(fields.items.map(({ item }) => item)).toEqual(["b", "c", "a"]);
    expect(note).toMatch(/"bob" is no user that was trained on/);
  });
  test("are asked for by name or as JSON", () => {
    expect([userOf(" 42 "), userOf('{"user": 42}'), userOf('{"user": "a b"}')]).toEqual(["42", "42", "a b"]);
    expect(() => userOf(" ")).toThrow(/the user is empty; pass a user/);
    expect(() => userOf("{")).toThrow(/is no JSON/);
    expect(() => userOf('{"name": "x"}')).toThrow(/has no "user"/);
  });
});
