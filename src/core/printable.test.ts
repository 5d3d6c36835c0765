/** Text of others does nothing where it is shown. */
import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { atPlace, FileError, InternalError, unknownName } from "./errors.ts";
import { asSentence, command, inOneLine, markdownText, printable, quoted, shellWord } from "./printable.ts";

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
    expect(new FileError(`the name "${text}" is bad`).message).toBe(`the name "${asSentence(text)}" is bad`);
  }
  expect(printable("a\u001bb\u009bc\td\ne")).toBe("a\\x1bb\\u009bc\td\ne");
  const json = JSON.stringify({ name: "\u001b\u007f\u009b\u202e" });
  expect(JSON.parse(printable(json))).toEqual(JSON.parse(json));
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

describe("asSentence", () => {
  test("writes control characters out and puts lines into one", () => {
    expect(asSentence('no JSON ("{\n  a\u001b[31m"…)')).toBe('no JSON ("{ a\\x1b[31m"…)');
  });

  test("keeps the beginning and the end of a long text", () => {
    const text = asSentence(`model.onnx: the name "${"a".repeat(1e6)}" is used twice; rename one`);
    expect(text.length).toBe(1000);
    expect(text).toMatch(/^model\.onnx: the name "a+ … a+" is used twice; rename one$/);
  });

  test("leaves what fits as it is", () => {
    expect(asSentence("conv2d: 中 é; pass 3")).toBe("conv2d: 中 é; pass 3");
  });
});

test("a long name is quoted by its beginning", () => {
  expect(quoted("weight")).toBe('"weight"');
  expect(quoted("w".repeat(100))).toBe(`"${"w".repeat(79)}…"`);
});

describe("messages of errors", () => {
  test("are sentences, also behind the place where they came about", () => {
    const error = new FileError(`the tensor "\u001b[2J" is cut off${"!".repeat(2000)}`);
    expect(error.message).toMatch(/^the tensor "\\x1b\[2J" is cut off!+ … !+$/);
    expect((atPlace("a\nb", error) as Error).message).toMatch(/^a b: the tensor/);
    expect(error.message.length).toBe(1000);
    expect(new InternalError(`a\u0007b`).message).toBe("internal: a\\x07b");
  });

  test("of unknown names list as many as can be read", () => {
    const names = Array.from({ length: 500 }, (_, i) => `layers.${i}.weight`);
    const { message } = unknownName("tensor", "layers.1.wieght", names);
    expect(message).toMatch(
      /^unknown tensor "layers\.1\.wieght"; did you mean "layers\.1\.weight"\? Known: layers\.0\.weight, /,
    );
    expect(message).toMatch(/, layers\.\d+\.weight and 46\d others\.$/);
    expect(unknownName("tensor", "x".repeat(1e6), ["a"]).message).toBe(
      `unknown tensor "${"x".repeat(79)}…". Known: a.`,
    );
  });
});
