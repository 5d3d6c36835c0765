/** Sentences and tables as a terminal shows them. */
import stringWidth from "string-width";
import { expect, test } from "vitest";
import { cut, fittedWidths, pad, table, wrap } from "./text.ts";

test("a table has a heading, a rule and a line for each row; numbers stand at the right", () => {
  const columns = [{ head: "Kind" }, { head: "Count", align: "right" as const }];
  expect(
    table(
      columns,
      [
        ["dense", "7"],
        ["convolution", "1,200"],
      ],
      80,
    ),
  ).toEqual(["Kind         Count", "──────────────────", "dense            7", "convolution  1,200"]);
});

test("Chinese cells and emoji take two columns each: what follows them stands in one column", () => {
  const lines = table(
    [{ head: "类别" }, { head: "n", align: "right" }],
    [
      ["猫", "1"],
      ["🐶 狗", "12"],
      ["bird", "3"],
    ],
    80,
  );
  expect(lines).toEqual(["类别    n", "─────────", "猫      1", "🐶 狗  12", "bird    3"]);
  expect(new Set(lines.map((line) => stringWidth(line)))).toEqual(new Set([9]));
});

test("at 80 columns long Chinese cells are wrapped, between any two characters", () => {
  const summary = "一个卷积网络，用于识别手写数字。".repeat(4);
  const lines = table(
    [{ head: "名称" }, { head: "说明" }, { head: "参数", align: "right" }],
    [["手写数字", summary, "61,706"]],
    80,
  );
  expect(Math.max(...lines.map((line) => stringWidth(line)))).toBeLessThanOrEqual(80);
  // 62 columns are left for 128.
  expect(lines.length).toBe(2 + 3);
  expect(lines[2]).toMatch(/^手写数字 {2}一个.* {2}61,706$/);
  expect(lines[3]).toMatch(/^ {10}\S/);
  expect(
    lines
      .slice(2)
      .map((line) => line.replace(/^手写数字| {2}61,706$/g, "").trim())
      .join(""),
  ).toBe(summary);
});

test("a column has its own limit, and words longer than it are cut in lines", () => {
  const lines = table(
    [{ head: "Name" }, { head: "Meaning", width: 12 }],
    [["a", "several words of text and/averylongpath"]],
    80,
  );
  expect(lines.slice(2)).toEqual(["a     several", "      words of", "      text and/ave", "      rylongpath"]);
});

test("the widest column gives way first, down to what can be read", () => {
  expect(fittedWidths([10, 40, 30], 80)).toEqual([10, 36, 30]);
  expect(fittedWidths([10, 60, 30], 60)).toEqual([10, 23, 23]);
  expect(fittedWidths([20, 20], 10)).toEqual([12, 12]);
});

test("texts are filled up and cut by columns", () => {
  expect(pad("猫", 4)).toBe("猫  ");
  expect(pad("猫", 4, "right")).toBe("  猫");
  expect(cut("short", 5)).toBe("short");
  expect(cut("encoder.layers.0", 8)).toBe("encoder…");
  expect(cut("encoder.layers.0", 8, "end")).toBe("…ayers.0");
  expect(cut("手写数字识别", 8)).toBe("手写数…");
});

test("sentences are wrapped at spaces, later lines indented", () => {
  expect(wrap("one two three", 8, 2)).toEqual(["one two", "  three"]);
  expect(wrap("类别 猫 狗", 7)).toEqual(["类别 猫", "狗"]);
});

test("a name that ends lines stays in its cell", () => {
  expect(table([{ head: "Layer" }], [["a\nb\tc"]], 80).at(-1)).toBe("a\\nb c");
});
