import { expect, test } from "vitest";
import type { AskedInput } from "../shared/api.ts";
import { takeSame } from "./same-input.ts";

const table = (...names: readonly string[]): AskedInput => ({
  kind: "table",
  columns: names.map((name) => ({ name, kind: "number", example: "1" })),
});
const image = (height: number): AskedInput => ({ kind: "image", height, width: 28, channels: 1, turns: true });

test("runs are asked together whose input is the same", () => {
  expect(takeSame(image(28), image(32))).toBe(true);
  expect(takeSame(image(28), { kind: "numbers", shape: [28] })).toBe(false);
  expect(takeSame(table("a", "b"), table("b", "a"))).toBe(true);
  expect(takeSame(table("a", "b"), table("a"))).toBe(false);
  expect(takeSame(table("a", "b"), table("a", "c"))).toBe(false);
  expect(takeSame({ kind: "numbers", shape: [2, 2] }, { kind: "numbers", shape: [4] })).toBe(true);
  expect(takeSame({ kind: "numbers", shape: [3] }, { kind: "numbers", shape: [4] })).toBe(false);
});
