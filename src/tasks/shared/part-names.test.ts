/** Parts by the names of folders and files. */
import { expect, test } from "vitest";
import { partOfPath, partOfWord, partsTold } from "./part-names.ts";

test.each([
  ["train", "train"],
  ["Valid", "validation"],
  ["images/val2017", "validation"],
  ["annotations/instances_train2017.json", "train"],
  ["testing", "test"],
  ["val/train", "train"],
  ["trainer", undefined],
  ["contest", undefined],
  ["test12", undefined],
])("%s", (path, part) => expect(partOfPath(path)).toBe(part));

test("words stand for parts whole, and parts count where some are measured by", () => {
  expect([partOfWord("validation"), partOfWord("my-train")]).toEqual(["validation", undefined]);
  expect(partsTold(["train", undefined, "test"])).toEqual(["train", undefined, "test"]);
  expect(partsTold(["train", undefined])).toEqual([undefined, undefined]);
  expect(partsTold(["validation", "test"])).toEqual([undefined, undefined]);
});
