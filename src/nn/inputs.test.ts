/** Which parts of a batch a module takes. Refused inputs are tested with modules. */
import { describe, expect, test } from "vitest";
import { OptionError } from "../core/errors.ts";
import { input } from "../graph/ir.ts";
import { inputsFor, takenNames, takenOf, valuesOf } from "./inputs.ts";

const [x, mask, y] = [input("float32", [2, 3]), input("int32", [2, 3]), input("int32", [2])];
const named = { image: "required", mask: "optional" } as const;

test("a module of one tensor takes x of a batch", () => {
  expect(takenNames("tensor", ["y", "x"])).toEqual(["x"]);
  expect(takenOf("tensor", { x, y })).toBe(x);
  expect(() => takenOf("tensor", { image: x, y })).toThrow(OptionError);
  expect(() => takenOf("tensor", { image: x, y })).toThrow(
    "the model takes one tensor, which a batch calls x, and this one has image, y; rename it",
  );
});

test("a module of names takes those of them that are there", () => {
  expect(takenOf(named, { y, mask, image: x })).toEqual({ image: x, mask });
  expect(takenOf(named, { y, image: x })).toEqual({ image: x });
  expect(takenNames(named, ["y"])).toEqual([]);
});

test("a module of a tree takes all", () => {
  expect(takenOf("tree", { x, y })).toEqual({ x, y });
});

test("a tensor alone is x, or else the first input", () => {
  expect(inputsFor({ mask: "optional", x: "required" }, x)).toEqual({ x });
  expect(inputsFor(named, x)).toEqual({ image: x });
  expect(inputsFor("tensor", { x })).toBe(x);
});

test("an input that is undefined is not there", () => {
  expect(inputsFor(named, { image: x, mask: undefined })).toEqual({ image: x, mask: undefined });
  expect(() => inputsFor(named, { image: undefined, mask })).toThrow('lacks its input "image"');
  expect(valuesOf({ image: x, mask: undefined, more: [y, "none"] })).toEqual([x, y]);
});

const one = { image: "required" } as const;
const two = { image: "required", table: "optional" } as const;

describe("an only input", () => {
  test("is taken alone, under its name, or as x", () => {
    for (const given of [x, { image: x }, { x }]) expect(inputsFor(one, given)).toEqual({ image: x });
    expect(() => inputsFor(one, { x, y })).toThrow(OptionError);
    expect(() => inputsFor(one, { images: x })).toThrow('unknown input "images"; did you mean "image"?');
  });

  test("is found in a batch under its name, else as x", () => {
    expect(takenNames(one, ["x", "y"])).toEqual(["x"]);
    expect(takenNames(one, ["x", "image"])).toEqual(["image"]);
    expect(takenOf(one, { x: 1, y: 2 })).toEqual({ x: 1 });
    expect(takenOf(one, { image: 3, x: 1 })).toEqual({ image: 3 });
  });
});

test("one of several is not", () => {
  expect(takenNames(two, ["x", "y"])).toEqual([]);
  expect(() => inputsFor(two, { x })).toThrow('unknown input "x"');
  expect(inputsFor(two, x)).toEqual({ image: x });
});
