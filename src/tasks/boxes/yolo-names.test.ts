/** Names of classes, as they are written. */
import { expect, test } from "vitest";
import { namesOfLines, namesOfYaml } from "./yolo-names.ts";

const names = (text: string) => {
  const found = namesOfYaml(text, "data.yaml");
  return found && Object.fromEntries(found);
};

test.each([
  ["a list on a line", "nc: 2\nnames: [dog, cat]\n", { 0: "dog", 1: "cat" }],
  ["quotes and commas in them", `names: ['a, b', "c # d", 'it''s'] # three`, { 0: "a, b", 1: "c # d", 2: "it's" }],
  ["a list over lines", "names: [\n  dog, # the first\n  cat\n]\nnc: 2", { 0: "dog", 1: "cat" }],
  ["a map on a line", 'names: {0: dog, "3": cat}', { 0: "dog", 3: "cat" }],
  ["an item a line", "names:\n- dog\n- 'black cat'\nnc: 2", { 0: "dog", 1: "black cat" }],
  ["indented items", "names: # of dogs\n  - dog\n\n  - cat\n", { 0: "dog", 1: "cat" }],
  [
    "a number a line",
    "train: ../train/images\r\nnames:\r\n  0: dog\r\n  2: traffic light\r\n",
    { 0: "dog", 2: "traffic light" },
  ],
  ["nothing", "nc: 2\ntrain: x\n", undefined],
])("%s", (_, text, expected) => expect(names(text)).toEqual(expected));

test.each([
  ["a word", "nc: 1\nnames: dog", /data\.yaml: line 2: "dog" is no class of "names"; write names: \[cat, dog\]/],
  ["a map without numbers", "names:\n  dog: 0\n", /data\.yaml: line 2: "dog: 0" is no class/],
  ["a list that is cut", "names: [dog,\n  cat", /data\.yaml: line 1: "names" has no closing \]/],
  ["a map on a line without numbers", "names: {dog}", /line 1: "dog" is no class/],
])("%s is refused", (_, text, message) => expect(() => names(text)).toThrow(message));

test("a name a line", () => {
  expect([...namesOfLines("dog\r\n black cat \n\n")]).toEqual([
    [0, "dog"],
    [1, "black cat"],
  ]);
});
