/** Decoding with kept keys and values gives what the whole sequence gives; sampling draws what its options leave. */
import { describe, expect, test } from "vitest";
import { DataError, NonFiniteError, OptionError } from "../core/errors.ts";
import { keyOf, Random } from "../core/random.ts";
import { Tensor } from "../core/tensor.ts";
import { graphOf, type Value } from "../graph/ir.ts";
import { optimize } from "../jit/compile.ts";
import { BertModel, gpt2Architectures, LlamaModel, qwen2Architectures, type TokenInputs } from "../models/index.ts";
import {
  type AnyModule,
  dense,
  embedding,
  flatten,
  lstm,
  type Module,
  quantizeFrozen,
  sequential,
} from "../nn/index.ts";
import { builtIn } from "../nn/parameter-inputs.ts";
import { predict } from "../train/predict.ts";
import { decoder } from "./decoder.ts";
import { generate } from "./generate.ts";
import { sampleToken } from "./sampling.ts";

const sizes = { vocabulary: 31, width: 16, layers: 2, heads: 4, feedForward: 24, positions: 12 };
const grouped = { keyHeads: 2, windows: [3] };
type LanguageModel = Module<TokenInputs>;
const models: readonly (readonly [string, LanguageModel])[] = [
  ["gpt2", gpt2Architectures.GPT2LMHeadModel({ sizes, details: { dropout: 0 } })],
  ["qwen2, with grouped keys", qwen2Architectures.Qwen2ForCausalLM({ sizes, attention: { keyHeads: 2 } })],
  ["llama, with a window", sequential<TokenInputs>([new LlamaModel({ sizes, attention: grouped })])],
  // Which has no keys and values to keep.
  ["a recurrent network", sequential<TokenInputs>([embedding(31, 8), lstm(8), dense(31)])],
];
const tokens = [3, 14, 15, 9, 26, 5, 3, 5, 8, 9, 7];

function prepared<M extends AnyModule>(model: M): M {
  model.trace({ dtype: "int32", shape: [1, 2] });
  model.initialize(keyOf(4));
  return model;
}

describe("a decoder", () => {
  test.each(models)("%s: each step gives the last logits of the whole", async (_, model) => {
    prepared(model);
    const whole = await predict(model, new Tensor("int32", [1, tokens.length], Int32Array.from(tokens)));
    const width = whole.shape[2] ?? 1;
    const step = await decoder(model, { capacity: 12, chunk: 3 });
    // A prompt of two chunks and two single tokens, then token by token.
    let logits = await step.feed(tokens.slice(0, 8));
    for (let read = 8; read <= tokens.length; read++) {
      const expected = whole.data.slice((read - 1) * width, read * width) as Float32Array;
      // Sums of 16 terms in another order.
      for (const [i, value] of logits.entries()) expect(value).toBeCloseTo(expected[i] ?? Number.NaN, 5);
      if (read < tokens.length) logits = await step.feed([tokens[read] ?? 0]);
    }
    expect(step.length).toBe(11);
    // What the text before left behind counts for nothing.
    step.reset();
    const again = await step.feed(tokens.slice(0, 1));
    for (const [i, value] of again.entries()) expect(value).toBeCloseTo(Number(whole.data[i]), 5);
  });

  test("weights in 4 bits are read as they are stored, and give what their numbers give", async () => {
    const [packed, plain] = [0, 1].map(() =>
      prepared(qwen2Architectures.Qwen2ForCausalLM({ sizes, attention: { keyHeads: 2 } })),
    );
    if (!packed || !plain) throw new Error("two models");
    packed.freeze();
    quantizeFrozen(packed, { bits: 4, block: 16 });
    for (const [path, parameter] of plain.parameters()) {
      const value = packed.parameters().get(path)?.value;
      if (value) parameter.value = value;
    }
    const small = await decoder(packed, { capacity: 12 });
    const expected = await (await decoder(plain, { capacity: 12 })).feed(tokens);
    for (const [i, value] of (await small.feed(tokens)).entries()) expect(value).toBeCloseTo(expected[i] ?? 0, 5);
    const { inputs, output } = packed.trace({ dtype: "int32", shape: [1, 1] }, { bind: builtIn });
    const operators = optimize(graphOf(inputs, [output as Value])).nodes.map(({ op }) => op.type);
    // Of each layer queries, keys, values, outputs, and three products more; the scores.
    expect(operators.filter((type) => type === "MatMulNBits")).toHaveLength(15);
  });

  test.each(models)("%s: texts side by side are read as one by one", async (_, model) => {
    prepared(model);
    const texts = [tokens.slice(0, 5), tokens.slice(5, 10)];
    const together = await decoder(model, { capacity: 12, chunk: 3, batch: 2 });
    const alone = await decoder(model, { capacity: 12, chunk: 3 });
    await together.feedAll(texts.map((text) => text.slice(0, 4)));
    const found = await together.feedAll(texts.map((text) => text.slice(4)));
    for (const [i, text] of texts.entries()) {
      alone.reset();
      const expected = await alone.feed(text);
      for (const [k, value] of (found[i] as Float32Array).entries()) expect(value).toBeCloseTo(expected[k] ?? 0, 5);
    }
    await expect(together.feed([1])).rejects.toThrow("tokens of 1 texts, of lengths 1, where 2 of one length are read");
    await expect(together.feedAll([[1], [1, 2]])).rejects.toThrow(DataError);
  });

  test("refuses what it has no room for", async () => {
    const step = await decoder(prepared(gpt2Architectures.GPT2LMHeadModel({ sizes })), { capacity: 4 });
    await expect(step.feed([1, 2, 3, 4, 5])).rejects.toThrow(
      "5 tokens are more than the 4 that the model can read; cut the text, or reset",
    );
    await expect(step.feed([])).rejects.toThrow(DataError);
  });

  test("refuses more than the model's positions at once", async () => {
    await expect(decoder(prepared(gpt2Architectures.GPT2LMHeadModel({ sizes })), { capacity: 64 })).rejects.toThrow(
      "it has 12 positions, and decoding asks for 64; pass a capacity of at most 12",
    );
  });

  test("refuses what is no language model", async () => {
    const flat = prepared(sequential([embedding(31, 2), flatten()]));
    await expect(decoder(flat, { capacity: 4 })).rejects.toThrow(
      "the model gives [1, 2]; a language model gives logits [batch, time, vocabulary]",
    );
    const encoder = prepared(new BertModel({ sizes }));
    await expect(decoder(encoder, { capacity: 4 })).rejects.toThrow("the model gives no single tensor");
  });

  test("goes on when it is full, with the last half of what it read", async () => {
    const step = await decoder(prepared(gpt2Architectures.GPT2LMHeadModel({ sizes })), { capacity: 4 });
    const drawn: number[] = [];
    for await (const token of generate(step, [1, 2], { temperature: 0, random: new Random(keyOf(0)) })) {
      drawn.push(token);
      if (drawn.length === 9) break;
    }
    // It was full after the prompt and two more; the fourth token comes after the second and third alone.
    step.reset();
    const logits = await step.feed(drawn.slice(1, 3));
    expect(drawn[3]).toBe(logits.indexOf(Math.max(...logits)));
  });
});

