/** OpenAI's own client against the server: what it sends is answered in its form, and what is written is what the model writes alone. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { keyOf, Random } from "../../../core/random.ts";
import { loadChatTemplate } from "../../../data/index.node.ts";
import { decoder, generate } from "../../../decode/index.ts";
import { openBase, tokenizerBeside } from "../../../finetune/tasks/base.node.ts";
import { openEmbedder } from "../../../runs/open/embedder.node.ts";
import type { ModelServer } from "../../http/server.node.ts";
import { serve } from "../../serve.node.ts";
import { writePretrained } from "../../testing/made-models.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-openai-"));
const token = "0123456789abcdef";
let server: ModelServer;
let client: OpenAI;

beforeAll(async () => {
  writePretrained(join(folder, "llama"), "llama");
  writePretrained(join(folder, "bert"), "bert");
  server = await serve({
    models: ["llama", "bert"].map((name) => ({ name, path: join(folder, name) })),
    listen: { port: 0 },
    access: { tokens: [token] },
    work: { texts: 4 },
  });
  client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: token, maxRetries: 0 });
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

/** What the model writes by itself. */
async function alone(prompt: string, most: number): Promise<string> {
  const base = await openBase(join(folder, "llama"));
  const tokenizer = await tokenizerBeside(base);
  const own = await decoder(base.model, { capacity: 128 });
  const ids: number[] = [];
  for await (const id of generate(own, tokenizer.encode(prompt), { temperature: 0, random: new Random(keyOf(0)) })) {
    if (id === tokenizer.idOf("<|im_end|>")) break;
    ids.push(id);
    if (ids.length === most) break;
  }
  await own.release();
  return tokenizer.decode(ids);
}

const ask = { model: "llama", temperature: 0, max_tokens: 12 } as const;

