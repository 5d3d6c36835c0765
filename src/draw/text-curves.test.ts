/** Curves in characters: where points lie, what axes say. */
import { expect, test } from "vitest";
import { textCurves } from "./text-curves.ts";

test("two curves over an axis of epochs", () => {
  const history = [
    { loss: 4, validation_loss: 4 },
    { loss: 2, validation_loss: 3 },
    { loss: 1, validation_loss: 3 },
    { loss: 0, validation_loss: 4 },
  ];
  expect(textCurves(history, "loss", { columns: 18, rows: 5 })).toEqual([
    "loss   • training  + validation  * both",
    "4 │*             +",
    "  │     +   +",
    "  │     •",
    "  │         •",
    "0 │              •",
    "  └───────────────",
    "   1    2   3    4",
  ]);
});

test("one curve, with epochs that have no number; no curve without numbers", () => {
  const lines = textCurves([{ accuracy: 0.5 }, { accuracy: Number.NaN }, { accuracy: 0.75 }], "accuracy", {
    columns: 20,
    rows: 3,
  });
  expect(lines[0]).toBe("accuracy");
  expect(lines.join("").match(/•/g)).toHaveLength(2);
  expect(lines[1]).toMatch(/^0.75 │ +•$/);
  expect(lines[3]).toMatch(/^ 0.5 │•$/);
  expect(textCurves([{ loss: Number.NaN }], "loss")).toEqual([]);
  expect(textCurves([{ loss: 1 }], "loss", { columns: 12, rows: 3 })[2]).toContain("•");
});
