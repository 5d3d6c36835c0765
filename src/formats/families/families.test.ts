/** Families that differ from another by names and defaults: totals of the published models, and the names of parameters. */
import { expect, test } from "vitest";
import { summarize } from "../../nn/index.ts";
import { modelFromConfig } from "../huggingface.ts";

const built = (config: object) => {
  const { name, build, inputs } = modelFromConfig(config);
  const model = build();
  return { name, model, summary: summarize(model, inputs) };
};

const xlmRoberta = {
  ...{ model_type: "xlm-roberta", vocab_size: 250_002, max_position_embeddings: 514, type_vocab_size: 1 },
  ...{ pad_token_id: 1, layer_norm_eps: 1e-5 },
};

// Totals of the models on Hugging Face's hub, as the library counts them.
test.each([
  ["xlm-roberta-base", { ...xlmRoberta, architectures: ["XLMRobertaModel"] }, 278_043_648],
  ["xlm-roberta-base with its masked head", { ...xlmRoberta, architectures: ["XLMRobertaForMaskedLM"] }, 278_295_186],
  [
    "camembert-base",
    {
      ...{ model_type: "camembert", architectures: ["CamembertModel"], vocab_size: 32_005, type_vocab_size: 1 },
      ...{ max_position_embeddings: 514, pad_token_id: 1 },
    },
    110_621_952,
  ],
  ["mt5-small, by the defaults", { model_type: "mt5", architectures: ["MT5ForConditionalGeneration"] }, 300_176_768],
  [
    "tinyllama",
    {
      ...{ model_type: "llama", architectures: ["LlamaForCausalLM"], hidden_size: 2048, intermediate_size: 5632 },
      ...{ num_hidden_layers: 22, num_attention_heads: 32, num_key_value_heads: 4, max_position_embeddings: 2048 },
    },
    1_100_048_384,
  ],
])("%s", (_, config, total) => expect(built(config).summary.parameters).toBe(total));

test.each([
  ["xlm-roberta", "XLMRoberta"],
  ["camembert", "Camembert"],
])("%s has the classes of roberta, and their names of parameters", (model_type, classes) => {
  const small = { vocab_size: 11, hidden_size: 8, num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: 16 };
  for (const head of [
    "Model",
    "ForMaskedLM",
    "ForSequenceClassification",
    "ForTokenClassification",
    "ForQuestionAnswering",
  ]) {
    const own = built({ ...small, model_type, architectures: [`${classes}${head}`] });
    const roberta = built({ ...small, model_type: "roberta", architectures: [`Roberta${head}`] });
    expect(own.name).toBe(`${classes}${head}`);
    expect([...own.model.parameters().keys()]).toEqual([...roberta.model.parameters().keys()]);
  }
});

test("mt5 has T5's classes with gated networks, and scores of their own", () => {
  const small = { vocab_size: 11, d_model: 8, d_kv: 4, d_ff: 16, num_layers: 1, num_heads: 2 };
  const { model } = built({ ...small, model_type: "mt5", architectures: ["MT5ForConditionalGeneration"] });
  const names = [...model.parameters().keys()];
  expect(names).toContain("lm_head.weight");
  expect(names).toContain("encoder.block.0.layer.1.DenseReluDense.wi_1.weight");
  const encoder = built({ ...small, model_type: "mt5", architectures: ["MT5EncoderModel"] });
  expect(encoder.model.parameters().has("decoder.block.0.layer.0.layer_norm.weight")).toBe(false);
});
