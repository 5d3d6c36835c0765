/** Samples of runs: columns by hand, words that share what their features add, tokens as they stand in a text, names, and methods that suit. */
import { describe, expect, test } from "vitest";
import { DataError } from "../../core/errors.ts";
import { keyOf } from "../../core/random.ts";
import { size } from "../../core/shape.ts";
import { Tensor, tensor } from "../../core/tensor.ts";
import type { RowEncoding } from "../../data/tables/rows/row-encoding.ts";
import { trainBpe } from "../../data/text/bpe.ts";
import { characterTokenizer } from "../../data/text/tokenizer.ts";
import type { Value } from "../../graph/ir.ts";
import { bertArchitectures, gpt2Architectures } from "../../models/index.ts";
import { lambda } from "../../nn/index.ts";
import * as ops from "../../ops/index.ts";
import { askedSample } from "./asked-sample.ts";
import { explainSample } from "./explain-sample.ts";
import { methodNames, methods, unsuited } from "./methods.ts";
import { largestOf, nameOf, placeOf } from "./sample.ts";
import { imageSample, numbersSample, rowSample, soundSample, wordsIn, wordsSample } from "./samples.ts";
import { piecesOf, promptSample, readSample } from "./token-samples.ts";

const statistics = { fill: 2, mean: 2, deviation: 1, edges: [0, 1], hasMissing: true };
const encoding: RowEncoding = {
  fields: [
    { name: "size", kind: "number", decimalComma: false, statistics },
    { name: "colour", kind: "category", values: ["red", "blue"] },
    { name: "weight", kind: "number", decimalComma: false, statistics: { ...statistics, fill: 10 } },
  ],
};
/** 3 size + 5 of blue + 100 where the weight is missing, as the first of two classes. */
const ofRows = lambda((x: Value) => {
  const at = (column: number) => ops.slice(x, { axis: 1, start: column, end: column + 1 });
  const missing = ops.cast(ops.isNan(at(2)), "float32");
  const score = ops.add(ops.add(ops.mul(at(0), 3), ops.mul(at(1), 5)), ops.mul(missing, 100));
  return ops.concat([score, ops.mul(score, 0)], 1);
});
const row = new Tensor("float32", [1, 3], Float32Array.of(4, 1, Number.NaN));
const scored = { model: ofRows, classes: ["yes", "no"] };

describe("a row of a table", () => {
  test("divides the score among its columns, from medians and the most frequent category on, what is missing too", async () => {
    const sample = await rowSample(scored, row, encoding);
    const { pictures, completeness, subject } = await explainSample(sample);
    expect(subject).toBe("yes");
    // From (2, red, 10): 3 · 2, 5 and 100.
    expect(pictures[0]?.picture).toEqual({
      kind: "bars",
      bars: [
        { name: "size", shown: "4", value: expect.closeTo(6, 3) },
        { name: "colour", shown: "blue", value: expect.closeTo(5, 3) },
        { name: "weight", shown: "", value: expect.closeTo(100, 3) },
      ],
    });
    expect(completeness?.expected).toBeCloseTo(111, 3);
  });

  test("why one class rather than another is the difference, and the checks are those of columns", async () => {
    const sample = await rowSample(scored, row, encoding);
    const found = await explainSample(sample, { chosen: { place: 1, against: 0 }, check: true, method: "occlusion" });
    expect(found.subject).toBe("no rather than yes");
    expect(found.score).toBeCloseTo(-117, 3);
    expect([...(found.attribution?.values.data ?? [])].map(Math.round)).toEqual([-6, -5, -100]);
    expect(found.checked?.faithfulness.deletion.scores).toHaveLength(4);
    expect(found.checked?.sanity.passes).toBe(false); // no parameters
  });
});

describe("a text by what occurs in it", () => {
  const features = {
    name: "text",
    words: ["good", "not", "not good"],
    characters: [],
    weights: [],
    longest: 4,
    runs: 0,
  };
  const ofIds = lambda((x: Value) =>
    ops.reduceSum(
      ops.gather(
        ops.constant(
          tensor([
            [0, 0],
            [3, 0],
            [1, 0],
            [-6, 0],
          ]),
        ),
        x,
        0,
      ),
      1,
    ),
  );

  test("words share what their pairs add, where they stand in the text", async () => {
    const x = tensor([[1, 2, 3, 0]], { dtype: "int32" });
    const sample = await wordsSample({ model: ofIds }, x, { text: "Not  good!", features });
    const { pictures } = await explainSample(sample, { chosen: { place: 0 } });
    // good 3 - 6 / 2, not 1 - 6 / 2
    expect(pictures[0]?.picture).toEqual({
      kind: "words",
      words: [
        { text: "Not", value: expect.closeTo(-2, 4) },
        { text: "  " },
        { text: "good", value: expect.closeTo(0, 4) },
        { text: "!", value: 0 },
      ],
    });
  });

  test("a text whose lower case is longer is shown by its words", () => {
    expect(wordsIn("İ a", ["i̇", "a"], [1, 2])).toEqual([
      { text: "i̇ ", value: 1 },
      { text: "a ", value: 2 },
    ]);
  });
});

