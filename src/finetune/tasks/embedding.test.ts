/** The task of embeddings: what a batch holds, which texts are compared, what is refused. */
import { expect, test } from "vitest";
import { keyOf } from "../../core/random.ts";
import { type Batch, characterTokenizer, type TextPair } from "../../data/index.ts";
import { bertArchitectures } from "../../models/index.ts";
import { evaluate } from "../../train/index.ts";
import { textEmbedding } from "./embedding.ts";

const sizes = { layers: 2, width: 8, heads: 2, feedForward: 8, vocabulary: 26, positions: 16 };
const base = () => {
  const model = bertArchitectures.BertForMaskedLM({ sizes });
  model.initialize(keyOf(1), { x: { dtype: "int32", shape: [1, 4] }, mask: { dtype: "int32", shape: [1, 4] } });
  return model;
};
const tokenizer = characterTokenizer("abcdefghijklmnopqrstuvwxyz");
const options = { tokenizer, length: 4, batchSize: 4, seed: 0 };
const letter = (i: number) => "abcdefghijklmnopqrstuvwxyz"[i] as string;
const pairs: TextPair[] = Array.from({ length: 12 }, (_, i) => ({
  anchor: `a${letter(i)}`,
  positive: `bcdef${letter(i)}`,
}));

const firstBatch = async (task: ReturnType<typeof textEmbedding>): Promise<Batch> => {
  for await (const batch of task.train.epoch(0)) return batch;
  throw new Error("there is no batch");
};

test("a batch holds rows of both texts, cut to the length", async () => {
  const task = textEmbedding(base(), pairs, options);
  expect(task.notes.join("; ")).toBe(
    "vectors: mean of the states of tokens, of length 1; each anchor is compared with 4 texts; cut to 4 tokens: 12 texts",
  );
  expect(task.reader).toMatchObject({ length: 4, gives: "vector" });
  expect(task.rows).toBe(2);
  const batch = await firstBatch(task);
  expect(Object.keys(batch)).toEqual(["x", "mask", "positive", "positiveMask"]);
  expect(batch["mask"]?.toNumbers().slice(0, 4)).toEqual([1, 1, 0, 0]);
  expect(task.preview[0]).toMatch(/^a. = bcde$/);
});

test("texts that belong together by the data are not compared", async () => {
  // All pairs share a positive: nothing is left to compare, and each finds its own.
  const same = pairs.map(({ anchor }) => ({ anchor, positive: "zz" }));
  const task = textEmbedding(base(), same, options);
  const { results } = await evaluate(task.model, task.train, {
    objective: task.objective as never,
    metrics: task.metrics,
  });
  expect(results.loss).toBeCloseTo(0, 5);
  expect(results["accuracy"]).toBe(1);
  expect(await task.measure?.({})).toEqual({ retrieval_accuracy: 1 });
});

test("negatives are further columns, but for those that are positives of the same anchor", async () => {
  const own = pairs.map((pair, i) => ({
    ...pair,
    negative: i === 0 ? (pairs[1] as TextPair).positive : `z${letter(i)}`,
  }));
  const task = textEmbedding(base(), own, options);
  expect(task.rows).toBe(3);
  const batch = await firstBatch(task);
  expect(Object.keys(batch)).toContain("negative");
  // Negative 0 is positive 1, and has its group.
  expect(batch["group"]?.toNumbers().every((group) => group >= 0)).toBe(true);
  const alone = textEmbedding(
    base(),
    pairs.map((pair, i) => ({ ...pair, negative: `z${letter(i)}` })),
    options,
  );
  expect(Object.keys(await firstBatch(alone))).not.toContain("group");
});

test("a batch of one pair, and a model of images, are refused", () => {
  expect(() => textEmbedding(base(), pairs, { ...options, batchSize: 1 })).toThrow("pass a batch size from 2");
  expect(() => textEmbedding(base(), pairs.slice(0, 9), options)).toThrow("there are 9 samples, too few");
});
