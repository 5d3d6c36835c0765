/** Tokenizers: characters, and byte-pair encodings against merges by hand. */
import { describe, expect, test } from "vitest";
import { DataError, FileError, OptionError } from "../../core/errors.ts";
import { trainBpe } from "./bpe.ts";
import { characterTokenizer, tokenizerOf } from "./tokenizer.ts";

describe("characters", () => {
  const tokenizer = characterTokenizer("an anchor");
  test("there and back", () => {
    expect(tokenizer.size).toBe(7); // space a c h n o r
    expect(tokenizer.encode("ran ")).toEqual([6, 1, 4, 0]);
    expect(tokenizer.decode([6, 1, 4, 0])).toBe("ran ");
    expect(tokenizer.encode("")).toEqual([]);
  });
  test("one that is not known is reported", () =>
    expect(() => tokenizer.encode("bar")).toThrow(
      'the character "b" at position 1 of the text is none of the 7 that the model knows; leave it out, or train on a text that has it',
    ));
  test("as a file that Hugging Face's library reads", () => {
    const again = tokenizerOf(JSON.parse(tokenizer.json()));
    expect(again.encode("ran an")).toEqual(tokenizer.encode("ran an"));
    expect(again.decode([6, 1, 4])).toBe("ran");
  });
  test("no text", () => expect(() => characterTokenizer("")).toThrow(DataError));
});

describe("byte pairs", () => {
  // Sennrich et al. 2016, fig. 1, with the counts of sec. 3.2: low 5, lower 2, newest 6, widest 3.
  const text = [..."low ".repeat(5).split(" "), ..."lower ".repeat(2).split(" ")]
    .concat("newest ".repeat(6).split(" "), "widest ".repeat(3).split(" "))
    .filter((word) => word !== "")
    .join("\n");

  test("the most frequent pairs are merged, of equals those of smaller ids", () => {
    const { model } = JSON.parse(trainBpe(text, { vocabulary: 256 + 6 }).json()) as {
      model: { merges: [string, string][] };
    };
    // Of 9: es, st; es is of smaller ids. Then es+t 9; lo 7, low 7; ne, ew 6, n+e; ne+w.
    expect(model.merges.map((pair) => pair.join("+"))).toEqual(["e+s", "es+t", "l+o", "lo+w", "e+w", "n+ew"]);
  });

  test("any text comes back, with tokens that the training did not see", () => {
    const tokenizer = trainBpe(text, { vocabulary: 300 });
    for (const given of ["lowest", "  two  spaces\n\tand é, ☃ 🐋", "", "it's 12 o'clock"])
      expect(tokenizer.decode(tokenizer.encode(given))).toBe(given);
    expect(tokenizer.encode("newest")).toHaveLength(1);
  });

  test("special tokens come first and stand for no text", () => {
    const tokenizer = trainBpe(text, { vocabulary: 300, special: ["[PAD]", "[MASK]"] });
    expect([tokenizer.idOf("[PAD]"), tokenizer.idOf("[MASK]")]).toEqual([0, 1]);
    expect(tokenizer.encode("[MASK]").length).toBeGreaterThan(1);
    expect(() => tokenizer.idOf("[CLS]")).toThrow('the tokenizer has no token "[CLS]"');
  });

  test("small letters only", () => {
    const tokenizer = trainBpe(text.toUpperCase(), { vocabulary: 300, lowercase: true });
    expect(tokenizer.encode("NEWEST")).toEqual(tokenizer.encode("newest"));
  });

  test("as a file that Hugging Face's library reads alike", () => {
    const tokenizer = trainBpe(text, { vocabulary: 280, special: ["[PAD]"] });
    const again = tokenizerOf(JSON.parse(tokenizer.json()));
    expect(again.encode("the lowest widest newer")).toEqual(tokenizer.encode("the lowest widest newer"));
    expect(again.size).toBe(tokenizer.size);
  });

  test("training ends where no pair occurs twice", () => expect(trainBpe("ab", { vocabulary: 400 }).size).toBe(256));
  test("bad options", () => {
    expect(() => trainBpe("text", { vocabulary: 255 })).toThrow(OptionError);
    expect(() => trainBpe("", { vocabulary: 300 })).toThrow(DataError);
  });
  test("a unigram model, whose vocabulary is a list: the likeliest pieces", () => {
    // Log-probabilities: "he" + "llo" -3 is likelier than "hello" -5 and than letters.
    const vocab: [string, number][] = [
      ["<unk>", 0],
      ["\u2581", -4],
      ["\u2581he", -1],
      ["llo", -2],
      ["\u2581hello", -5],
    ];
    const metaspace = { type: "Metaspace", replacement: "\u2581", prepend_scheme: "always" };
    const tokenizer = tokenizerOf({
      model: { type: "Unigram", unk_id: 0, vocab },
      pre_tokenizer: metaspace,
      decoder: metaspace,
    });
    expect([tokenizer.size, tokenizer.tokens[3]]).toEqual([5, "llo"]);
    expect(tokenizer.encode("hello he")).toEqual([2, 3, 2]);
    expect(tokenizer.decode([2, 3, 2])).toBe("hello he");
    const again = tokenizerOf(JSON.parse(tokenizer.json()));
    expect(again.encode("hello he")).toEqual([2, 3, 2]);
  });
  test("parts of another form, which the library meets only at a text, are refused in a sentence", () => {
    const model = { type: "WordLevel", vocab: { a: 0 }, unk_token: "a" };
    const cut = tokenizerOf({ model, post_processor: { type: "TemplateProcessing" } } as never);
    expect(() => cut.encodeWithSpecial("a")).toThrow(FileError);
    expect(() => cut.encodeWithSpecial("a")).toThrow(
      /^the tokenizer\.json does not encode a text \(.*get the file anew$/,
    );
  });
  test("a file of something else", () => expect(() => tokenizerOf({} as never)).toThrow(FileError));
});
