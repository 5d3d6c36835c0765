/** Adapters in PEFT's layout, both ways: names, shapes and fields are those of PEFT (peft/utils/save_and_load.py, August 2026). */
import { describe, expect, test } from "vitest";
import type { Tensor } from "../../core/tensor.ts";
import type { Module } from "../../nn/index.ts";
import { decodeSafetensors } from "../../storage/safetensors.ts";
import { addIa3, addLora, addPrefix, addPrompt, decodePeft, encodePeft, withVirtualTokens } from "../index.ts";
import { apart, ids, numbersOf, smallGpt2, smallLlama, stir } from "../testing/models.ts";
import { image, network } from "../testing/peft-files.ts";

const shapesOf = (weights: Uint8Array) =>
  Object.fromEntries(Object.entries(decodeSafetensors(weights).tensors).map(([name, { shape }]) => [name, shape]));

describe.each([
  ["LoRA", smallLlama, ids, (model) => addLora(model, { rank: 2, alpha: 4 })],
  [
    "rsLoRA of all dense layers",
    smallLlama,
    ids,
    (model) => addLora(model, { rank: 2, scaling: { rankStabilized: true }, targets: "all-linear" }),
  ],
  [
    "ranks and alphas",
    smallLlama,
    ids,
    (model) =>
      addLora(model, {
        rank: 2,
        alpha: 3,
        scaling: { ranks: { "layers.1.self_attn.q_proj": 5 }, alphas: { v_proj: 7 } },
      }),
  ],
  ["DoRA", smallLlama, ids, (model) => addLora(model, { rank: 2, dora: true, targets: "all-linear" })],
  [
    "one block alone",
    smallLlama,
    ids,
    (model) => addLora(model, { rank: 2, targets: ["*layers.1*q_proj", "*layers.0*o_proj"] }),
  ],
  ["an embedding", smallLlama, ids, (model) => addLora(model, { rank: 2, targets: ["*embed_tokens", "q_proj"] })],
  ["GPT-2", smallGpt2, ids, (model) => addLora(model, { rank: 2, dora: true, targets: ["c_attn", "mlp.c_proj"] })],
  ["biases", smallGpt2, ids, (model) => addLora(model, { rank: 2, bias: "adapted" })],
  ["all biases", smallGpt2, ids, (model) => addLora(model, { rank: 2, bias: "all" })],
  [
    "a head that is saved",
    network,
    image,
    (model) => addLora(model, { rank: 2, targets: ["layers.0", "layers.2"] }, { modulesToSave: ["layers.3"] }),
  ],
  [
    "DoRA of a convolution",
    network,
    image,
    (model) => addLora(model, { rank: 2, dora: true, targets: ["layers.0", "layers.2"] }),
  ],
  ["(IA)3", smallLlama, ids, (model) => addIa3(model)],
  [
    "(IA)3 of one block's inputs alone",
    smallLlama,
    ids,
    (model) => addIa3(model, { targets: ["q_proj", "*layers.0*o_proj"], feedForward: "*layers.1*o_proj" }),
  ],
  [
    "an embedding and a head that are saved",
    smallLlama,
    ids,
    (model) => addLora(model, { rank: 2 }, { modulesToSave: ["model.embed_tokens", "lm_head"] }),
  ],
  ["(IA)3 of GPT-2", smallGpt2, ids, (model) => addIa3(model)],
  [
    "(IA)3 of a convolution",
    network,
    image,
    (model) => addIa3(model, { targets: "layers.0", feedForward: "layers.2" }),
  ],
  [
    "a prompt",
    smallGpt2,
    withVirtualTokens(ids, { vocabulary: 20, tokens: 3 }),
    (model) => addPrompt(model, { tokens: 3 }),
  ],
  ["a prefix", smallLlama, ids, (model) => addPrefix(model, { tokens: 3, shiftsPositions: true })],
  ["a prefix of GPT-2", smallGpt2, ids, (model) => addPrefix(model, { tokens: 3, shiftsPositions: true })],
] as readonly (readonly [
  string,
  () => Module,
  Tensor,
  (model: Module) => Promise<Parameters<typeof encodePeft>[0]>,
])[])("%s", (_, make, x, add) => {
  test("comes back as it was", async () => {
    const model = make();
    const set = await add(model);
    stir(model);
    const { config, weights } = encodePeft(set, "default", { base: "base" });
    const fresh = make();
    const notes: string[] = [];
    const read = await decodePeft(fresh, JSON.parse(JSON.stringify(config)), weights, {
      report: (note) => notes.push(note),
    });
    expect(notes).toEqual([]);
    expect(apart(await numbersOf(model, x), await numbersOf(fresh, x))).toBeLessThan(1e-6);
    expect(read.names).toEqual(["default"]);
    const again = encodePeft(read, "default");
    expect(again.config).toEqual(config);
    expect(again.weights).toEqual(weights);
  });
});

