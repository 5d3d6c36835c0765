/** Requests that share a decoder write what each writes alone, whatever joins, leaves and fails. */
import { describe, expect, test } from "vitest";
import { DataError } from "../../core/errors.ts";
import { keyOf, Random } from "../../core/random.ts";
import { decoder } from "../../decode/decoder.ts";
import { generate } from "../../decode/generate.ts";
import { rowDecoder } from "../../decode/row-decoder.ts";
import { gpt2Architectures } from "../../models/index.ts";
import { type Ending, GenerationQueue, type GenerationRequest } from "./generation-queue.ts";
import { logProbabilitiesOf } from "./log-probabilities.ts";
import { TextStream } from "./text-stream.ts";

const sizes = { vocabulary: 31, width: 16, layers: 2, heads: 4, feedForward: 24, positions: 32 };
const model = gpt2Architectures.GPT2LMHeadModel({ sizes, details: { dropout: 0 } });
model.initialize(keyOf(11), { dtype: "int32", shape: [1, 2] });

const opened = async (rows: number) => rowDecoder(model, { capacity: 32, rows, chunk: 4 });
const request = (
  prompt: readonly number[],
  most: number,
  more: Partial<GenerationRequest> = {},
): GenerationRequest => ({
  ...{ prompt, most, sampling: { temperature: 0 }, random: new Random(keyOf(5)) },
  ...more,
});

async function collect(generator: AsyncGenerator<{ readonly token: number }, Ending>) {
  const tokens: number[] = [];
  for (;;) {
    const { value, done } = await generator.next();
    if (done) return { tokens, ending: value };
    tokens.push(value.token);
  }
}

async function alone({ prompt, most, sampling, random }: GenerationRequest): Promise<number[]> {
  const own = await decoder(model, { capacity: 32 });
  const tokens: number[] = [];
  for await (const token of generate(own, prompt, { ...sampling, random })) {
    tokens.push(token);
    if (tokens.length === most) break;
  }
  await own.release();
  return tokens;
}

describe("a queue of generation", () => {
  test("more requests than rows write what each writes alone, greedy and drawn", async () => {
    const queue = new GenerationQueue(await opened(3));
    const asked = Array.from({ length: 8 }, (_, i) => ({
      prompt: Array.from({ length: 1 + ((i * 5) % 11) }, (_, j) => (3 * i + 7 * j) % 31),
      most: 3 + ((i * 7) % 10),
      sampling: i % 2 === 0 ? { temperature: 0 } : { temperature: 0.9, topK: 12, topP: 0.9 },
    }));
    const ask = (i: number) => ({ ...(asked[i] as (typeof asked)[number]), random: new Random(keyOf(i)) });
    const together = await Promise.all(asked.map((_, i) => collect(queue.generate(ask(i)))));
    for (const [i, { tokens, ending }] of together.entries()) {
      expect(tokens).toEqual(await alone(ask(i)));
      expect(ending).toBe("length");
    }
  });

  test("a text ends at its token, at the most, and where the context is full", async () => {
    const queue = new GenerationQueue(await opened(2));
    const [first = 0, second = 0] = await alone(request([1, 2, 3], 2));
    expect(await collect(queue.generate(request([1, 2, 3], 9, { end: first })))).toEqual({
      tokens: [],
      ending: "stop",
    });
    if (second !== first)
      expect((await collect(queue.generate(request([1, 2, 3], 9, { end: second })))).tokens).toEqual([first]);
    const full = await collect(queue.generate(request([1, 2, 3], 1000)));
    // 3 of the prompt and 29 more are read, and what follows the last is given.
    expect(full).toMatchObject({ ending: "length" });
    expect(full.tokens.length).toBe(30);
    const long = queue.generate(
      request(
        Array.from({ length: 32 }, () => 1),
        1,
      ),
    );
    await expect(long.next()).rejects.toThrow(DataError);
    await expect(queue.generate(request([], 1)).next()).rejects.toThrow("the prompt has no tokens; send a text");
  });

  test("who goes makes room, by leaving the loop or by a signal", async () => {
    const own = await opened(2);
    const queue = new GenerationQueue(own);
    const gone = new AbortController();
    const one = collect(queue.generate(request([1], 1000, { signal: gone.signal }))).catch((error: unknown) => error);
    for await (const _ of queue.generate(request([2], 1000))) break;
    gone.abort("gone");
    expect(await one).toBe("gone");
    expect((await collect(queue.generate(request([4, 5], 6)))).tokens).toEqual(await alone(request([4, 5], 6)));
    expect(own.count).toBe(0);
  });
});

describe("a stream of text", () => {
  const characters = ["a", "b", "\uFFFD", "é", "END", " "];
  const tokenizer = {
    // Two tokens of 2 make one letter, as bytes do.
    decode: (ids: readonly number[]) =>
      ids
        .map((id) => characters[id] ?? "")
        .join("")
        .replaceAll("\uFFFD\uFFFD", "é"),
  };
  const pieces = (tokens: readonly number[], stops: readonly string[] = []) => {
    const stream = new TextStream(tokenizer, stops);
    return [...tokens.map((token) => stream.push(token)), stream.end()];
  };

  test("a letter of several tokens is given when it is whole", () => {
    expect(pieces([0, 2, 2, 1])).toEqual(["a", "", "é", "b", ""]);
    expect(pieces([0, 2])).toEqual(["a", "", "\uFFFD"]);
  });

  test("what may begin a stop is held back; the stop and what follows are not given", () => {
    expect(pieces([0, 1, 0, 5], ["ab "])).toEqual(["", "", "ab", "a ", ""]);
    expect(pieces([0, 1, 5, 0], ["b "])).toEqual(["a", "", "", "", ""]);
    expect(pieces([0, 4, 0], ["N"])).toEqual(["a", "E", "", ""]);
    expect(pieces([0, 1], ["bc"])).toEqual(["a", "", "b"]);
  });
});

test("log-probabilities are those of the softmax, the likeliest first", () => {
  const logits = Float32Array.of(0, Math.log(2), Math.log(5), Math.log(2));
  const { own, likeliest } = logProbabilitiesOf(logits, 1, 2);
  // 1, 2, 5 and 2 tenths.
  expect(own).toBeCloseTo(Math.log(0.2), 6);
  expect(likeliest.map(({ token }) => token)).toEqual([2, 1]);
  expect(likeliest[0]?.logProbability).toBeCloseTo(Math.log(0.5), 6);
});
