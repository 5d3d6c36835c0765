/** Texts that are read side by side give what each gives alone, whatever joins and leaves. */
import { describe, expect, test } from "vitest";
import { DataError, OptionError } from "../core/errors.ts";
import { keyOf } from "../core/random.ts";
import { gpt2Architectures, LlamaModel, qwen2Architectures, type TokenInputs } from "../models/index.ts";
import { dense, embedding, lstm, type Module, sequential } from "../nn/index.ts";
import { decoder } from "./decoder.ts";
import { bucketsUpTo, type Row, rowDecoder } from "./row-decoder.ts";

const sizes = { vocabulary: 31, width: 16, layers: 2, heads: 4, feedForward: 24, positions: 16 };
const models: readonly (readonly [string, Module<TokenInputs>])[] = [
  ["gpt2", gpt2Architectures.GPT2LMHeadModel({ sizes, details: { dropout: 0 } })],
  ["qwen2, with grouped keys", qwen2Architectures.Qwen2ForCausalLM({ sizes, attention: { keyHeads: 2 } })],
  [
    "llama, with a window",
    sequential<TokenInputs>([new LlamaModel({ sizes, attention: { keyHeads: 2, windows: [3] } })]),
  ],
  // Which has no keys and values to keep.
  ["a recurrent network", sequential<TokenInputs>([embedding(31, 8), lstm(8), dense(31)])],
];
const texts = [[3, 14, 15, 9, 26, 5, 3, 5, 8, 9, 7, 2], [2, 7, 18], [16, 18, 0, 3, 3, 9, 8], [1], [30, 29, 28, 27, 26]];

describe.each(models)("%s", (_, model) => {
  model.trace({ dtype: "int32", shape: [1, 2] } as never);
  model.initialize(keyOf(4));

  test("texts that join and leave at different times give what each gives alone", async () => {
    const alone = await decoder(model, { capacity: 16 });
    const together = await rowDecoder(model, { capacity: 16, rows: 4, chunk: 3 });
    const rows: (Row | undefined)[] = [];
    const seen: number[][] = [];
    const check = async (logits: Float32Array, text: number) => {
      alone.reset();
      const expected = await alone.feed(seen[text] as number[]);
      expect(logits.length).toBe(expected.length);
      // Sums of 16 terms in another order.
      for (const [i, value] of logits.entries()) expect(value).toBeCloseTo(expected[i] ?? Number.NaN, 5);
    };
    const join = async (text: number) => {
      rows[text] = together.join();
      seen[text] = [...(texts[text] as number[])];
      await check(await together.read(rows[text] as Row, seen[text] as number[]), text);
    };
    const step = async (...some: number[]) => {
      const next = some.map((text) => ({ row: rows[text] as Row, token: (seen[text]?.length ?? 0) + text }));
      const logits = await together.step(next);
      for (const [i, text] of some.entries()) {
        seen[text]?.push(next[i]?.token ?? 0);
        await check(logits[i] as Float32Array, text);
      }
    };
    await join(0);
    await step(0);
    await join(1);
    await join(2);
    await step(0, 1, 2);
    // A text that waits stays as it is.
    await step(2, 0);
    await step(1);
    together.leave(rows[0] as Row);
    await step(1, 2);
    await join(3);
    await join(4);
    expect(together.count).toBe(4);
    expect(() => together.join()).toThrow(OptionError);
    await step(4, 3, 2, 1);
    together.leave(rows[2] as Row);
    await step(4, 3, 1);
    await together.release();
    await alone.release();
  });

  test("a text that fills its row is refused more, and the others go on", async () => {
    const together = await rowDecoder(model, { capacity: 16, rows: 2, chunk: 4 });
    const [full, other] = [together.join(), together.join()];
    await together.read(
      full,
      Array.from({ length: 16 }, (_, i) => i),
    );
    await together.read(other, [1, 2]);
    await expect(together.step([{ row: full, token: 1 }])).rejects.toThrow(DataError);
    expect((await together.step([{ row: other, token: 3 }])).length).toBe(1);
    await together.release();
  });
});

test("batches are filled up to powers of two, and to the most", () => {
  expect([1, 2, 6, 8].map(bucketsUpTo)).toEqual([[1], [1, 2], [1, 2, 4, 6], [1, 2, 4, 8]]);
});
