/** Opacus' states, there and back. */
import { expect, test } from "vitest";
import { OptionError } from "../../core/errors.ts";
import { historyOfOpacus, opacusState } from "./opacus-state.ts";

const history = [
  { noiseMultiplier: 1.1, sampleRate: 0.01, steps: 300 },
  { noiseMultiplier: 0.9, sampleRate: 0.02, steps: 5 },
];

test("a history is written and read", () => {
  const state = opacusState(history, "rdp");
  expect(JSON.stringify(state)).toBe('{"history":[[1.1,0.01,300],[0.9,0.02,5]],"mechanism":"rdp"}');
  expect(historyOfOpacus(JSON.parse(JSON.stringify(state)))).toEqual({ history, accountant: "rdp" });
  expect(opacusState([])).toEqual({ history: [], mechanism: "prv" });
  expect(historyOfOpacus({ history: [], mechanism: "gdp" })).toEqual({ history: [], accountant: "gdp" });
});

test("consecutive steps of one mechanism are one phase, and the order stays", () => {
  const [first, second] = history;
  if (!first || !second) expect.fail("the test has two phases");
  expect(opacusState([first, first, second, first]).history).toEqual([
    [1.1, 0.01, 600],
    [0.9, 0.02, 5],
    [1.1, 0.01, 300],
  ]);
});

test.each([
  [undefined, "the state of Opacus: options are missing"],
  [{}, "the state of Opacus: history is missing"],
  [{ history: [] }, 'the state of Opacus: mechanism is missing; pass "prv", "rdp" or "gdp"'],
  [{ history: [[1, 0.1]], mechanism: "rdp" }, "history[0] is [1, 0.1]; pass [noise multiplier, sample rate, steps]"],
  [{ history: [["1", 0.1, 1]], mechanism: "rdp" }, "history[0] is "],
  [{ history: [[1, 2, 1]], mechanism: "rdp" }, "the state of Opacus: history[0].sampleRate is 2; pass"],
  [{ history: [[1, 0.1, 0.5]], mechanism: "rdp" }, "the state of Opacus: history[0].steps is 0.5; pass"],
  [{ history: [], mechanism: "moments" }, 'mechanism is "moments"; pass'],
])("%j is refused", (state, message) => {
  expect(() => historyOfOpacus(state as never)).toThrow(OptionError);
  expect(() => historyOfOpacus(state as never)).toThrow(message);
});

test("an accountant that Opacus lacks is refused", () => {
  expect(() => opacusState(history, "moments" as never)).toThrow('mechanism is "moments"; pass');
});
