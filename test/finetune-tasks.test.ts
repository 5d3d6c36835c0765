/** Further tasks of fine-tuning, each learned by a small made-up model as a person would: vectors of texts, tags of words, sounds, answers. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  conv1d,
  conv2d,
  decodeSafetensors,
  dense,
  encodeOnnx,
  encodePng,
  encodeWav,
  globalAveragePool,
  keyOf,
  lambda,
  ops,
  Random,
  sequential,
  Tensor,
  type Value,
} from "../src/index.ts";
import { Interrupted, loadModel, openEmbedder, openRun, type RunResult, runRecipe } from "../src/node.ts";
import { writeModel } from "./pretrained-folders.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-tasks-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);

const writeRecords = (name: string, list: readonly object[]) =>
  writeFileSync(at(name), list.map((own) => JSON.stringify(own)).join("\n"));

const verbs = ["open", "close", "clean", "sell", "move", "paint", "count", "lend", "wrap", "hide", "weigh", "fix"];
const things = ["door", "book", "lamp", "boat", "coat", "ring", "bell", "drum", "kite", "cake"];
const pairs = verbs.flatMap((verb) =>
  things.map((thing) => ({ anchor: `how do i ${verb} the ${thing}`, positive: `${thing} : here you ${verb} it` })),
);

const people = ["ada", "bob", "eve", "kim", "tom", "ina"];
const families = ["stone", "wood", "hill", "lake", "moor"];
const places = ["rome", "oslo", "lima", "bonn", "kyiv"];
const sentences = people.flatMap((person) =>
  families.flatMap((family) =>
    places.map((place) => ({
      tokens: [person, family, "moved", "to", place, "."],
      tags: ["B-PER", "I-PER", "O", "O", "B-LOC", "O"],
    })),
  ),
);

beforeAll(() => {
  execFileSync(process.execPath, ["scripts/prepare.mjs"], { stdio: "inherit" });
  const text = [
    ...pairs.flatMap(({ anchor, positive }) => [anchor, positive]),
    ...sentences.map(({ tokens }) => tokens.join(" ")),
    ...questions.map(({ question, context }) => `${question} ${context}`),
  ].join("\n");
  const layers = { num_hidden_layers: 2, num_attention_heads: 2, max_position_embeddings: 64, hidden_size: 32 };
  const dropout = { hidden_dropout_prob: 0, attention_probs_dropout_prob: 0 };
  const bert = { model_type: "bert", intermediate_size: 32, ...layers, ...dropout };
  writeModel(at("bert"), text, { ...bert, architectures: ["BertForMaskedLM"] });
  writeRecords("pairs.jsonl", pairs);
  writeRecords("sentences.jsonl", sentences);
  writeRecords("questions.jsonl", questions);
  const paragraphs = questions.map(({ question, context, answer, start }) => ({
    context,
    qas: [{ question, answers: [{ text: answer, answer_start: start }] }],
  }));
  writeFileSync(at("squad.json"), JSON.stringify({ version: "1.1", data: [{ title: "moves", paragraphs }] }, null, 1));
  writeSounds(at("sounds"));
  writeSoundModel(at("sounds.onnx"));
  const lines = sentences.map(({ tokens, tags }) => tokens.map((word, i) => `${word}\t${tags[i]}`).join("\n"));
  writeFileSync(at("sentences.conll"), lines.join("\n\n"));
}, 120_000);

const goods = ["piano", "wagon", "clock", "chair", "mirror"];
const questions = people.flatMap((person, i) =>
  families.flatMap((_, j) =>
    places.map((place, k) => {
      const thing = goods[(i + j + k) % goods.length] as string;
      const context = `${person} was well known there . ${person} then moved to ${place} and later sold a ${thing} .`;
      const isPlace = (j + k) % 2 === 0;
      const answer = isPlace ? place : thing;
      return { question: isPlace ? "where now ?" : "what was sold ?", context, answer, start: context.indexOf(answer) };
    }),
  ),
);

/** A second of a low, a middle or a high tone with noise, at a rate that the model does not read. */
function writeSounds(dir: string): void {
  const random = new Random(keyOf(3));
  for (const [name, frequency] of [
    ["low", 200],
    ["middle", 700],
    ["high", 2400],
  ] as const) {
    mkdirSync(join(dir, name), { recursive: true });
    for (let i = 0; i < 20; i++) {
      const [pitch, phase] = [frequency * random.uniform(0.9, 1.1), random.uniform(0, 6)];
      const samples = Float32Array.from(
        { length: 4000 },
        (_, t) => 0.4 * Math.sin(phase + (2 * Math.PI * pitch * t) / 16_000) + 0.05 * random.normal(),
      );
      writeFileSync(join(dir, name, `${i}.wav`), encodeWav({ rate: 16_000, channels: [samples] }));
    }
  }
}

