/** A small language model adapted to other texts, shortened. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { decodeSafetensors } from "../../src/index.ts";
import { train } from "./run.ts";

test("lora-gpt writes an adapter that is a part of the model, and gives the same merged into it", () => {
  const { run, results } = train("lora-gpt", "--limit", "300", "--epochs", "2", "--adaptation", "2");
  const { sentences_before: before = 0, lora_parameters: lora = 0, full_parameters: full = 0 } = results;
  expect(results["sentences_n_gram"]).toBeGreaterThan(1);
  for (const method of ["lora", "last_block", "full"])
    expect(results[`sentences_${method}`], method).toBeLessThan(before);
  expect(lora).toBeLessThan(0.15 * full);
  expect(results["merge_difference"]).toBeLessThan(1e-4);
  expect(results["sentences_merged"]).toBeCloseTo(results["sentences_unmerged"] ?? 0, 1);
  const bytes = readFileSync(join(run, "adapter.safetensors"));
  expect(bytes).toHaveLength(results["lora_bytes"] ?? 0);
  const { tensors } = decodeSafetensors(bytes);
  expect(Object.values(tensors).reduce((sum, { data }) => sum + data.length, 0)).toBe(lora);
});
