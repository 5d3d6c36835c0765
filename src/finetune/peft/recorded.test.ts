/** Adapters of PEFT's files, against what PEFT wrote and computed. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Shape } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";
import { modelFromConfig } from "../../formats/huggingface.ts";
import { expectOutputs, type Plain, recordedIds } from "../../formats/testing/recorded-models.ts";
import { fill, filled } from "../../models/testing/fill.ts";
import type { Module } from "../../nn/index.ts";
import { decodeSafetensors, encodeSafetensors } from "../../storage/safetensors.ts";
import type { AdapterSet, AdapterSettings } from "../adapters/adapter-set.ts";
import { addIa3, addLora, addPrefix, addPrompt, decodePeft, encodePeft, withVirtualTokens } from "../index.ts";
import { smallLlama } from "../testing/models.ts";

interface Recorded {
  /** The name of the base's config. */
  readonly model: string;
  /** Of adapter_config.json. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly tensors: Readonly<Record<string, Shape>>;
  /** Tensors of the base in the file, by the names that they have there, with those of the base. */
  readonly kept: Readonly<Record<string, string>>;
  readonly output: Plain;
}

/** Written by scripts/record-peft-fixtures.py. */
const {
  configs,
  cases,
}: { readonly configs: Readonly<Record<string, object>>; readonly cases: Readonly<Record<string, Recorded>> } =
  JSON.parse(readFileSync("test/fixtures/train/peft.json", "utf8"));
const vocabulary = 31;
const { padded, mask } = recordedIds(vocabulary);

const build = (config: unknown) => {
  const model = modelFromConfig(config).build() as Module;
  model.trace({ x: padded, mask } as never);
  fill(model);
  return model;
};

/** The inputs of a case: virtual tokens of a prompt are ids of their own. */
function inputsOf({ peft_type: type, num_virtual_tokens: tokens }: Recorded["fields"]) {
  if (type !== "PROMPT_TUNING") return { x: padded, mask };
  const [rows = 1, length = 1] = padded.shape;
  const ids = new Tensor("int32", padded.shape, Int32Array.from(padded.data, Number));
  const all = [rows, length + Number(tokens)];
  const seen = Array.from({ length: rows }, (_, row) => [
    ...Array.from({ length: Number(tokens) }, () => 1n),
    ...mask.data.subarray(row * length, (row + 1) * length),
  ]).flat();
  return {
    x: withVirtualTokens(ids, { vocabulary, tokens: Number(tokens) }),
    mask: new Tensor("int64", all, BigInt64Array.from(seen)),
  };
}

const weightsOf = ({ tensors, kept }: Pick<Recorded, "tensors" | "kept">) =>
  encodeSafetensors(
    Object.fromEntries(Object.entries(tensors).map(([name, shape]) => [name, filled(kept[name] ?? name, shape)])),
    { format: "pt" },
  );

/** Adds an adapter as a caller does, without the fields of a file. */
const added: Readonly<
  Record<string, (model: Module, options: never, settings: AdapterSettings) => Promise<AdapterSet<never, never>>>
> = { LORA: addLora, IA3: addIa3, PROMPT_TUNING: addPrompt, PREFIX_TUNING: addPrefix } as never;

/** Fields that choose layers: names, expressions and numbers of blocks there, the shortest that mean the same here. */
const choosing = new Set([
  ...["target_modules", "exclude_modules", "feedforward_modules", "layers_to_transform", "layers_pattern"],
  ...["rank_pattern", "alpha_pattern"],
  // For a classifier PEFT adds the names that heads have in any family, twice.
  "modules_to_save",
]);

/** Fields that hold something where nobody set them, which a file that is made here leaves out. */
const leftOut = new Set([
  ...["peft_version", "megatron_core", "qalora_group_size", "loftq_config"],
  // Of a prompt, which has no need of them.
  ...["num_layers", "num_attention_heads"],
]);

describe.each(Object.entries(cases))("%s", (_, recorded) => {
  const { model: name, fields, kept, output } = recorded;
  const weights = weightsOf(recorded);

  test("computes as in PEFT, and is written as PEFT wrote it", async () => {
    const model = build(configs[name]);
    const set = await decodePeft(model, fields, weights, {
      report: (note) => {
        throw new Error(note);
      },
    });
    await expectOutputs(model, inputsOf(fields), [output]);
    const written = encodePeft(set, "default");
    expect(written.config).toEqual(fields);
    const { tensors } = decodeSafetensors(weights);
    // The base's own embeddings, which PEFT writes for vocabularies that grew, are left to the base.
    for (const path of Object.keys(kept)) delete (tensors as Record<string, Tensor>)[path];
    expect(decodeSafetensors(written.weights).tensors).toEqual(tensors);
  });

  test("made here, its file has PEFT's fields, names and shapes", async () => {
    const set = await decodePeft(build(configs[name]), fields, weights);
    const wholes = set.savedOf("default").filter((path) => !path.endsWith("bias") || !fields["bias"]);
    const add = added[String(fields["peft_type"])];
    const made = await add?.(build(configs[name]), set.optionsOf("default") as never, { modulesToSave: wholes });
    const { config, weights: bytes } = encodePeft(made as never, "default", { base: "base" });
    // PEFT warns of fields that it does not know.
    expect(Object.keys(config).filter((field) => !(field in fields))).toEqual([]);
    const needsTask = "num_virtual_tokens" in fields;
    for (const [field, value] of Object.entries(config))
      if (field === "task_type" && !needsTask) expect(value).toBeNull();
      else if (!choosing.has(field)) expect(value, field).toEqual(fields[field]);
    const missing = Object.keys(fields).filter((field) => !(field in config) && !leftOut.has(field));
    expect(missing.filter((field) => fields[field])).toEqual([]);
    const shapes = Object.entries(decodeSafetensors(bytes).tensors).map(([key, { shape }]) => [key, shape]);
    expect(Object.fromEntries(shapes)).toEqual(
      Object.fromEntries(Object.entries(recorded.tensors).filter(([key]) => !(key in kept))),
    );
  });
});

const prefixes = Object.entries(cases).filter(([, { fields }]) => fields["peft_type"] === "PREFIX_TUNING");
test.each(prefixes)("%s of other sizes is refused", async (_, recorded) => {
  const { model: name, fields, tensors } = recorded;
  const weights = weightsOf(recorded);
  await expect(decodePeft(build(configs[name]), { ...fields, num_attention_heads: 1 }, weights)).rejects.toThrow(
    /num_attention_heads is 1, and that of the model is \d; the adapter was trained on "base"/,
  );
  await expect(decodePeft(build(configs[name]), { ...fields, num_virtual_tokens: 4 }, weights)).rejects.toThrow(
    `"prompt_embeddings" is [${tensors["prompt_embeddings"]?.join(", ")}]`,
  );
  await expect(decodePeft(build(configs[name]), { ...fields, num_transformer_submodules: 2 }, weights)).rejects.toThrow(
    /num_transformer_submodules is 2, expected 1/,
  );
});

test("a prefix that PEFT computes otherwise is not written", async () => {
  const set = await addPrefix(smallLlama(), { tokens: 2 });
  expect(() => encodePeft(set, "default")).toThrow(/PEFT counts the prefix among the positions/);
  const bloom = build({
    ...{ model_type: "bloom", architectures: ["BloomForCausalLM"] },
    ...{ vocab_size: 31, hidden_size: 16, n_layer: 1, n_head: 2 },
  });
  const biased = await addPrefix(bloom, { tokens: 2, shiftsPositions: true });
  expect(() => encodePeft(biased, "default")).toThrow(/biases by distance/);
});
