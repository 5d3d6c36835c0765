/** Structure notices what is replaced in a model, wherever it is, and nothing else. */
import { expect, test } from "vitest";
import { keyOf } from "../core/random.ts";
import { tensor } from "../core/tensor.ts";
import { dense, lambda, type Module, sequential } from "./index.ts";
import { Structure } from "./structure.ts";

function model() {
  const head: Module = dense(2);
  const whole = Object.assign(sequential([dense(3), lambda((x) => x)]), { head, sizes: { width: 3, depths: [1, 2] } });
  whole.initialize(keyOf(0), tensor([[1, 2]]));
  return whole;
}

type Model = ReturnType<typeof model>;

test.each<[string, (whole: Model) => void]>([
  ["a layer", (whole) => Object.assign(whole, { head: dense(2) })],
  ["a number in an object", ({ sizes }) => Object.assign(sizes, { width: 4 })],
  ["an element that is added", ({ sizes }) => sizes.depths.push(3)],
  ["an element that is removed", ({ sizes }) => sizes.depths.pop()],
  ["a field that is added", (whole) => Object.assign(whole, { extra: 1 })],
  ["a parameter that is added", ({ head }) => head.initialize(keyOf(1), tensor([[1, 2]]))],
])("%s counts", (_name, replace) => {
  const whole = model();
  const structure = new Structure(whole);
  expect(structure.isCurrent()).toBe(true);
  replace(whole);
  expect(structure.isCurrent()).toBe(false);
  expect(new Structure(whole).isCurrent()).toBe(true);
});

test("values of parameters do not", () => {
  const whole = model();
  const structure = new Structure(whole);
  whole.initialize(keyOf(2), tensor([[1, 2]]));
  expect(structure.isCurrent()).toBe(true);
});