describe("images and sounds", () => {
  /** The sum of a tensor, and its opposite. */
  const sums = lambda((x: Value) => {
    const sum = ops.reshape(ops.reduceSum(ops.reshape(x, [x.shape[0] ?? 1, size(x.shape.slice(1))]), 1), [
      x.shape[0] ?? 1,
      1,
    ]);
    return ops.concat([sum, ops.mul(sum, -1)], 1);
  });
  const image = new Tensor("float32", [1, 3, 2, 2], Float32Array.of(1, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, -1));

  test("channels of a pixel are added up, under the image as it was given", async () => {
    const raw = new Tensor("uint8", [1, 3, 2, 2], new Uint8Array(12).fill(9));
    const sample = await imageSample({ model: sums }, image, raw);
    const { pictures } = await explainSample(sample, { method: "integrated-gradients" });
    const [picture] = pictures.map((own) => own.picture);
    expect(picture?.kind === "map" && picture.values.toNumbers().map((value) => Math.round(value))).toEqual([
      7, 0, 0, -1,
    ]);
    expect(picture?.kind === "map" && picture.image.dtype).toBe("uint8");
  });

  test("a spectrogram has time to the right and high notes at the top; a wave has parts", async () => {
    const frames = new Tensor("float32", [1, 2, 3], Float32Array.of(1, 2, 3, 4, 5, 6));
    const { pictures } = await explainSample(await soundSample({ model: sums }, frames));
    const [picture] = pictures.map((own) => own.picture);
    expect(picture?.kind === "map" && picture.values.toNumbers().map(Math.round)).toEqual([3, 6, 2, 5, 1, 4]);
    const wave = new Tensor("float32", [1, 128], new Float32Array(128).fill(1));
    const parts = (await explainSample(await soundSample({ model: sums }, wave), { method: "kernel-shap" }))
      .pictures[0];
    expect(parts?.picture.kind === "bars" && parts.picture.bars.length).toBe(64);
    expect(parts?.picture.kind === "bars" && parts.picture.bars[0]?.value).toBeCloseTo(2, 2);
  });
});

describe("tokens", () => {
  test("stand in a text as they are decoded; parts of a character by what they are called", () => {
    const tokenizer = trainBpe("the cat sat on the mat, the cat sat", { vocabulary: 280 });
    const ids = tokenizer.encode("the cat 好");
    const pieces = piecesOf(tokenizer, ids);
    expect(pieces.join("")).toContain("the cat");
    expect(pieces).toHaveLength(ids.length);
    expect(pieces.join("")).not.toContain("\uFFFD");
  });

  test("of a prompt explain the token that comes next, by every method of tokens", async () => {
    const tokenizer = characterTokenizer("abc");
    const sizes = { vocabulary: tokenizer.size, width: 8, layers: 2, heads: 2, feedForward: 16, positions: 6 };
    const model = gpt2Architectures.GPT2LMHeadModel({ sizes });
    model.initialize(keyOf(1), { dtype: "int32", shape: [1, 6] } as never);
    const writer = { tokenizer, positions: 6, prompt: "a" };
    const sample = await promptSample(model, "abca", writer);
    expect(nameOf(sample, placeOf(sample, "b", "--target"))).toBe('"b"');
    for (const method of ["occlusion", "attention-rollout", "logit-lens", "logit-contributions"] as const) {
      const { pictures, notes } = await explainSample(sample, { method, check: method === "logit-lens" });
      const [picture] = pictures.map((own) => own.picture);
      const names =
        picture?.kind === "words"
          ? picture.words.map(({ text }) => text)
          : picture?.kind === "bars" && picture.bars.map(({ name }) => name);
      expect(names).toEqual(
        method === "occlusion" || method === "attention-rollout"
          ? ["a", "b", "c", "a"]
          : ["embedding", "transformer.h.0", "transformer.h.1", ...(method === "logit-contributions" ? ["bias"] : [])],
      );
      if (method === "logit-lens") expect(notes.at(-1)).toMatch(/nothing to check/);
    }
    await expect(promptSample(model, "abcabca", writer)).rejects.toThrow(
      "the prompt has 7 tokens, the model reads 6 at most; shorten it",
    );
    await expect(promptSample(model, "", writer)).rejects.toThrow("the prompt is empty");
  });
});