/** An ONNX file of a network for samples at 8000 Hz, [N, 2000]. */
function writeSoundModel(path: string): void {
  const asChannel = lambda((x: Value) => ops.reshape(x, [x.shape[0] ?? 1, 1, x.shape[1] ?? 1]));
  const model = sequential([
    asChannel as never,
    conv1d(16, 64, { stride: 8, activation: "relu" }),
    globalAveragePool(),
    dense(24, { activation: "relu" }),
    dense(7),
  ]);
  const inputs = { dtype: "float32", shape: [1, 2000] } as const;
  model.initialize(keyOf(2), inputs);
  writeFileSync(path, encodeOnnx(model, { inputs }).bytes);
}

/** Images of stripes, across or down, with noise; and an ONNX file of a network for them. */
function writeImages(dir: string, model: string): void {
  const random = new Random(keyOf(4));
  for (const name of ["across", "down"]) {
    mkdirSync(join(dir, name), { recursive: true });
    for (let i = 0; i < 15; i++) {
      const pixels = Uint8Array.from({ length: 256 }, (_, at) => {
        const line = name === "across" ? at >> 4 : at & 15;
        return ((line + i) % 4 < 2 ? 200 : 40) + random.integer(40);
      });
      writeFileSync(join(dir, name, `${i}.png`), encodePng(new Tensor("uint8", [1, 16, 16], pixels)));
    }
  }
  const network = sequential([conv2d(12, 5, { activation: "relu" }), globalAveragePool(), dense(9), dense(5)]);
  const inputs = { dtype: "float32", shape: [1, 1, 16, 16] } as const;
  network.initialize(keyOf(3), inputs);
  writeFileSync(model, encodeOnnx(network, { inputs }).bytes);
}

const sardonyx = (...args: string[]) =>
  spawnSync(process.execPath, [join(process.cwd(), "bin/sardonyx.mjs"), ...args], { cwd: folder, encoding: "utf8" });
const records = (stdout: string) =>
  stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);

const tuned = (name: string, data: string, epochs: number, own: object = {}) =>
  runRecipe(
    "finetune",
    { epochs, batchSize: 16, learningRate: 0.003, options: { base: at("bert"), data: at(data), ...own } },
    { out: at(name), threads: 1 },
  );

