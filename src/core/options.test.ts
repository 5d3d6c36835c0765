/** Options are declared once: names and values that are none are refused, with what to pass. */
import { expect, test } from "vitest";
import { conv2d } from "../nn/layers/conv.ts";
import { dense } from "../nn/layers/dense.ts";
import { lstm } from "../nn/layers/recurrent.ts";
import { sequential } from "../nn/layers/sequential.ts";
import { adam } from "../train/optimizers/index.ts";
import { OptionError } from "./errors.ts";
import {
  count,
  eitherOf,
  extentsType,
  flag,
  fraction,
  functionOf,
  having,
  listOf,
  nameOrFunction,
  nonNegative,
  number,
  objectOf,
  oneOf,
  positive,
  positiveShare,
  share,
  string,
} from "./option-types.ts";
import { optionsOf, required } from "./options.ts";

interface Lid {
  readonly open?: boolean;
}
interface Box {
  readonly size: number;
  readonly sides?: readonly number[];
  readonly colour?: "red" | "blue";
  readonly name?: string | undefined;
  readonly lid?: Lid;
  readonly lock?: { turn(): void };
  readonly weigh?: (size: number) => number;
}
const checkLid = optionsOf<Lid>("lid", { open: flag });
const check = optionsOf<Box>("box", {
  size: required(count()),
  sides: listOf(positive, "lengths"),
  colour: oneOf("red", "blue"),
  name: string,
  lid: checkLid.type,
  lock: having("turn", "a lock"),
  weigh: functionOf("(size) => kilograms"),
});
// The compiler holds declarations to their interfaces.
// @ts-expect-error an option is missing
optionsOf<Lid>("lid", {});
// @ts-expect-error an option is of another type
optionsOf<Lid>("lid", { open: string });
// @ts-expect-error an option that may be left out is required
optionsOf<Lid>("lid", { open: required(flag) });
// @ts-expect-error an option that is required may be left out
optionsOf<Pick<Box, "size">>("box", { size: count() });

/** The error for options that TypeScript would not let pass. */
const refused = (options: unknown) => {
  try {
    check(options as Box);
  } catch (error) {
    expect(error).toBeInstanceOf(OptionError);
    return (error as Error).message;
  }
  return "passed";
};

test("options that are known come back as they are", () => {
  const options: Box = { size: 1, sides: [1, 2], colour: "red", name: undefined, lid: { open: true }, weigh: () => 1 };
  expect(check(options)).toBe(options);
});

test("a name that is none is refused with the nearest, also within an option", () => {
  expect(refused({ size: 1, collar: "red" })).toBe(
    'unknown option of box: "collar"; did you mean "colour"? Known: size, sides, colour, name, lid, lock, weigh.',
  );
  expect(refused({ size: 1, lid: { opened: true } })).toBe(
    'unknown option of lid: "opened"; did you mean "open"? Known: open.',
  );
});

test("a mistaken name counts before a missing one", () => {
  expect(refused({ sise: 1 })).toContain('did you mean "size"?');
});

test.each([
  [{}, "box: size is missing; pass a whole number from 1"],
  [{ size: 2.5 }, "box: size is 2.5; pass a whole number from 1"],
  [{ size: 0 }, "box: size is 0; pass a whole number from 1"],
  [{ size: Number.NaN }, "box: size is NaN; pass a whole number from 1"],
  [{ size: 1, sides: 3 }, "box: sides is 3; pass a list of lengths"],
  [{ size: 1, sides: [1, "2"] }, 'box: sides[1] is "2"; pass a number above 0'],
  [{ size: 1, sides: [1, 0] }, "box: sides[1] is 0; pass a number above 0"],
  [{ size: 1, colour: "green" }, 'box: colour is "green"; pass "red" or "blue"'],
  [{ size: 1, name: null }, "box: name is null; pass a string"],
  [{ size: 1, lid: { open: 1 } }, "box: lid.open is 1; pass true or false"],
  [{ size: 1, lid: false }, "box: lid is false; pass an object such as { open: … }"],
  [{ size: 1, lock: new Map() }, "box: lock is a Map; pass a lock"],
  [{ size: 1, weigh: { kilograms: 1 } }, "box: weigh is an object; pass (size) => kilograms"],
  ["large", 'box: options are "large"; pass an object such as { size: … }'],
])("%j is refused: %s", (options, message) => {
  expect(refused(options)).toBe(message);
});

test.each([
  ["a number", number, [0, -1.5], [Number.POSITIVE_INFINITY, "1"]],
  ["a number from 0", nonNegative, [0, 2], [-1, Number.NaN]],
  ["a number above 0", positive, [0.1], [0, "1"]],
  ["a number in [0, 1]", share, [0, 1], [-0.1, 1.1]],
  ["a number above 0, at most 1", positiveShare, [1], [0]],
  ["a number in [0, 1)", fraction, [0, 0.5], [1, -1, null]],
  ["a whole number from 0", count(0), [0, 1], [-1, 0.5, 2 ** 60, "1"]],
  ["[height, width], whole numbers from 1", extentsType, [[2, 3]], [[2], [0, 1], 3]],
  ["true or false, or a share", eitherOf(flag, share, "true or false, or a share"), [true, 0.5], [2]],
  ['"one"', oneOf("one"), ["one"], ["two"]],
  ['"one", "two" or "three"', oneOf("one", "two", "three"), ["two"], ["four", 1]],
  ["a function, or one of relu", nameOrFunction({ relu: 1 }), ["relu", () => 1], [1]],
  ["an object", objectOf("an object"), [{}], [[], null]],
] as const)("pass %s", (expected, type, taken, others) => {
  const checkValue = optionsOf<{ value?: unknown }>("it", { value: type });
  for (const value of taken) expect(() => checkValue({ value })).not.toThrow();
  for (const value of others) expect(() => checkValue({ value })).toThrow(`; pass ${expected}`);
});

test("layers, optimizers and sequences refuse what they cannot mean", () => {
  const wrong = (options: object) => options;
  expect(() => dense(3, wrong({ activaton: "relu" }))).toThrow('did you mean "activation"?');
  expect(() => dense(3, wrong({ activation: "rellu" }))).toThrow('dense: activation is "rellu"; did you mean "relu"?');
  expect(() => dense(3, wrong({ bias: "no" }))).toThrow('dense: bias is "no"; pass true or false');
  expect(() => conv2d(3, 3, wrong({ strides: 2 }))).toThrow('did you mean "stride"?');
  expect(() => lstm(3, wrong({ direction: "both" }))).toThrow("unknown option of lstm:");
  expect(() => adam(wrong({ learningrate: 1 }))).toThrow('did you mean "learningRate"?');
  expect(() => adam(wrong({ amsgrad: 1 }))).toThrow("adam: amsgrad is 1; pass true or false");
  expect(() => sequential(dense(1) as object as [])).toThrow("sequential takes a list of modules");
});
