/** What is said of nodes that the processor computes: once, of a step that has any, on a card. */
import { expect, test } from "vitest";
import type { Placement } from "../../runtime/session.ts";
import { placementText, tellingPlacement } from "./placement-note.ts";

const some: Placement = { nodes: 340, onProcessor: { BitShift: 5, BitwiseXor: 7 } };

test.each<readonly [Placement, string | undefined]>([
  [{ nodes: 340, onProcessor: {} }, undefined],
  [some, "12 of 340 nodes of a step are computed by the processor: BitwiseXor 7, BitShift 5"],
  [{ nodes: 1, onProcessor: { GRU: 1 } }, "1 of 1 node of a step is computed by the processor: GRU 1"],
  [
    { nodes: 50, onProcessor: { A: 9, B: 8, C: 7, D: 6, E: 5, F: 4, G: 3, H: 2 } },
    "44 of 50 nodes of a step are computed by the processor: A 9, B 8, C 7, D 6, E 5, F 4, others 5",
  ],
])("%j", (placement, text) => {
  expect(placementText(placement)).toBe(text);
});

test("it is said once, and on the processor not at all", () => {
  const notes: string[] = [];
  const observer = { onNote: (note: string) => notes.push(note) };
  const { onPlacement } = tellingPlacement({ compile: { device: "cuda" }, observer });
  for (const placement of [{ nodes: 3, onProcessor: {} }, some, some]) onPlacement?.(placement);
  expect(notes).toEqual([placementText(some)]);
  expect(tellingPlacement({ compile: { device: "cpu" }, observer })).toEqual({ device: "cpu" });
});