test("names, shapes and fields are PEFT's", async () => {
  const llama = smallLlama();
  const { config, weights } = encodePeft(await addLora(llama, { rank: 2, alpha: 4 }), "default", {
    base: "meta-llama/Llama-2-7b-hf",
  });
  expect(config).toEqual({
    ...{ auto_mapping: null, revision: null, task_type: null, init_lora_weights: true },
    ...{ layers_pattern: null, layers_to_transform: null, exclude_modules: null, modules_to_save: null },
    ...{
      r: 2,
      lora_alpha: 4,
      lora_dropout: 0,
      use_rslora: false,
      use_dora: false,
      bias: "none",
      fan_in_fan_out: false,
    },
    ...{ rank_pattern: {}, alpha_pattern: {}, target_modules: ["q_proj", "v_proj"], peft_type: "LORA" },
    ...{ base_model_name_or_path: "meta-llama/Llama-2-7b-hf", inference_mode: true },
  });
  const at = "base_model.model.model.layers.0.self_attn";
  expect(shapesOf(weights)).toMatchObject({
    [`${at}.q_proj.lora_A.weight`]: [2, 16],
    [`${at}.q_proj.lora_B.weight`]: [16, 2],
    [`${at}.v_proj.lora_B.weight`]: [8, 2],
  });
  const images = encodePeft(
    await addLora(
      network(),
      { rank: 2, dora: true, targets: ["layers.0", "layers.2"] },
      { modulesToSave: ["layers.3"] },
    ),
    "default",
  );
  expect(shapesOf(images.weights)).toEqual({
    "base_model.model.layers.0.lora_A.weight": [2, 1, 3, 3],
    "base_model.model.layers.0.lora_B.weight": [6, 2, 1, 1],
    "base_model.model.layers.0.lora_magnitude_vector": [1, 6, 1, 1],
    "base_model.model.layers.2.lora_A.weight": [2, 96],
    "base_model.model.layers.2.lora_B.weight": [8, 2],
    "base_model.model.layers.2.lora_magnitude_vector": [8],
    "base_model.model.layers.3.weight": [3, 8],
    "base_model.model.layers.3.bias": [3],
  });
  expect(images.config).toMatchObject({
    target_modules: ["layers.0", "layers.2"],
    modules_to_save: ["layers.3"],
    use_dora: true,
  });
  const gpt2 = encodePeft(await addLora(smallGpt2(), { rank: 2, bias: "adapted" }), "default");
  expect(gpt2.config).toMatchObject({ fan_in_fan_out: true, target_modules: ["c_attn"], bias: "lora_only" });
  expect(shapesOf(gpt2.weights)["base_model.model.transformer.h.0.attn.c_attn.base_layer.bias"]).toEqual([48]);
  const table = encodePeft(await addLora(smallLlama(), { rank: 2, targets: "*embed_tokens" }), "default");
  expect(shapesOf(table.weights)).toEqual({
    "base_model.model.model.embed_tokens.lora_embedding_A": [2, 20],
    "base_model.model.model.embed_tokens.lora_embedding_B": [16, 2],
  });
  const factors = encodePeft(await addIa3(smallLlama()), "default");
  expect(factors.config).toMatchObject({ peft_type: "IA3", target_modules: ["k_proj", "v_proj", "down_proj"] });
  // PEFT wants these among target_modules.
  expect(factors.config).toMatchObject({ feedforward_modules: ["down_proj"] });
  expect(shapesOf(factors.weights)).toMatchObject({
    [`${at}.k_proj.ia3_l`]: [8, 1],
    "base_model.model.model.layers.0.mlp.down_proj.ia3_l": [1, 24],
  });
  const prompt = encodePeft(await addPrompt(smallGpt2(), { tokens: 3 }), "default");
  expect(prompt.config).toMatchObject({ peft_type: "PROMPT_TUNING", num_virtual_tokens: 3, token_dim: 16 });
  expect(shapesOf(prompt.weights)).toEqual({ prompt_embeddings: [3, 16] });
});
