/** Totals of the published models, and families that differ from another by names and defaults. */
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

const mixtral = { model_type: "mixtral", architectures: ["MixtralForCausalLM"] };
const phi2 = { hidden_size: 2560, intermediate_size: 10_240, num_hidden_layers: 32, num_attention_heads: 32 };
const qwen3 = {
  ...{ model_type: "qwen3", hidden_size: 1024, intermediate_size: 3072, num_hidden_layers: 28 },
  ...{ num_attention_heads: 16, num_key_value_heads: 8 },
};
const qwen3Experts = { model_type: "qwen3_moe", num_hidden_layers: 48, head_dim: 128 };
const gemma = {
  hidden_size: 2048,
  intermediate_size: 16_384,
  num_hidden_layers: 18,
  num_attention_heads: 8,
  num_key_value_heads: 1,
};
const gemma3 = {
  ...{ vocab_size: 262_144, hidden_size: 1152, intermediate_size: 6912, num_hidden_layers: 26 },
  ...{ num_attention_heads: 4, num_key_value_heads: 1 },
};
const opt350 = {
  ...{ hidden_size: 1024, word_embed_proj_dim: 512, num_hidden_layers: 24, ffn_dim: 4096 },
  ...{ num_attention_heads: 16, do_layer_norm_before: false },
};
const imagenet = { num_labels: 1000 };
const mpnet = { max_position_embeddings: 514 };
const deberta = {
  ...{ hidden_size: 768, num_hidden_layers: 12, num_attention_heads: 12, intermediate_size: 3072 },
  ...{ relative_attention: true, position_buckets: 256, share_att_key: true, norm_rel_ebd: "layer_norm" },
  ...{ pos_att_type: "p2c|c2p", position_biased_input: false },
};
const bartBase = {
  ...{ d_model: 768, encoder_layers: 6, decoder_layers: 6, encoder_ffn_dim: 3072, decoder_ffn_dim: 3072 },
  ...{ encoder_attention_heads: 12, decoder_attention_heads: 12 },
};
const bloom = { hidden_size: 1024, n_layer: 24, n_head: 16 };
const gptNeo = { hidden_size: 768, num_layers: 12, num_heads: 12, attention_types: [[["global", "local"], 6]] };
const pythia = {
  ...{ vocab_size: 50_304, hidden_size: 768, intermediate_size: 3072, num_hidden_layers: 12 },
  ...{ num_attention_heads: 12 },
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
  ["mixtral-8x7b", { ...mixtral, max_position_embeddings: 32_768 }, 46_702_792_704],
  ["mistral-7b", { model_type: "mistral", architectures: ["MistralForCausalLM"] }, 7_241_732_096],
  ["phi-3-mini-4k", { model_type: "phi3", architectures: ["Phi3ForCausalLM"] }, 3_821_079_552],
  ["phi-2", { model_type: "phi", architectures: ["PhiForCausalLM"], ...phi2 }, 2_779_683_840],
  ["qwen3-0.6b", { ...qwen3, architectures: ["Qwen3ForCausalLM"], tie_word_embeddings: true }, 596_049_920],
  ["qwen3-30b-a3b", { ...qwen3Experts, architectures: ["Qwen3MoeForCausalLM"] }, 30_532_122_624],
  ["gemma-2b", { model_type: "gemma", architectures: ["GemmaForCausalLM"], ...gemma }, 2_506_172_416],
  ["gemma-2-2b", { model_type: "gemma2", architectures: ["Gemma2ForCausalLM"] }, 2_614_341_888],
  ["gemma-3-1b", { model_type: "gemma3_text", architectures: ["Gemma3ForCausalLM"], ...gemma3 }, 999_885_952],
  ["smollm3-3b", { model_type: "smollm3", architectures: ["SmolLM3ForCausalLM"] }, 3_075_098_624],
  ["opt-125m", { model_type: "opt", architectures: ["OPTForCausalLM"] }, 125_239_296],
  ["opt-350m", { model_type: "opt", architectures: ["OPTForCausalLM"], ...opt350 }, 331_196_416],
  ["bloom-560m", { model_type: "bloom", architectures: ["BloomForCausalLM"], ...bloom }, 559_214_592],
  ["gpt-neo-125m", { model_type: "gpt_neo", architectures: ["GPTNeoForCausalLM"], ...gptNeo }, 125_198_592],
  ["gpt-j-6b", { model_type: "gptj", architectures: ["GPTJForCausalLM"] }, 6_050_882_784],
  ["pythia-160m", { model_type: "gpt_neox", architectures: ["GPTNeoXForCausalLM"], ...pythia }, 162_322_944],
  ["falcon-7b", { model_type: "falcon", architectures: ["FalconForCausalLM"] }, 6_921_720_704],
  ["electra-small", { model_type: "electra", architectures: ["ElectraModel"] }, 13_483_008],
  ["mpnet-base", { model_type: "mpnet", architectures: ["MPNetModel"], ...mpnet }, 109_486_464],
  ["deberta-v3-base", { model_type: "deberta-v2", architectures: ["DebertaV2Model"], ...deberta }, 183_831_552],
  ["clip-vit-base-patch32", { model_type: "clip", architectures: ["CLIPModel"] }, 151_277_313],
  [
    "clip-vit-base-patch16, as early files have it",
    {
      ...{ model_type: "clip", architectures: ["CLIPModel"], text_config: null, text_config_dict: null },
      ...{ vision_config: { patch_size: 14 }, vision_config_dict: { patch_size: 16 } },
    },
    149_620_737,
  ],
  ["siglip-base-patch16-224", { model_type: "siglip", architectures: ["SiglipModel"] }, 203_155_970],
  [
    "deit-base-distilled",
    { model_type: "deit", architectures: ["DeiTForImageClassificationWithTeacher"], ...imagenet },
    87_338_192,
  ],
  ["dinov2-base", { model_type: "dinov2", architectures: ["Dinov2Model"], image_size: 518 }, 86_580_480],
  ["swin-tiny", { model_type: "swin", architectures: ["SwinForImageClassification"], ...imagenet }, 28_288_354],
  [
    "convnext-tiny",
    { model_type: "convnext", architectures: ["ConvNextForImageClassification"], ...imagenet },
    28_589_128,
  ],
  ["resnet-50", { model_type: "resnet", architectures: ["ResNetForImageClassification"], ...imagenet }, 25_557_032],
  [
    "mobilenet_v2_1.0",
    { model_type: "mobilenet_v2", architectures: ["MobileNetV2ForImageClassification"], ...imagenet },
    3_504_872,
  ],
  ["whisper-tiny", { model_type: "whisper", architectures: ["WhisperForConditionalGeneration"] }, 37_760_640],
  ["bart-base", { model_type: "bart", architectures: ["BartForConditionalGeneration"], ...bartBase }, 139_420_416],
  ["bart-large", { model_type: "bart", architectures: ["BartModel"] }, 406_291_456],
  [
    "mbart-large-cc25",
    { model_type: "mbart", architectures: ["MBartForConditionalGeneration"], vocab_size: 250_027 },
    610_851_840,
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
