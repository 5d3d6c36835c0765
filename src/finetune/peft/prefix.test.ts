/** Prefix tuning in PEFT's files, against outputs that PEFT gave. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Shape } from "../../core/shape.ts";
import { modelFromConfig } from "../../formats/huggingface.ts";
import { expectOutputs, type Plain, recordedIds } from "../../formats/testing/recorded-models.ts";
import { fill, signed } from "../../models/testing/fill.ts";
import type { Module } from "../../nn/index.ts";
import { decodeSafetensors, encodeSafetensors } from "../../storage/safetensors.ts";
import { addPrefix, decodePeft, encodePeft } from "../index.ts";
import { smallLlama } from "../testing/models.ts";

interface Recorded {
  readonly config: Readonly<Record<string, unknown>>;
  /** Of adapter_config.json. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** The shape of prompt_embeddings. */
  readonly prefix: Shape;
  readonly output: Plain;
}

/** Written by scripts/record-prefix-fixtures.py. */
const { models }: { readonly models: Readonly<Record<string, Recorded>> } = JSON.parse(
  readFileSync("test/fixtures/train/prefix.json", "utf8"),
);
const { padded: x, mask } = recordedIds(31);

const build = (config: unknown) => {
  const model = modelFromConfig(config).build() as Module;
  model.trace({ x, mask } as never);
  fill(model);
  return model;
};

describe.each(Object.entries(models))("%s", (_, { config, fields, prefix, output }) => {
  const weights = encodeSafetensors({ prompt_embeddings: signed("prompt_embeddings", prefix) });

  test("computes as in PEFT, and is written as PEFT wrote it", async () => {
    const model = build(config);
    const set = await decodePeft(model, fields, weights, {
      report: (note) => {
        throw new Error(note);
      },
    });
    await expectOutputs(model, { x, mask }, [output]);
    const written = encodePeft(set, "default");
    expect(written.config).toEqual(fields);
    expect(decodeSafetensors(written.weights).tensors).toEqual(decodeSafetensors(weights).tensors);
  });

  test("other sizes are refused", async () => {
    await expect(decodePeft(build(config), { ...fields, num_attention_heads: 1 }, weights)).rejects.toThrow(
      /num_attention_heads is 1, and that of the model is \d; the adapter was trained on "base"/,
    );
    await expect(decodePeft(build(config), { ...fields, num_virtual_tokens: 4 }, weights)).rejects.toThrow(
      `"prompt_embeddings" is [${prefix}]`.replace(",", ", "),
    );
    await expect(decodePeft(build(config), { ...fields, num_transformer_submodules: 2 }, weights)).rejects.toThrow(
      /num_transformer_submodules is 2, expected 1/,
    );
  });
});

test("what PEFT computes otherwise is not written", async () => {
  const set = await addPrefix(smallLlama(), { tokens: 2 });
  expect(() => encodePeft(set, "default")).toThrow(/PEFT counts the prefix among the positions/);
  const bloom = build({
    ...{ model_type: "bloom", architectures: ["BloomForCausalLM"] },
    ...{ vocab_size: 31, hidden_size: 16, n_layer: 1, n_head: 2 },
  });
  const biased = await addPrefix(bloom, { tokens: 2, shiftsPositions: true });
  expect(() => encodePeft(biased, "default")).toThrow(/biases by distance/);
});
