/** Further tasks of fine-tuning, each learned by a small made-up model as a person would: vectors of texts. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openRun, type RunResult, runRecipe } from "../src/node.ts";
import { writeModel } from "./pretrained-folders.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-tasks-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);

const verbs = ["open", "close", "clean", "sell", "move", "paint", "count", "lend", "wrap", "hide", "weigh", "fix"];
const things = ["door", "book", "lamp", "boat", "coat", "ring", "bell", "drum", "kite", "cake"];
const pairs = verbs.flatMap((verb) =>
  things.map((thing) => ({ anchor: `how do i ${verb} the ${thing}`, positive: `${thing} : here you ${verb} it` })),
);

beforeAll(() => {
  execFileSync(process.execPath, ["scripts/prepare.mjs"], { stdio: "inherit" });
  const text = pairs.flatMap(({ anchor, positive }) => [anchor, positive]).join("\n");
  const layers = { num_hidden_layers: 2, num_attention_heads: 2, max_position_embeddings: 64, hidden_size: 32 };
  const dropout = { hidden_dropout_prob: 0, attention_probs_dropout_prob: 0 };
  const bert = { model_type: "bert", intermediate_size: 32, ...layers, ...dropout };
  writeModel(at("bert"), text, { ...bert, architectures: ["BertForMaskedLM"] });
  writeFileSync(at("pairs.jsonl"), pairs.map((own) => JSON.stringify(own)).join("\n"));
}, 120_000);

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
});