describe("sampling", () => {
  test("logits that are no numbers are refused; one that rules a token out is not", () => {
    const random = new Random(keyOf(1));
    for (const options of [{}, { temperature: 0 }])
      expect(() => sampleToken(Float32Array.of(1, Number.NaN), options, random)).toThrow("the logit of token 1 is NaN");
    expect(() => sampleToken(Float32Array.of(Number.POSITIVE_INFINITY), {}, random)).toThrow(NonFiniteError);
    expect(sampleToken(Float32Array.of(Number.NEGATIVE_INFINITY, 1), {}, random)).toBe(1);
  });

  // Probabilities 0.5, 0.25, 0.15, 0.1.
  const logits = Float32Array.from([0.15, 0.5, 0.1, 0.25], Math.log);
  const draw = (options: Parameters<typeof sampleToken>[1], count = 4000) => {
    const random = new Random(keyOf(2));
    const shares = [0, 0, 0, 0];
    for (let i = 0; i < count; i++) {
      const token = sampleToken(logits, options, random);
      shares[token] = (shares[token] ?? 0) + 1 / count;
    }
    return shares;
  };
  /** Three deviations of a share of 4,000 draws are at most 0.024. */
  const near = (shares: readonly number[], expected: readonly number[]) => {
    for (const [i, share] of shares.entries()) expect(Math.abs(share - (expected[i] ?? 0))).toBeLessThan(0.025);
  };

  test("by probability", () => near(draw({}), [0.15, 0.5, 0.1, 0.25]));
  test("the likeliest at temperature 0", () => expect(draw({ temperature: 0 }, 10)[1]).toBeCloseTo(1));
  // Squares of the probabilities, over their sum 0.345.
  test("surer at temperature 0.5", () =>
    near(
      draw({ temperature: 0.5 }),
      [0.0225, 0.25, 0.01, 0.0625].map((p) => p / 0.345),
    ));
  test("the two likeliest", () => near(draw({ topK: 2 }), [0, 2 / 3, 0, 1 / 3]));
  test("those with 0.7 of the probability together", () => near(draw({ topP: 0.7 }), [0, 2 / 3, 0, 1 / 3]));
  test.each([{ temperature: -1 }, { topK: 0 }, { topP: 0 }, { topP: 1.5 }])("refuses %j", (options) =>
    expect(() => sampleToken(logits, options, new Random(keyOf(0)))).toThrow(OptionError),
  );
});
