/** Texts of your own on a pretrained model: its head, then its last blocks, held against the baselines of the same texts. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { dense, embedding, globalAveragePool, keyOf, lambda, ops, sequential, type Value } from "../../src/index.ts";
import { openRun, saveModel } from "../../src/node.ts";
import { writeModel } from "../pretrained-folders.ts";
import { sardonyx } from "./run.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-texts-on-base-"));
afterAll(() => rmSync(folder, { recursive: true }));

const things = ["film", "meal", "phone", "book", "song", "chair", "walk"];
const good = ["a joy", "lovely", "great fun", "not bad"];
const bad = ["so dull", "a waste", "not good", "broken"];
const rows = Array.from({ length: 120 }, (_, i) => ({
  review: `The ${things[i % 7]} number ${i} is ${(i % 2 ? good : bad)[(i >> 1) % 4]} for me`,
  mood: i % 2 ? "glad" : "sad",
  tags: [things[i % 7] as string, ...(i % 2 ? ["praise"] : [])],
  stars: (i % 2 ? 4 : 1) + (i % 4) / 4,
}));
const saved = (name: string, own: readonly object[]) => {
  const path = join(folder, name);
  writeFileSync(path, own.map((row) => JSON.stringify(row)).join("\n"));
  return path;
};
const moods = saved(
  "moods.jsonl",
  rows.map(({ review, mood }) => ({ review, mood })),
);

beforeAll(() => {
  writeModel(join(folder, "bert"), rows.map(({ review }) => review).join("\n"), {
    model_type: "bert",
    architectures: ["BertForMaskedLM"],
    hidden_size: 32,
    intermediate_size: 48,
    num_hidden_layers: 2,
    num_attention_heads: 2,
    max_position_embeddings: 64,
    hidden_dropout_prob: 0,
    attention_probs_dropout_prob: 0,
  });
}, 60_000);

const train = (name: string, data: string, ...args: string[]) => {
  const run = join(folder, name);
  const done = sardonyx("train", "--data", data, "--out", run, "--threads", "1", "--minutes", "3", ...args);
  expect([done.stderr, done.status]).toEqual(["", 0]);
  const evaluation = JSON.parse(readFileSync(join(run, "evaluation.json"), "utf8"));
  return { run, evaluation, said: done.stdout.replace(/\s+/g, " ") };
};
const base = (name = "bert") => ["--base", join(folder, name)];

test("classes are learned on the same parts as without a base, beside the same baselines and a linear one on its features", async () => {
  const own = train("own", moods, "--epochs", "1");
  const { run, evaluation, said } = train("classes", moods, ...base(), "--epochs", "9");
  expect(said).toMatch(/a new head takes the base's vectors of texts: the mean of what bert gives for their tokens/);
  expect(said).toMatch(/Stage 1 of 2: head alone, 6 epochs .*Stage 2 of 2: head and last 2 blocks, 3 epochs/);
  expect(said).toMatch(/samples that were not trained on chose tuned, after epoch \d/);
  // Of 24 texts chance is 0.5, with a standard deviation of 0.1; the base is random.
  expect(evaluation.results.accuracy).toBeGreaterThan(0.7);
  const [simple, onBase] = [own.evaluation.baselines, evaluation.baselines] as { name: string; test: number }[][];
  // The same baselines reach the same on the same test.
  expect(onBase?.slice(0, 3).map(({ name, test }) => [name, test])).toEqual(
    simple?.map(({ name, test }) => [name, test]),
  );
  expect(onBase?.map(({ name }) => name).at(-1)).toBe("logistic regression on the base's features");
  // Mistakes are shown by their text.
  const report = JSON.parse(readFileSync(join(run, "report.json"), "utf8"));
  for (const { cells } of report.mistakes ?? []) expect(cells[0]).toMatchObject({ name: "review" });

  // The run is whole: it needs neither the base nor its tokenizer's file.
  const copy = join(folder, "elsewhere.jsonl");
  writeFileSync(copy, JSON.stringify({ review: "The song is lovely for me" }));
  const { stdout, status } = sardonyx("predict", run, "The book is broken for me", copy);
  expect(status).toBe(0);
  expect(stdout).toMatch(/^The book is broken for me: (?:glad|sad) \(.*\nelsewhere\.jsonl: (?:glad|sad) \(/);
  const out = join(folder, "classes.onnx");
  expect(sardonyx("export", run, "--out", out).status).toBe(0);
  const { InferenceSession } = await import("onnxruntime-node");
  const session = await InferenceSession.create(out);
  expect([...session.inputNames].sort()).toEqual(["mask", "x"]);
  const opened = await openRun(run);
  expect((await opened.ask("The book is broken for me")) as object).toHaveProperty("output");
  await opened.release();
}, 120_000);

test("labels and numbers are learned", () => {
  const tags = saved(
    "tags.jsonl",
    rows.map(({ review, tags }) => ({ review, tags })),
  );
  const labels = train("labels", tags, ...base(), "--epochs", "6", "--unfreeze", "0");
  expect(Object.keys(labels.evaluation.results)).toEqual(expect.arrayContaining(["labelF1", "meanAveragePrecision"]));
  expect(labels.said).not.toMatch(/Stage 2/);
  const stars = saved(
    "stars.jsonl",
    rows.map(({ review, stars }) => ({ review, stars })),
  );
  const numbers = train("stars", stars, ...base(), "--task", "regression", "--epochs", "9");
  expect(numbers.evaluation.baselines.map(({ name }: { name: string }) => name)).toEqual([
    "mean",
    "ridge regression",
    "ridge regression on the base's features",
  ]);
  const answer = Number(sardonyx("predict", numbers.run, "The meal is lovely for me").stdout.trim().split(": ").at(-1));
  expect(answer).toBeGreaterThan(0);
  expect(answer).toBeLessThan(6);
}, 120_000);

test("a base of another kind: a file of so many tokens that gives vectors", async () => {
  // Token ids [N, 20] as vectors [N, 8].
  const model = sequential([
    embedding(400, 8),
    lambda((x: Value) => ops.transpose(x, [0, 2, 1])) as never,
    globalAveragePool(),
    dense(8, { activation: "tanh" }),
  ]);
  model.initialize(keyOf(3), { dtype: "int32", shape: [1, 20] });
  await saveModel(model, join(folder, "vectors"));
  writeFileSync(join(folder, "vectors/tokenizer.json"), readFileSync(join(folder, "bert/tokenizer.json")));
  const { run, said } = train("on-vectors", moods, ...base("vectors"), "--epochs", "3");
  expect(said).toMatch(/a new head takes the base's vectors of texts: as it gives them/);
  expect(sardonyx("predict", run, "short").stdout).toMatch(/^short: (?:glad|sad) \(/);
  const long = sardonyx("train", "--data", moods, ...base("vectors"), "--length", "30");
  expect([long.status, long.stderr]).toEqual([
    2,
    expect.stringMatching(/the model reads 20; pass a length up to that/),
  ]);
});

test("says what does not fit", async () => {
  const numbers = sequential([dense(4), dense(2)]);
  numbers.initialize(keyOf(1), { dtype: "float32", shape: [1, 4] });
  await saveModel(numbers, join(folder, "numbers"));
  for (const [args, said] of [
    [base("none"), /there is no file or folder .*none; check the path of the pretrained model/],
    [base("numbers"), /has no tokenizer\.json, by which texts become the tokens of the model/],
    [[...base(), "--length", "100"], /texts of 100 tokens are too long: the model reads 64/],
    [[...base(), "--length", "1"], /--length is 1; pass a whole number of tokens from 2/],
    [["--length", "10"], /--length is of a base, and there is none/],
    [[...base(), "--unfreeze", "1.5"], /--unfreeze is 1\.5; pass a whole number of blocks/],
  ] as const) {
    const { status, stderr } = sardonyx("train", "--data", moods, ...args);
    expect([status, stderr]).toEqual([2, expect.stringMatching(said)]);
  }
});

test("goes on where it stopped, to the same end", () => {
  const options = [...base(), "--limit", "60"];
  const parted = train("parted", moods, ...options, "--epochs", "2");
  expect(sardonyx("train", "--data", moods, "--out", parted.run, "--resume", "--epochs", "4").status).toBe(0);
  const again = train("again", moods, ...options, "--epochs", "2");
  expect(sardonyx("train", "--data", moods, "--out", again.run, "--resume", "--epochs", "4").status).toBe(0);
  const weights = (path: string) => {
    const out = join(path, "w.safetensors");
    expect(sardonyx("export", path, "--out", out).status).toBe(0);
    return readFileSync(out);
  };
  expect(weights(parted.run).equals(weights(again.run))).toBe(true);
}, 120_000);
