/** Text of others does nothing where it is shown. */
import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { FileError } from "./errors.ts";
import { command, inOneLine, markdownText, printable, shellWord } from "./printable.ts";

const hostile = [
  "\u001b]0;title\u0007\u001b[2J",
  "\u009b31m",
  "\u202egnp.exe",
  "a\u2028b",
  "\ufeffx",
  "\r\nnew",
  "$(touch /tmp/x) `id` ; rm -rf '",
  "| **b** <script>alert(1)</script> [a](b) &lt; ```",
];

test("no character reaches a terminal that it would obey", () => {
  for (const text of hostile) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
    expect(printable(text)).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\ufeff]/);
    expect(inOneLine(text)).not.toMatch(/[\n\r\t]/);
    expect(new FileError(`the name "${text}" is bad`).message).toBe(`the name "${printable(text)}" is bad`);
  }
  expect(printable("a\u001bb\u009bc\td\ne")).toBe("a\\x1bb\\u009bc\td\ne");
  const json = JSON.stringify({ name: "\u001b\u007f\u009b\u202e" });
  expect(JSON.parse(printable(json))).toEqual(JSON.parse(json));
});

test("a message that a name made long is cut in its middle", () => {
  const { message } = new FileError(`file.onnx: the name "${"x".repeat(1e6)}" is too long; shorten it`);
  expect(message.length).toBeLessThan(5000);
  expect(message).toMatch(/^file.onnx: the name "xx.*… \d+ characters …x+" is too long; shorten it$/);
});

test("Markdown takes nothing of it for markup", () => {
  expect(markdownText("a|b\n# c `d` <e>")).toBe("a\\|b\\\\n# c \\`d\\` \\<e\\>");
});

test.skipIf(process.platform === "win32")("a shell reads quoted words back as they were", () => {
  const words = [...hostile.map((text) => text.replaceAll("\u0000", "")), "", "runs/iris", "meine Läufe/iris", "-x"];
  for (const word of words) {
    const line = command`printf %s ${word}`;
    expect(execFileSync("sh", ["-c", line], { encoding: "utf8" })).toBe(word);
  }
  expect([shellWord("runs/iris-2"), shellWord("a b")]).toEqual(["runs/iris-2", "'a b'"]);
});
