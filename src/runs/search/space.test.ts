/** What a search may choose: how it is written, what is refused, what is drawn. */
import { describe, expect, test } from "vitest";
import { keyOf } from "../../core/random.ts";
import { checkSpace, drawFrom, parseSpace } from "./space.ts";

const now = { learningRate: 0.001, batchSize: 64, optimizer: "adam", width: 128, dropout: 0.2, packed: false };

describe("parseSpace", () => {
  test("reads ranges and choices as what the settings are", () => {
    expect(parseSpace("learning-rate=1e-4..1e-2 batch-size=16|32, --width=64..128;optimizer=adam|sgd", now)).toEqual({
      learningRate: { low: 1e-4, high: 1e-2, log: true },
      batchSize: { choices: [16, 32] },
      width: { low: 64, high: 128, whole: true },
      optimizer: { choices: ["adam", "sgd"] },
    });
    expect(parseSpace("dropout=0..0.5 packed=true|false", now)).toEqual({
      dropout: { low: 0, high: 0.5 },
      packed: { choices: [true, false] },
    });
  });
  test.each([
    ["learning-rat=1..2", /unknown setting "learning-rat"; did you mean "learning-rate"/],
    ["learning-rate", /--search has "learning-rate"; write a name and its values/],
    ["learning-rate=", /write a name and its values/],
    ["learning-rate=0.1..0.01", /goes from 0.1 to 0.01; pass a lower number first/],
    ["width=a..b", /--search of width has "a", expected a number/],
    ["optimizer=1..2", /optimizer is no number; pass its values: optimizer=a\|b/],
    ["", /a search has nothing to choose/],
  ])("refuses %j", (text, said) => {
    expect(() => parseSpace(text, now)).toThrow(said);
  });
});

test("a space in code is checked alike", () => {
  expect(() => checkSpace({ width: { low: 0, high: 8, log: true } }, ["width"])).toThrow(/above 0 first/);
  expect(() => checkSpace({ width: { choices: [] } }, ["width"])).toThrow(/no choices/);
});

test("draws lie in their ranges, by the logarithm half of them below the middle", () => {
  const space = {
    rate: { low: 1e-4, high: 1, log: true },
    width: { low: 2, high: 5, whole: true },
    kind: { choices: ["a", "b"] },
  };
  const drawn = Array.from({ length: 400 }, (_, i) => drawFrom(space, keyOf(i)));
  const rates = drawn.map(({ rate }) => Number(rate));
  expect(Math.min(...rates)).toBeGreaterThanOrEqual(1e-4);
  expect(Math.max(...rates)).toBeLessThanOrEqual(1);
  const below = rates.filter((rate) => rate < 1e-2).length;
  expect(below).toBeGreaterThan(150);
  expect(below).toBeLessThan(250);
  expect(new Set(drawn.map(({ width }) => width))).toEqual(new Set([2, 3, 4, 5]));
  expect(new Set(drawn.map(({ kind }) => kind))).toEqual(new Set(["a", "b"]));
  expect(drawFrom(space, keyOf(3))).toEqual(drawn[3]);
});