describe("vectors of texts", () => {
  let trained: RunResult;
  beforeAll(async () => {
    trained = await tuned("vectors", "pairs.jsonl", 30);
  }, 120_000);

  test("are learned from pairs that belong together", async () => {
    expect(trained.evaluation.results["retrieval_accuracy"]).toBeGreaterThan(0.8);
    const run = await openRun(trained.folder);
    const answer = await run.ask("how do i sell the kite");
    expect("text" in answer && answer.text).toMatch(/^a vector of 32 numbers: /);
  });

  test("are given by embed, of length 1, as text, JSON lines and files", async () => {
    const shown = sardonyx("embed", "vectors", "how do i sell the kite", "kite : here you sell it", "fix the bell");
    expect(shown.stderr).toBe("");
    expect(shown.stdout).toMatch(/^3 texts as vectors of 32 numbers: what the run learned to give/);
    // The first two find each other.
    expect(shown.stdout).toMatch(/^1 how do i .*0\.9\d .*2$/m);
    expect(shown.stdout).toMatch(/^2 kite .*1$/m);
    const [line] = records(sardonyx("embed", "vectors", "sell the kite", "--json").stdout) as [{ vector: number[] }];
    expect(Math.hypot(...line.vector)).toBeCloseTo(1, 5);
    sardonyx("embed", "vectors", "--data", "pairs.jsonl", "--field", "anchor", "--out", "anchors.safetensors");
    const { tensors, metadata } = decodeSafetensors(readFileSync(at("anchors.safetensors")));
    expect(tensors["vectors"]?.shape).toEqual([120, 32]);
    expect(JSON.parse(metadata["inputs"] ?? "")[0]).toBe("how do i open the door");
  }, 60_000);

  test("of a pretrained model that was not tuned, pooled as the files beside it say", async () => {
    const texts = ["how do i sell the kite", "fix the bell"];
    const embedded = async (): Promise<{ source: string; vectors: Tensor }> => {
      const embedder = await openEmbedder(at("bert"));
      const { vectors } = await embedder.embed(texts);
      await embedder.release();
      return { source: embedder.source, vectors };
    };
    const mean = await embedded();
    expect(mean.source).toBe("the mean of the last hidden states, of length 1");
    mkdirSync(at("bert/1_Pooling"));
    const pooling = (own: object) => writeFileSync(at("bert/1_Pooling/config.json"), JSON.stringify(own));
    pooling({ pooling_mode_cls_token: true, pooling_mode_mean_tokens: false });
    const first = await embedded();
    expect(first.source).toBe("the first of the last hidden states, of length 1");
    expect(first.vectors.toNumbers()).not.toEqual(mean.vectors.toNumbers());
    pooling({ pooling_mode_cls_token: true, pooling_mode_mean_tokens: true });
    await expect(embedded()).rejects.toThrow("set the others to false");
    rmSync(at("bert/1_Pooling"), { recursive: true });
    writeFileSync(at("bert/modules.json"), JSON.stringify([{ type: "sentence_transformers.models.Dense" }]));
    await expect(embedded()).rejects.toThrow('go through a part "Dense"');
    rmSync(at("bert/modules.json"));
  });

  test.each([
    [["vectors"], /there is nothing to embed/],
    [["vectors", "a", "--data", "pairs.jsonl"], /both texts and --data/],
    [["vectors", " "], /text 1 of 1 is empty/],
    [["vectors", "a", "--out", "a.npy"], /expected a name that ends with .jsonl or .safetensors/],
    [["vectors", "--data", "pairs.jsonl"], /pairs.jsonl: line 1: has no "text"; it has anchor, positive/],
    [["bert", "a", "--best"], /is a pretrained model, no run; leave --best out/],
    [["nothing", "a"], /there is no run nothing/],
    [["bert", "a", "--at", "bert.encoder.layer.7"], /did you mean "bert.encoder.layer/],
  ] as const)(
    "embed refuses %j",
    (args, message) => {
      const { status, stderr } = sardonyx("embed", ...args);
      expect([status, stderr.trimEnd().split("\n").length]).toEqual([2, 1]);
      expect(stderr).toMatch(message);
    },
    30_000,
  );
});

describe("tags of words", () => {
  test("are learned, measured by whole entities, and shown with a sentence", async () => {
    const { evaluation, folder: out } = await tuned("tags", "sentences.conll", 12);
    expect(evaluation.results["accuracy"]).toBeGreaterThan(0.95);
    expect(evaluation.results["entity_f1"]).toBeGreaterThan(0.9);
    expect(evaluation.classes).toEqual(["B-LOC", "B-PER", "I-PER", "O"]);
    // Labels of 15 sentences, and nothing of what fills rows up.
    expect(evaluation.confusion?.flat().reduce((a, b) => a + b, 0)).toBe(15 * 6);
    const { stdout } = sardonyx("predict", "tags", "ada stone moved to rome.");
    expect(stdout.trim()).toBe(
      "ada stone moved to rome.: ada/B-PER stone/I-PER moved/O to/O rome/B-LOC ./O   PER: ada stone; LOC: rome",
    );
    const run = await openRun(out);
    const long = await run.ask("ada stone moved to rome . bob wood moved to lima .");
    expect(long.note).toMatch(/^\d of 12 words are read$/);
    await expect(run.ask(" ")).rejects.toThrow("the text is empty");
    await expect(openEmbedder(out)).rejects.toThrow("gives tags of words, no vector of a text");
  }, 120_000);
});

describe("classes of images", () => {
  test("are learned on an ONNX file, and images are asked and embedded", async () => {
    writeImages(at("stripes"), at("stripes.onnx"));
    const { evaluation } = await tuned("striped", "stripes", 40, { base: at("stripes.onnx") });
    expect(evaluation.classes).toEqual(["across", "down"]);
    const asked = ["stripes/across/1.png", "stripes/across/5.png", "stripes/down/2.png"];
    const { stdout } = sardonyx("predict", "striped", ...asked);
    expect(stdout).toMatch(/^1.png: across .*\n5.png: across .*\n2.png: down /);
    const vectors = sardonyx("embed", "striped", ...asked);
    expect(vectors.stdout).toMatch(/^3 images as vectors of 9 numbers: the features of /);
    expect(vectors.stdout).toMatch(/^1 stripes\/across\/1.png .*2$/m);
  }, 120_000);
});

describe("classes of sounds", () => {
  test("are learned on an ONNX file of samples, and WAV files are asked", async () => {
    const own = { base: at("sounds.onnx"), rate: 8000 };
    const { evaluation } = await tuned("heard", "sounds", 60, own);
    expect(evaluation.results["accuracy"]).toBe(1);
    expect(evaluation.classes).toEqual(["high", "low", "middle"]);

    const { stdout, stderr } = sardonyx("predict", "heard", "sounds/low/3.wav", "sounds/high/4.wav");
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^3.wav: low \(.*\(resampled from 16000 Hz\)\n4.wav: high \(/);
    const vectors = sardonyx("embed", "heard", "sounds/low/3.wav", "sounds/low/5.wav", "sounds/high/4.wav");
    expect(vectors.stdout).toMatch(/^3 sounds as vectors of 24 numbers: the features of /);
    expect(vectors.stdout).toMatch(/^1 sounds\/low\/3.wav .*2$/m);
    const refused = sardonyx("predict", "heard", "bert/config.json");
    expect(refused.stderr).toMatch(/holds something other than numbers/);
  }, 120_000);

  test.each([
    [["bert", "--data", "sounds"], /no sound|log-mel features \[N, frames, bands\]; pass a model of sounds/],
    [["sounds.onnx", "--data", "sounds", "--task", "chat"], /is learned from a file of records/],
    [["sounds.onnx", "--data", "pairs.jsonl", "--task", "audio-classification"], /folder of files for each class/],
    [["bert", "--data", "pairs.jsonl", "--rate", "8000"], /a rate of samples is of sounds/],
    [["sounds.onnx", "--data", "."], /has no images and no sounds, expected a folder for each class/],
    [["sounds.onnx", "--data", "pairs.jsonl"], /has no tokenizer.json/],
  ] as const)(
    "%j is refused",
    (args, message) => {
      const { status, stderr } = sardonyx("finetune", ...args);
      expect([status, stderr.trimEnd().split("\n").length]).toEqual([2, 1]);
      expect(stderr).toMatch(message);
    },
    30_000,
  );
});

describe("answers in texts", () => {
  test("are learned from SQuAD's file in windows, and asked with a text", async () => {
    const { evaluation, folder: out } = await tuned("answers", "squad.json", 12, { length: 24 });
    expect(evaluation.results["exact_match"]).toBeGreaterThan(0.8);
    expect(evaluation.results["f1"]).toBeGreaterThan(0.8);
    const asked = questions[7] as (typeof questions)[number];
    const { stdout } = sardonyx("predict", "answers", `${asked.question} || ${asked.context}`);
    expect(stdout).toMatch(new RegExp(`: ${asked.answer} \\(\\d+.\\d\\d %\\)   \\(the text is read in \\d windows\\)`));
    const run = await openRun(out);
    const answer = await run.ask(JSON.stringify(asked));
    expect("fields" in answer && answer.fields).toMatchObject({ answer: asked.answer, start: asked.start });
    await expect(run.ask("who ?")).rejects.toThrow("expected a question and the text that answers it");
    await expect(run.ask("{who}")).rejects.toThrow("the question is no JSON");
    await expect(openEmbedder(out)).rejects.toThrow("gives answers, no vector of a text");
  }, 120_000);

  test("a question that leaves no room for its text is refused", () => {
    const { stderr } = sardonyx("finetune", "bert", "--data", "questions.jsonl", "--length", "8", "--dry-run");
    expect(stderr).toMatch(/takes \d of 8 tokens, which leaves fewer than 8 for the text/);
  }, 30_000);
});

describe.each([
  ["embedding", "bert", "pairs.jsonl", 3],
  ["token-classification", "bert", "sentences.jsonl", 3],
  ["question-answering", "bert", "questions.jsonl", 3],
  ["audio-classification", "sounds.onnx", "sounds", 0],
])("%s", (task, base, data, previewed) => {
  test("is chosen by the data, and dry runs count what adapters train", () => {
    const { stdout, stderr } = sardonyx("finetune", base, "--data", data, "--lora", "2", "--dry-run", "--json");
    expect(stderr).toBe("");
    const record = records(stdout).find(({ type }) => type === "dry-run");
    expect(record).toMatchObject({ task, samples: { train: expect.any(Number) } });
    expect(record?.["trainingBytes"]).toBeGreaterThan(1e4);
    expect(record?.["preview"]).toHaveLength(previewed);
  }, 30_000);

  test("goes on to the same bits, and merges its adapters", async () => {
    const options = { out: at(`${task}-whole`), threads: 1 };
    const settings = { batchSize: 16, options: { base: at(base), data: at(data), lora: 2 } };
    await runRecipe("finetune", { ...settings, epochs: 2 }, options);
    const parted = { ...options, out: at(`${task}-parted`) };
    const stop = new AbortController();
    const observer = {
      callbacks: () => [
        {
          name: "stop",
          onBatch: ({ trainer }: { trainer: { batches: number } }) => trainer.batches === 4 && stop.abort(),
        },
      ],
    };
    const begun = runRecipe(
      "finetune",
      { ...settings, epochs: 2 },
      {
        ...parted,
        signal: stop.signal,
        observer: observer as never,
      },
    );
    await expect(begun).rejects.toThrow(Interrupted);
    await runRecipe("finetune", {}, { ...parted, resume: true });
    const weights = async (name: string) =>
      [...(await loadModel(at(name))).parameters().values()].map(({ value }) => value?.toNumbers());
    expect(await weights(`${task}-parted`)).toEqual(await weights(`${task}-whole`));
    const run = await openRun(at(`${task}-whole`));
    expect((await run.mergedOnnx()).bytes.length).toBeGreaterThan(5000);
    await run.release();
  }, 120_000);

  test("in float16 its adapters learn nearly as in float32", () => {
    const lossIn = (precision: string): number => {
      const run = `${task}-${precision}`;
      const args = ["finetune", base, "--data", data, "--lora", "2", "--epochs", "1", "--batch-size", "16"];
      const { status, stderr } = sardonyx(...args, "--threads", "1", "--precision", precision, "--out", run);
      expect([status, stderr]).toEqual([0, ""]);
      return JSON.parse(readFileSync(at(`${run}/evaluation.json`), "utf8")).results.loss;
    };
    const wide = lossIn("float32");
    // Some tens of steps of Adam, each of gradients that were rounded to 1 in 2,000.
    expect(Math.abs(lossIn("float16") / wide - 1)).toBeLessThan(0.02);
  }, 120_000);
});
