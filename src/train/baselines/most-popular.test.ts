/** Popularity by hand. */
import { expect, test } from "vitest";
import { DataError, ShapeError } from "../../core/errors.ts";
import { tensor } from "../../core/tensor.ts";
import { mostPopular, popularityRecall } from "./most-popular.ts";

// Item 1 has two users, who count once each, items 2 and 3 one.
const liked = tensor([
  [0, 1],
  [0, 1],
  [1, 1],
  [1, 2],
  [2, 3],
]);

test("the most popular first, without what the user has", () => {
  const recommend = mostPopular(liked, { items: 5, k: 2 });
  expect([recommend(0), recommend(1), recommend(2), recommend(9)]).toEqual([
    [2, 3],
    [3, 0],
    [1, 2],
    [1, 2],
  ]);
});

test("recall is the mean over users of what is found of what is new", () => {
  const test = tensor([
    [0, 1], // had, not sought
    [0, 2],
    [0, 4],
    [2, 1],
  ]);
  // User 0 gets 2 and 3, of 2 and 4; user 2 gets 1 and 2, of 1.
  expect(popularityRecall(liked, test, { items: 5, k: 2 })).toBe((1 / 2 + 1) / 2);
  expect(() => popularityRecall(liked, liked, { items: 5 })).toThrow(DataError);
});

test("what are no pairs, and items that there are not, are refused", () => {
  expect(() => mostPopular(tensor([1, 2]), { items: 5 })).toThrow(ShapeError);
  expect(() => mostPopular(liked, { items: 3 })).toThrow(
    "mostPopular: the item of pair 4 is 3; pass items from 0 to 2",
  );
});