describe("what is asked", () => {
  test("a class is found by its name, whatever its case, or its number; others are listed", async () => {
    const sample = await rowSample(scored, row, encoding);
    expect([placeOf(sample, "no", ""), placeOf(sample, "YES", ""), placeOf(sample, "1", "")]).toEqual([1, 0, 1]);
    expect(largestOf(sample)).toBe(0);
    expect(() => placeOf(sample, "2", "--target")).toThrow(
      '--target is "2"; pass one of yes, no, or a number from 0 to 1',
    );
    const number = await numbersSample(
      { model: lambda((x: Value) => ops.reduceSum(x, 1, { keepDims: true })) },
      tensor([[1, 2]]),
      tensor([[1, 2]]),
    );
    expect(() => placeOf(number, "1", "--target")).toThrow(
      "--target is 1, and the model predicts a number; leave it out",
    );
    expect((await explainSample(number)).subject).toBe("the number");
  });

  test("every method says what it is; those that do not suit are refused with those that do", async () => {
    expect(methodNames.every((name) => methods[name].about.length > 10)).toBe(true);
    const sample = await rowSample(scored, row, encoding);
    await expect(explainSample(sample, { method: "grad-cam" })).rejects.toThrow(
      /^grad-cam needs an image, and this is a row of a table; pass one of integrated-gradients, .*kernel-shap, lime$/,
    );
    expect(unsuited("logit-lens", sample)).toMatch(/needs a language model/);
    const pictures = { model: lambda((x: Value) => x) };
    await expect(imageSample(pictures, tensor([[[[1, 2]]]]), tensor([[[[1, 2]]]]))).rejects.toThrow(
      "the model gives float32[1, 1, 1, 2], no scores [1, classes] and no number [1, 1]; explain runs that classify",
    );
  });
});

describe("texts that a Transformer reads", () => {
  const tokenizer = trainBpe("the film was lovely and the song was boring", { vocabulary: 300 });
  const sizes = { vocabulary: tokenizer.size, width: 8, layers: 2, heads: 2, feedForward: 16, positions: 12 };
  const model = bertArchitectures.BertForSequenceClassification({ sizes });
  const type = { dtype: "int32", shape: [1, 12] } as const;
  model.initialize(keyOf(2), { x: type, mask: type } as never);
  const reader = { tokenizer, length: 12, padding: 0 };

  test("have a value for each token, without padding, from a text of padding on", async () => {
    const sample = await readSample({ model, classes: ["bad", "good"] }, "the film", reader);
    const { pictures, completeness } = await explainSample(sample);
    const [picture] = pictures.map((own) => own.picture);
    expect(picture?.kind === "words" && picture.words.map(({ text }) => text).join("")).toBe("the film");
    expect(sample.x.shape[1]).toBe(tokenizer.encode("the film").length);
    expect(Math.abs(completeness?.error ?? 1)).toBeLessThan(1e-3);
    const rollout = await explainSample(sample, { method: "attention-rollout" });
    // Not causal: what the first place, which stands for the text, takes of all tokens.
    expect(rollout.notes[0]).toContain("in the first place");
    const [carried] = rollout.pictures.map((own) => own.picture);
    const shares = carried?.kind === "words" ? carried.words.reduce((sum, { value = 0 }) => sum + value, 0) : 0;
    expect(shares).toBeCloseTo(1, 5);
  });

  test("that are longer than what is read are cut", async () => {
    const sample = await readSample({ model }, "the film was lovely and the song was boring and the film", reader);
    expect(sample.x.shape).toEqual([1, 12]);
  });
});

describe("a run that is asked by sentences", () => {
  /** 2 of "good", -3 of "bad" and 1 of two words or more, as the score of the second class. */
  const runOf = (answers: (text: string) => object) =>
    ({
      deployment: { classes: ["no", "yes"], dialogue: { what: "a sentence" } },
      ask: async (text: string) => answers(text),
    }) as unknown as Parameters<typeof askedSample>[0];
  const scoresFor = (text: string) => {
    if (text.trim() === "") throw new DataError("the text is empty; pass one");
    const score = 2 * Number(text.includes("good")) - 3 * Number(text.includes("bad")) + Number(/\S\s+\S/.test(text));
    return { output: tensor([[0, score]]) };
  };

  test("is explained by the words that are left out, where they stand", async () => {
    const sample = await askedSample(runOf(scoresFor), "Good? good, bad");
    const { pictures, subject, notes } = await explainSample(sample, { chosen: { place: 1 }, check: true });
    expect(subject).toBe("yes");
    expect(pictures[0]?.picture).toEqual({
      kind: "words",
      words: [
        { text: "Good", value: 0 },
        { text: "?", value: 0 },
        { text: " " },
        { text: "good", value: 2 },
        { text: ",", value: 0 },
        { text: " " },
        { text: "bad", value: -3 },
      ],
    });
    expect(notes).toEqual(["the checks need the input of the model, which a run that is asked does not show"]);
  });

  test("its only word cannot be left out, which a note says; other methods and answers in words are refused", async () => {
    const sample = await askedSample(runOf(scoresFor), "good");
    const { notes } = await explainSample(sample);
    expect(notes).toEqual(['without "good" there is no answer: the text is empty; pass one']);
    await expect(explainSample(sample, { method: "saliency" })).rejects.toThrow(
      "saliency needs the input of the model, and this is a question; pass one of occlusion",
    );
    await expect(
      askedSample(
        runOf(() => ({ text: "hello", fields: {} })),
        "hi",
      ),
    ).rejects.toThrow("the run answers a sentence in words, not by scores of classes");
  });
});
