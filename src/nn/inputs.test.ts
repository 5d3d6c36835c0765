/** Which parts of a batch a module takes. Refused inputs are tested with modules. */
import { expect, test } from "vitest";
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
