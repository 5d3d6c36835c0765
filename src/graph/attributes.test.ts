/** Attributes of damaged files are refused before a rule reads them. */
import { expect, test } from "vitest";
import { UnsupportedError } from "../core/errors.ts";
import { tensor } from "../core/tensor.ts";
import { checkKinds, numbersOf } from "./attributes.ts";
import { graphOf } from "./ir.ts";
import type { AttributeKind, Attributes } from "./op.ts";

const fitting: Readonly<Record<AttributeKind, Attributes[string]>> = {
  int: 3,
  ints: [1, 2],
  float: 0.5,
  floats: [0.5],
  string: "SAME_UPPER",
  strings: ["Tanh"],
  tensor: tensor([1]),
  graph: graphOf([], []),
};

const all = Object.entries(fitting) as [AttributeKind, Attributes[string]][];

test.each(all)("%s", (kind, value) => {
  expect(() => checkKinds("Op", { a: kind }, { a: value })).not.toThrow();
  // What has another name is not the schema's.
  expect(() => checkKinds("Op", { b: kind }, { a: value, constructor: "" })).not.toThrow();
  // Whole numbers are floats too.
  const also: Partial<Record<AttributeKind, AttributeKind>> = { float: "int", floats: "ints" };
  for (const [other, wrong] of all)
    if (other !== kind && other !== also[kind])
      expect(() => checkKinds("Op", { a: kind }, { a: wrong }), `${other} for ${kind}`).toThrow(UnsupportedError);
});

test("a whole number is no list, a fraction no whole number", () => {
  expect(() => checkKinds("Conv", { pads: "ints" }, { pads: 1 })).toThrow(
    "Conv: its attribute pads is no ints; the file is damaged, or of another operator",
  );
  expect(() => checkKinds("Conv", { group: "int" }, { group: 1.5 })).toThrow(UnsupportedError);
});

test("numbers of an older form", () => {
  expect(numbersOf("Clip", { min: 1 }, "min")).toEqual([1]);
  expect(numbersOf("Squeeze", { axes: [1, 2] }, "axes")).toEqual([1, 2]);
  expect(numbersOf("Squeeze", {}, "axes")).toBeUndefined();
  expect(() => numbersOf("Squeeze", { axes: "1" }, "axes")).toThrow("Squeeze: its attribute axes is of no numbers");
});
