/** Confusion matrices, small and large. */
import { expect, test } from "vitest";
import { confusionTable, frequentConfusions } from "./report-confusion.ts";

test("cells are the darker the larger their share of the row", () => {
  const table = confusionTable(
    [
      [3, 1],
      [0, 0],
    ],
    ["<b>", "dog"],
  );
  expect(table).toContain("&lt;b&gt;");
  // 0.7 √(3/4) and 0.7 √(1/4)
  expect(table).toMatch(/--right\),0\.606\)">3<.*--wrong\),0\.350\)">1<.*75\.00 %/);
});

test("of many classes the most frequent confusions are listed", () => {
  const matrix = Array.from({ length: 30 }, (_, i) =>
    Array.from({ length: 30 }, (_, k) => (i === 2 && k === 7 ? 9 : 0)),
  );
  expect(frequentConfusions(matrix, ["a", "b", "c"])).toEqual([{ actual: "c", predicted: "7", times: 9 }]);
  expect(confusionTable(matrix, [])).toContain("The most frequent confusions of 30 classes");
});
