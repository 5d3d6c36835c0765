/** Adapters chosen by request: texts of several at once are what each writes with its adapter alone, of one graph. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { OptionError } from "../../core/errors.ts";
import { keyOf, Random } from "../../core/random.ts";
import { Tensor } from "../../core/tensor.ts";
import { decoder, generate } from "../../decode/index.ts";
import { addLora } from "../../finetune/index.ts";
import { loadAdapter, saveAdapter } from "../../finetune/peft/adapter-folder.node.ts";
import { openBase, tokenizerBeside } from "../../finetune/tasks/base.node.ts";
import type { ModelServer } from "../http/server.node.ts";
import { serve } from "../serve.node.ts";
import { writePretrained } from "../testing/made-models.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-adapters-"));
const base = join(folder, "llama");
const names = ["poems", "code"];
const at = (name: string) => join(folder, name);
let server: ModelServer;

/** An adapter with values that change what is written; the two are of different ranks. */
async function writeAdapter(name: string, rank: number): Promise<void> {
  const { model } = await openBase(base);
  const set = await addLora(model, { rank }, { name, seed: rank });
  const random = new Random(keyOf(rank));
  const values = [...set.tensors(name)].map(([path, { shape, data }]): [string, Tensor] => [
    path,
    new Tensor(
      "float32",
      shape,
      Float32Array.from(data as Float32Array, () => 2 * random.uniform() - 1),
    ),
  ]);
  await set.put(name, new Map(values));
  await saveAdapter(set, at(name), { name, base: "llama" });
}

beforeAll(async () => {
  writePretrained(base, "llama");
  await writeAdapter("poems", 2);
  await writeAdapter("code", 3);
  server = await serve({
    models: [{ name: "llama", path: base }],
    adapters: names.map((name) => ({ name, path: at(name) })),
    listen: { port: 0 },
    work: { texts: 6 },
  });
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

/** What the model writes with an adapter, and nothing else in it. */
async function alone(prompt: string, adapter: string | undefined): Promise<string> {
  const opened = await openBase(base);
  if (adapter !== undefined) await loadAdapter(opened.model, at(adapter), { name: adapter });
  const tokenizer = await tokenizerBeside(opened);
  const own = await decoder(opened.model, { capacity: 128 });
  const ids: number[] = [];
  for await (const id of generate(own, tokenizer.encode(prompt), { temperature: 0, random: new Random(keyOf(0)) })) {
    if (id === tokenizer.idOf("<|im_end|>")) break;
    ids.push(id);
    if (ids.length === 10) break;
  }
  await own.release();
  return tokenizer.decode(ids);
}

async function ask(model: string, prompt: string): Promise<string> {
  const body = JSON.stringify({ model, prompt, max_tokens: 10, temperature: 0 });
  const reply = await fetch(`${server.url}/v1/completions`, { method: "POST", body });
  const answer = (await reply.json()) as { model: string; choices: [{ text: string }] };
  expect([reply.status, answer.model]).toEqual([200, model]);
  return answer.choices[0].text;
}

test("texts of the base and of two adapters at once are what each writes alone", async () => {
  const asked = ["the cat", "hello world", "on"].flatMap((prompt) =>
    [undefined, ...names].map((adapter) => ({ prompt, adapter })),
  );
  const texts = await Promise.all(
    asked.map(({ prompt, adapter }) => ask(adapter === undefined ? "llama" : `llama:${adapter}`, prompt)),
  );
  for (const [i, { prompt, adapter }] of asked.entries()) expect(texts[i]).toBe(await alone(prompt, adapter));
  // The three of a prompt differ, so that nobody's is another's.
  expect(new Set(texts.slice(0, 3)).size).toBe(3);
});

test("they are listed, and a name that there is not is a sentence", async () => {
  const { data } = (await (await fetch(`${server.url}/v1/models`)).json()) as { data: { id: string }[] };
  expect(data.map(({ id }) => id)).toEqual(["llama", "llama:poems", "llama:code"]);
  const reply = await fetch(`${server.url}/v1/completions`, {
    method: "POST",
    body: '{"model":"llama:poem","prompt":"a"}',
  });
  expect(reply.status).toBe(404);
  expect(await reply.text()).toContain('did you mean \\"llama:poems\\"');
});

test("adapters without a language model are a mistake", async () => {
  const adapters = [{ name: "poems", path: at("poems") }];
  await expect(serve({ models: [], adapters, listen: { port: 0 } })).rejects.toThrow(OptionError);
});