describe("completions", () => {
  test("several at once write what each writes alone", async () => {
    const prompts = ["the cat", "how are you", "hello", "the dog sat on the log and", "on", "world", "a b c"];
    const answers = await Promise.all(prompts.map((prompt) => client.completions.create({ ...ask, prompt })));
    for (const [i, prompt] of prompts.entries()) expect(answers[i]?.choices[0]?.text).toBe(await alone(prompt, 12));
    expect(answers[0]?.usage).toMatchObject({ completion_tokens: 12 });
    expect(answers[0]?.choices[0]?.finish_reason).toBe("length");
  });

  test("streamed is the same text, with usage where it is asked for", async () => {
    const stream = await client.completions.create({
      ...ask,
      prompt: "the cat",
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = "";
    let usage: OpenAI.CompletionUsage | null | undefined;
    for await (const part of stream) {
      text += part.choices[0]?.text ?? "";
      usage = part.usage;
    }
    expect(text).toBe(await alone("the cat", 12));
    expect(usage?.completion_tokens).toBe(12);
  });

  test("a list of prompts, n of each, a seed, and prompts as ids of tokens", async () => {
    const drawn = { ...ask, temperature: 1, seed: 7, n: 2, prompt: ["the cat", "hello"] };
    const [a, b] = [await client.completions.create(drawn), await client.completions.create(drawn)];
    expect(a.choices.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
    expect(a.choices.map(({ text }) => text)).toEqual(b.choices.map(({ text }) => text));
    expect(a.choices[0]?.text).not.toBe(a.choices[1]?.text);
    const ids = await client.completions.create({ ...ask, prompt: [1, 2, 3] });
    expect(ids.usage?.prompt_tokens).toBe(3);
  });

  test("a stop ends the text before it", async () => {
    const whole = await alone("the cat", 12);
    const stop = whole.slice(4, 7);
    const { choices } = await client.completions.create({ ...ask, prompt: "the cat", stop });
    expect(choices[0]).toMatchObject({ text: whole.slice(0, whole.indexOf(stop)), finish_reason: "stop" });
  });
});

describe("chat", () => {
  const messages = [{ role: "user", content: "how are you" }] as const;

  test("messages go through the model's template", async () => {
    const template = await loadChatTemplate(join(folder, "llama"));
    const { choices } = await client.chat.completions.create({ ...ask, messages: [...messages] });
    expect(choices[0]?.message.content).toBe(await alone(template.renderPrompt({ messages }), 12));
  });

  test("streamed by the client's own helper", async () => {
    const whole = await client.chat.completions.create({ ...ask, messages: [...messages] });
    const stream = client.chat.completions.stream({ ...ask, messages: [...messages], n: 2 });
    const { choices } = await stream.finalChatCompletion();
    expect(choices.map(({ message }) => message.content)).toEqual(choices.map(() => whole.choices[0]?.message.content));
    expect(choices.length).toBe(2);
  });

  test("log-probabilities are of the tokens, and add up to 1 at most", async () => {
    const { choices } = await client.chat.completions.create({
      ...{ ...ask, max_tokens: 3, messages: [...messages], logprobs: true, top_logprobs: 5 },
    });
    const [first] = choices[0]?.logprobs?.content ?? [];
    expect(choices[0]?.logprobs?.content?.length).toBe(3);
    // Greedy takes the likeliest.
    expect(first?.top_logprobs[0]?.token).toBe(first?.token);
    const sum = (first?.top_logprobs ?? []).reduce((total, { logprob }) => total + Math.exp(logprob), 0);
    expect(sum).toBeGreaterThan(0);
    expect(sum).toBeLessThanOrEqual(1 + 1e-6);
  });

  test("a client that goes ends its text, and the next is answered", async () => {
    const going = new AbortController();
    const stream = await client.chat.completions.create(
      { model: "llama", messages: [...messages], stream: true, max_tokens: 100 },
      { signal: going.signal },
    );
    for await (const _ of stream) break;
    going.abort();
    // At whatever moment they go, and without a promise that fails unheard.
    const gone = Array.from({ length: 12 }, async (_, i) => {
      const signal = AbortSignal.timeout(1 + 9 * i);
      const body = JSON.stringify({ model: "llama", prompt: "the cat", max_tokens: 100, n: 2, stream: i % 2 === 0 });
      const headers = { authorization: `Bearer ${token}` };
      const reply = await fetch(`${server.url}/v1/completions`, { method: "POST", body, headers, signal });
      await reply.text();
    });
    expect((await Promise.allSettled(gone)).some(({ status }) => status === "rejected")).toBe(true);
    expect((await client.completions.create({ ...ask, prompt: "on" })).choices[0]?.text).toBe(await alone("on", 12));
  });
});

test("embeddings are those of embed, as numbers and in base64", async () => {
  const texts = ["the cat sat", "hello"];
  const embedder = await openEmbedder(join(folder, "bert"));
  const { vectors } = await embedder.embed(texts);
  await embedder.release();
  for (const encoding of ["float", "base64"] as const) {
    const { data } = await client.embeddings.create({ model: "bert", input: texts, encoding_format: encoding });
    const own = data.map(({ embedding }) =>
      typeof embedding === "string"
        ? [...new Float32Array(Uint8Array.from(Buffer.from(embedding, "base64")).buffer)]
        : embedding,
    );
    // Rows of another length, filled up.
    for (const [i, value] of own.flat().entries()) expect(value).toBeCloseTo(vectors.data[i] ?? 0, 5);
  }
});

describe("mistakes", () => {
  const caught = (promise: Promise<unknown>) => promise.then(() => expect.fail("it was answered"), (error: unknown) => error as InstanceType<typeof OpenAI.APIError>); // biome-ignore format: one line

  test("are the client's own errors, with the mend", async () => {
    const wrong = caught(client.completions.create({ ...ask, model: "lama", prompt: "a" }));
    expect(await wrong).toBeInstanceOf(OpenAI.NotFoundError);
    expect((await wrong).message).toContain('did you mean "llama"');
    const stranger = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "another", maxRetries: 0 });
    expect(await caught(stranger.models.list())).toBeInstanceOf(OpenAI.AuthenticationError);
    expect((await caught(client.completions.create({ ...ask, model: "bert", prompt: "a" }))).message).toContain(
      "writes no text",
    );
    const long = await caught(client.completions.create({ ...ask, prompt: "the cat sat on ".repeat(99) }));
    expect(long).toMatchObject({ status: 400, message: expect.stringContaining("shorten it") });
  });

  test("fields that would change the answer are refused, harmless ones are not", async () => {
    const tools = [{ type: "function", function: { name: "f" } }] as never;
    const messages = [{ role: "user" as const, content: "hi" }];
    const refused = await caught(client.chat.completions.create({ ...ask, messages, tools }));
    expect(refused.message).toContain('"tools" is not supported, and would change the answer; leave it out');
    const fine = { ...ask, messages, user: "me", frequency_penalty: 0, response_format: { type: "text" as const } };
    expect((await client.chat.completions.create(fine)).choices.length).toBe(1);
    expect((await caught(client.completions.create({ ...ask, prompt: [99_999] }))).message).toContain(
      "send ids of its tokenizer",
    );
  });
});

test("models are listed", async () => {
  const { data } = await client.models.list();
  expect(data.map(({ id }) => id)).toEqual(["llama", "bert"]);
  expect(await client.models.retrieve("bert")).toMatchObject({ id: "bert", object: "model" });
});
