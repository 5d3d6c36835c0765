/** What modules take: `x` of a batch, whatever the name of an only input. */
import { describe, expect, test } from "vitest";
import { OptionError } from "../core/errors.ts";
import { input } from "../graph/ir.ts";
import { inputsFor, takenNames, takenOf } from "./inputs.ts";

const one = { image: "required" } as const;
const two = { image: "required", table: "optional" } as const;
const [x, y] = [input("float32", [1]), input("float32", [1])];

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
