/** What is said of configs that are wrong, and what the fields that need no value stand for. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { OptionError } from "../../core/errors.ts";
import { graphOf } from "../../graph/ir.ts";
import { printGraph } from "../../graph/print.ts";
import { summarize, valuesOf } from "../../nn/index.ts";
import { modelFromConfig } from "../huggingface.ts";

const small = { hidden_size: 16, num_hidden_layers: 2, num_attention_heads: 4, intermediate_size: 24, vocab_size: 31 };

describe("what is wrong is named, with what it is and what is expected", () => {
  const cases: readonly (readonly [string, unknown, string])[] = [
    ["no object", [1], "a config is [1], expected the object that a config.json holds; parse the file"],
    ["nothing", undefined, "a config is missing, expected the object that a config.json holds"],
    [
      "no model_type",
      {},
      "config.json: model_type is missing, expected one of bert, roberta, xlm-roberta, camembert, albert, distilbert, electra",
    ],
    ["model_type of another type", { model_type: 3 }, "config.json: model_type is 3, expected one of bert"],
    [
      "a family's name in another spelling",
      { model_type: "gpt-2" },
      'model_type is "gpt-2", and the family\'s name is "gpt2"',
    ],
    [
      "more layers than any model has",
      { model_type: "bert", num_hidden_layers: 3000 },
      "num_hidden_layers is 3000, expected a whole number from 1 to 1000, the limit layers; correct the file",
    ],
    ["an inherited name", { model_type: "constructor" }, 'the family "constructor" is not among those that are known'],
    [
      "a family that is not known",
      { model_type: "swinv2" },
      'the family "swinv2" is not among those that are known; a .safetensors file of it is inspected by its weights; an ONNX export of it',
    ],
    [
      "a family of which a part is known",
      { model_type: "llava", text_config: { model_type: "llama" }, vision_config: { model_type: "clip_vision_model" } },
      'its model of texts alone is a llama, described by "text_config"',
    ],
    [
      "unknown architecture",
      { model_type: "bert", architectures: ["BertForMaskedLm"] },
      'unknown architecture of a bert model "BertForMaskedLm"; did you mean "BertForMaskedLM"? Known: BertModel,',
    ],
    [
      "architecture of another family",
      { model_type: "t5", architectures: ["BertModel"] },
      'unknown architecture of a t5 model "BertModel"',
    ],
    [
      "architectures that are no list",
      { model_type: "bert", architectures: "BertModel" },
      'config.json: architectures is "BertModel", expected a list of names such as ["BertModel"]; correct the file',
    ],
    [
      "a negative size",
      { model_type: "bert", hidden_size: -3 },
      "config.json of a bert model: hidden_size is -3, expected a whole number from 1; correct the file",
    ],
    [
      "two fields",
      { model_type: "gpt2", n_layer: 1.5, vocab_size: "many" },
      'config.json of a gpt2 model: vocab_size is "many", expected a whole number from 1; n_layer is 1.5, expected a whole number from 1 to 1000, the limit layers; correct the file',
    ],
    [
      "an extent below 1, where others are multiples of it",
      { model_type: "vit", image_size: 224, patch_size: -1 },
      "patch_size is -1, expected a whole number from 1 to 65536, or [rows, columns]; correct the file",
    ],
    [
      "a size beyond any model's",
      { model_type: "llama", hidden_size: 1_165_108_512 },
      "hidden_size is 1165108512, expected a whole number from 1 to 16777216; correct the file",
    ],
    [
      "an extent below 1, where others are multiples of it",
      { model_type: "vit", image_size: 224, patch_size: -1 },
      "patch_size is -1, expected a whole number from 1 to 65536, or [rows, columns]; correct the file",
    ],
    [
      "a size beyond any model's",
      { model_type: "llama", hidden_size: 1_165_108_512 },
      "hidden_size is 1165108512, expected a whole number from 1 to 16777216; correct the file",
    ],
    ["a null", { model_type: "bert", hidden_size: null }, "hidden_size is null, expected a whole number from 1"],
    ["a rate", { model_type: "bert", hidden_dropout_prob: 1 }, "hidden_dropout_prob is 1, expected a number from 0 up"],
    ["an epsilon", { model_type: "llama", rms_norm_eps: 0 }, "rms_norm_eps is 0, expected a number above 0"],
    ["a flag", { model_type: "llama", attention_bias: 1 }, "attention_bias is 1, expected true or false"],
    [
      "an activation",
      { model_type: "vit", hidden_act: "quick_gella" },
      'hidden_act is "quick_gella", expected one of gelu',
    ],
    [
      "a network",
      { model_type: "t5", feed_forward_proj: "gated-" },
      'feed_forward_proj is "gated-", expected one of gelu, gelu_new',
    ],
    [
      "a part",
      { model_type: "clip", text_config: 3 },
      "text_config is 3, expected an object of fields; correct the file",
    ],
    [
      "heads",
      { model_type: "bert", hidden_size: 770 },
      "hidden_size is 770, expected a multiple of num_attention_heads, which is 12; correct the file",
    ],
    [
      "heads of DistilBERT",
      { model_type: "distilbert", n_heads: 5 },
      "dim is 768, expected a multiple of n_heads, which is 5",
    ],
    [
      "heads of keys",
      { model_type: "llama", num_key_value_heads: 5 },
      "num_key_value_heads is 5, expected a divisor of num_attention_heads, which is 32",
    ],
    ["an odd head", { model_type: "qwen2", head_dim: 63 }, "head_dim is 63, expected heads of an even width"],
    [
      "patches",
      { model_type: "vit", image_size: 225 },
      "image_size is [225,225], expected a multiple of patch_size, which is 16x16",
    ],
    [
      "positions of RoBERTa",
      { model_type: "roberta", max_position_embeddings: 2 },
      "max_position_embeddings is 2, expected more than pad_token_id + 1",
    ],
    [
      "groups of ALBERT",
      { model_type: "albert", num_hidden_groups: 13 },
      "num_hidden_groups is 13, expected at most num_hidden_layers, which is 12",
    ],
    [
      "distances of T5",
      { model_type: "t5", relative_attention_max_distance: 16 },
      "relative_attention_max_distance is 16, expected more than half of relative_attention_num_buckets, which is 16",
    ],
    [
      "a scaling that is not computed",
      { model_type: "llama", rope_scaling: { rope_type: "spiral", factor: 4 } },
      'rope_scaling.rope_type is "spiral", expected one of default, dynamic, linear, llama3, yarn, longrope, su: no other scaling of positions is supported',
    ],
    [
      "a scaling without its factor",
      { model_type: "llama", rope_scaling: { type: "linear" } },
      "rope_scaling.factor is missing, expected a number, which this scaling needs",
    ],
    [
      "a decoder that is no encoder",
      { model_type: "bert", is_decoder: true },
      "is_decoder is true, expected false: nothing else is supported",
    ],
    [
      "positions of another kind",
      { model_type: "bert", position_embedding_type: "relative_key" },
      'position_embedding_type is "relative_key", expected "absolute": nothing else is supported',
    ],
    [
      "layer types",
      { model_type: "qwen2", layer_types: ["full_attention"] },
      'layer_types is ["full_attention"], expected one for each of the 32 layers',
    ],
    [
      "a size beyond all bounds",
      { model_type: "bert", num_hidden_layers: 1e9 },
      "expected a whole number from 1 to 1000, the limit layers",
    ],
    ["labels", { model_type: "bert", id2label: 3 }, "id2label is 3, expected an object from numbers to labels"],
  ];
  test.each(cases)("%s", (_, config, message) => {
    expect(() => modelFromConfig(config)).toThrow(OptionError);
    expect(() => modelFromConfig(config)).toThrow(message);
  });

  test("whatever a field holds, the error is an OptionError, or the model is built", () => {
    const field = fc.constantFrom("hidden_size", "num_attention_heads", "rope_scaling", "architectures", "id2label");
    const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.integer({ min: -2, max: 64 }));
    const type = fc.constantFrom("bert", "llama", "vit", "albert", "qwen2");
    fc.assert(
      fc.property(type, field, value, (model_type, name, held) => {
        try {
          modelFromConfig({ model_type, ...small, [name]: held }).build();
        } catch (error) {
          expect(error).toBeInstanceOf(OptionError);
        }
      }),
    );
  });
});

describe("what is described", () => {
  const described = (config: object) => {
    const { build: _, ...rest } = modelFromConfig(config);
    return rest;
  };
  const ids = (length: number) => ({ dtype: "int64", shape: [1, length] });

  test("name, inputs and positions", () => {
    expect(described({ model_type: "bert" })).toEqual({
      name: "BertModel",
      type: "bert",
      inputs: { x: ids(512) },
      maxPositions: 512,
    });
    // Two of RoBERTa's positions are before the first token's.
    expect(described({ model_type: "roberta", max_position_embeddings: 130 })).toMatchObject({
      name: "RobertaModel",
      inputs: { x: ids(128) },
      maxPositions: 128,
    });
    expect(described({ model_type: "qwen2" })).toMatchObject({ inputs: { x: ids(512) }, maxPositions: 32_768 });
    expect(described({ model_type: "t5", architectures: ["T5ForConditionalGeneration"] })).toMatchObject({
      inputs: { x: ids(512), decoder: ids(512) },
      maxPositions: 512,
    });
    expect(described({ model_type: "t5", architectures: ["T5EncoderModel"] }).inputs).toEqual({ x: ids(512) });
    expect(described({ model_type: "vit", num_channels: 1, image_size: 32, patch_size: 8 })).toMatchObject({
      inputs: { x: { dtype: "float32", shape: [1, 1, 32, 32] } },
      maxPositions: 17,
    });
  });

  test("a classifier has as many outputs as there are labels, two when nothing says", () => {
    const classes = (more: object) => {
      const architectures = ["BertForSequenceClassification"];
      const { build, inputs } = modelFromConfig({ model_type: "bert", ...small, architectures, ...more });
      return valuesOf(build().trace(inputs).output).map(({ shape }) => shape);
    };
    expect(classes({})).toEqual([[1, 2]]);
    expect(classes({ num_labels: 5 })).toEqual([[1, 5]]);
    expect(classes({ id2label: { 0: "negative", 1: "neutral", 2: "positive" } })).toEqual([[1, 3]]);
  });

  test("images that are wider than high have as many positions as patches", () => {
    const { build, inputs, maxPositions } = modelFromConfig({
      ...{ model_type: "vit", hidden_size: 8, num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: 16 },
      ...{ image_size: [16, 32], patch_size: [8, 4] },
    });
    expect([maxPositions, inputs["x"]?.shape]).toEqual([17, [1, 3, 16, 32]]);
    const model = build();
    model.trace(inputs);
    const shapeOf = (path: string) => model.parameters().get(path)?.shape;
    expect(shapeOf("embeddings.position_embeddings")).toEqual([1, 17, 8]);
    expect(shapeOf("embeddings.patch_embeddings.projection.weight")).toEqual([8, 3, 8, 4]);
  });

  test("scores have a weight of their own where they are not tied", () => {
    const total = (config: object) => {
      const { build, inputs } = modelFromConfig({ ...small, num_key_value_heads: 4, ...config });
      return summarize(build(), inputs).parameters;
    };
    const cases = [
      ["bert", "BertForMaskedLM"],
      ["roberta", "RobertaForMaskedLM"],
      ["gpt2", "GPT2LMHeadModel"],
      ["distilbert", "DistilBertForMaskedLM"],
      ["llama", "LlamaForCausalLM"],
    ] as const;
    for (const [model_type, name] of cases) {
      const config = { model_type, architectures: [name], dim: 16, n_heads: 4, n_embd: 16, n_head: 4 };
      const more = total({ ...config, tie_word_embeddings: false }) - total({ ...config, tie_word_embeddings: true });
      expect(more, name).toBe(31 * 16);
    }
  });

  test("rotary positions are read from both forms of config", () => {
    // The frequencies of heads of width 4 are a constant of two numbers, which the printed graph shows.
    const printed = (more: object) => {
      const { build, inputs } = modelFromConfig({ model_type: "llama", ...small, ...more });
      return printGraph(graphOf([], valuesOf(build().trace(inputs).output)));
    };
    const scaling = { rope_type: "linear", factor: 2 };
    const older = printed({ rope_theta: 100, rope_scaling: scaling });
    expect(older).toContain("float32[2] 0.5 0.05");
    expect(printed({ rope_parameters: { ...scaling, rope_theta: 100 } }) === older).toBe(true);
    expect(printed({ rope_theta: 100 })).toContain("float32[2] 1 0.1");
    expect(printed({})).toContain("float32[2] 1 0.0099");
  });
});
