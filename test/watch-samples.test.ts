/** A run whose fixed samples are watched: what is kept of them, that the run comes out the same to the bit, and what is left when it goes on. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runRecipe } from "../src/node.ts";
import type { RecipeChoices } from "../src/runs/recipes/settings.ts";
import { sampleRecordSchema, type WatchedInputs, type WatchedMoment } from "../src/runs/samples/sample-records.ts";
import { writeModel } from "./pretrained-folders.ts";
import { repeatable } from "./run-log.ts";

const folder = mkdtempSync(join(tmpdir(), "watch-samples-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const at = (run: string, name: string) => join(folder, run, name);
const textOf = (run: string) => readFileSync(at(run, "samples.jsonl"), "utf8");
const recordsOf = (run: string) =>
  textOf(run)
    .trim()
    .split("\n")
    .map((line) => sampleRecordSchema.parse(JSON.parse(line)));
const inputsOf = (run: string) => recordsOf(run)[0] as WatchedInputs;
const momentsOf = (run: string) => recordsOf(run).slice(1) as WatchedMoment[];
const train = (recipe: string, settings: RecipeChoices, run: string, more: Parameters<typeof runRecipe>[2] = {}) =>
  runRecipe(recipe, { seed: 5, ...settings }, { out: join(folder, run), threads: 1, ...more });
const files = ["checkpoint.safetensors", "best.safetensors", "model.onnx", "log.jsonl"];

/** Holds the files of a run that was watched against those of one that was not. */
function expectSame(watched: string, plain: string): void {
  for (const file of files) {
    const [own, other] = [watched, plain].map((run) => repeatable(file, readFileSync(at(run, file))));
    expect(own === other, file).toBe(true);
  }
  // Baselines beside it have the seconds that they took.
  const [own, other] = [watched, plain].map((run) => JSON.parse(readFileSync(at(run, "evaluation.json"), "utf8")));
  expect(own.results).toEqual(other.results);
}

test("predictions of eight samples before the first epoch, after every second and the last of a stage, beside the same run", async () => {
  await train("iris", { epochs: 3 }, "plain");
  await train("iris", { epochs: 3, watchSamples: 2 }, "watched");
  expectSame("watched", "plain");
  expect(existsSync(at("plain", "samples.jsonl"))).toBe(false);
  const { from, samples } = inputsOf("watched");
  // The recipe has no validation data.
  expect([from, samples.length, new Set(samples.map(({ actual }) => actual)).size]).toEqual(["training", 8, 3]);
  expect(samples[0]?.cells).toHaveLength(4);
  expect(momentsOf("watched").map(({ epoch }) => epoch)).toEqual([0, 2, 3, 4]);
  for (const { predictions = [], attention, text } of momentsOf("watched")) {
    expect([predictions.length, attention, text]).toEqual([8, undefined, undefined]);
    for (const prediction of predictions) {
      const { classes = [] } = prediction as { classes?: readonly { probability: number }[] };
      expect(classes.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 5);
      expect(classes[0]?.probability).toBeGreaterThanOrEqual(classes[1]?.probability ?? 1);
    }
  }
});

test("a run that is cut off and goes on keeps the same moments, each once", async () => {
  const stop = new AbortController();
  const observer = {
    callbacks: () => [
      {
        name: "stop",
        onBatch: (run: { epoch: number; batchInEpoch: number }) =>
          void (run.epoch === 2 && run.batchInEpoch === 3 && stop.abort()),
      },
    ],
  };
  await train("iris", { epochs: 3, watchSamples: 1 }, "whole");
  await expect(
    train("iris", { epochs: 3, watchSamples: 1 }, "cut", { signal: stop.signal, observer: observer as never }),
  ).rejects.toThrow();
  expect(momentsOf("cut").map(({ epoch }) => epoch)).toEqual([0, 1, 2]);
  await train("iris", { epochs: 3, watchSamples: 1 }, "cut", { resume: true });
  expect(textOf("cut")).toBe(textOf("whole"));
  expectSame("cut", "whole");
});

