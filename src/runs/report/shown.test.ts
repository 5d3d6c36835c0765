/** Words and figures as they are shown. */
import { expect, test } from "vitest";
import { shown, worseText } from "./shown.ts";

test("text is shown whatever it holds, in one line", () => {
  expect(shown('<b>"a"\n\u001b')).toBe("&lt;b&gt;&quot;a&quot;\\n\\x1b");
  expect(shown("abcdef", 4)).toBe("abc…");
});

test("accuracy falls, an error grows, and nought has no sign", () => {
  expect([0.25, -0.01, 1e-17].map((value) => worseText("accuracy", value))).toEqual(["-25.00 %", "+1.00 %", "0.00 %"]);
  expect([12_345.6, 0.12345, -3, 0].map((value) => worseText("rmse", value))).toEqual(["+12,346", "+0.123", "-3", "0"]);
});
