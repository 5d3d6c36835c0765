/** What messages make of what files hold. */
import { describe, expect, test } from "vitest";
import { atPlace, FileError, InternalError, unknownName } from "./errors.ts";
import { asSentence, quoted } from "./printable.ts";

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