describe("what a model does is what is kept", () => {
  test("of images that are classified the images", async () => {
    await train("lenet-mnist", { epochs: 1, limit: 64, batchSize: 32, watchSamples: 1 }, "images");
    for (const { image } of inputsOf("images").samples) expect(image).toMatch(/^data:image\/png;base64,/);
    expect(momentsOf("images").map(({ epoch }) => epoch)).toEqual([0, 1]);
  });

  test("of a language model what it writes, and its attention to the prompt, whose rows sum to 1", async () => {
    await train("gpt-char", { epochs: 1, limit: 20, batchSize: 4 }, "gpt-plain");
    await train("gpt-char", { epochs: 1, limit: 20, batchSize: 4, watchSamples: 1 }, "gpt");
    expectSame("gpt", "gpt-plain");
    expect(inputsOf("gpt").samples).toEqual([]);
    const [first, last] = momentsOf("gpt");
    expect([first?.epoch, last?.epoch]).toEqual([0, 1]);
    expect(last?.text?.prompt).toBe("Call me");
    expect(last?.text?.written.length).toBeGreaterThan(10);
    expect(last?.text?.written).not.toBe(first?.text?.written);
    expect(last?.attention?.tokens.join("")).toBe("Call me");
    for (const { heads, queries, keys, shares } of last?.attention?.layers ?? []) {
      const bytes = Buffer.from(shares, "base64");
      expect([queries, keys, bytes.length]).toEqual([7, 7, heads * 49]);
      // The first token sees itself alone; shares are rounded to 255 parts.
      expect([bytes[0], bytes[1]]).toEqual([255, 0]);
      const sum = bytes.subarray(bytes.length - 7).reduce((a, b) => a + b, 0);
      expect(Math.abs(sum - 255)).toBeLessThan(5);
    }
    expect(last?.attention?.layers.length).toBeGreaterThan(1);
  });

  test("of a generator the images that it makes", async () => {
    await train("gan-mnist", { epochs: 1, limit: 64, batchSize: 32, watchSamples: 1 }, "gan");
    const [first, last] = momentsOf("gan");
    expect(last?.images?.map(({ name }) => name)).toEqual(["samples.png"]);
    expect(last?.images?.[0]?.image).not.toBe(first?.images?.[0]?.image);
    expect(last?.predictions).toBeUndefined();
  }, 60_000);
});

describe("of a pretrained model that is fine-tuned by adapters", () => {
  const reviews = Array.from(
    { length: 60 },
    (_, i) => `the film was ${i % 2 ? "great" : "dull"},${i % 2 ? "good" : "bad"}`,
  );
  const chats = Array.from({ length: 40 }, (_, i) => ({
    messages: [
      { role: "user", content: `say ${i % 4}` },
      { role: "assistant", content: `it is ${i % 4}` },
    ],
  }));
  const layers = { num_hidden_layers: 2, num_attention_heads: 2, hidden_size: 16, max_position_embeddings: 64 };
  const bert = { hidden_dropout_prob: 0, attention_probs_dropout_prob: 0, intermediate_size: 32 };
  const llama = { num_key_value_heads: 1, intermediate_size: 32 };
  beforeAll(() => {
    writeFileSync(join(folder, "reviews.csv"), ["text,label", ...reviews].join("\n"));
    writeFileSync(join(folder, "chats.jsonl"), chats.map((own) => JSON.stringify(own)).join("\n"));
    const text = `${reviews.join(" ")} say it is 0 1 2 3`;
    const classes = { model_type: "bert", architectures: ["BertForMaskedLM"], ...layers, ...bert };
    writeModel(join(folder, "bert"), text, classes);
    writeModel(join(folder, "llama"), text, {
      model_type: "llama",
      architectures: ["LlamaForCausalLM"],
      ...layers,
      ...llama,
    });
  });

  test.each<[string, string, object]>([
    ["bert", "reviews.csv", {}],
    ["llama", "chats.jsonl", { template: "chatml" }],
    ["llama", "chats.jsonl", { template: "chatml", packed: true }],
  ])(
    "%s, %s, %o: nothing of the training changes, and words stand beside its attention",
    async (base, data, more) => {
      const options = {
        base: join(folder, base),
        data: join(folder, data),
        lora: 2,
        ...more,
      };
      const run = `tuned-${base}-${Object.keys(more).length}`;
      await train("finetune", { epochs: 2, batchSize: 8, options }, `${run}-plain`);
      await train("finetune", { epochs: 2, batchSize: 8, options, watchSamples: 1 }, run);
      expectSame(run, `${run}-plain`);
      const last = momentsOf(run).at(-1);
      const { tokens = [], layers: maps = [] } = last?.attention ?? {};
      expect(maps).toHaveLength(2);
      expect(tokens.length).toBeGreaterThan(2);
      expect(maps[0]?.queries).toBe(tokens.length);
      if (base === "llama") expect(last?.text?.written).toBeDefined();
      else {
        expect(inputsOf(run).from).toBe("validation");
        expect(inputsOf(run).samples[0]?.cells?.[0]?.value).toContain("the film was");
        expect(last?.predictions?.length).toBeGreaterThan(1);
      }
    },
    60_000,
  );
});

test("what is no number of epochs is refused", async () => {
  await expect(train("iris", { watchSamples: 0 }, "none")).rejects.toThrow("watchSamples");
});
