/** Small models with random weights for tests of the server: a file, a language model that chats, one that makes vectors of texts. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { keyOf } from "../../core/random.ts";
import { trainBpe } from "../../data/index.ts";
import { encodeOnnx } from "../../formats/files/export-onnx.ts";
import { modelFromConfig } from "../../formats/huggingface.ts";
import type { AnyModule } from "../../nn/index.ts";
import { dense, sequential } from "../../nn/index.ts";
import { encodeSafetensors } from "../../storage/safetensors.ts";

/** Writes an ONNX file of a model that takes x [N, 4] and gives [N, 3]; another seed is another version. */
export function writeClassifier(path: string, seed = 1): void {
  const model = sequential([dense(8), dense(3)]);
  const type = { dtype: "float32", shape: [1, 4] } as const;
  model.initialize(keyOf(seed), type);
  writeFileSync(path, encodeOnnx(model as AnyModule, { inputs: type }).bytes);
}

const text = "the cat sat on the mat and the dog sat on the log user assistant system hello world how are you today";

const configs = {
  llama: {
    ...{ model_type: "llama", architectures: ["LlamaForCausalLM"], hidden_size: 16, intermediate_size: 24 },
    ...{ num_hidden_layers: 2, num_attention_heads: 2, num_key_value_heads: 1, max_position_embeddings: 128 },
    ...{ rms_norm_eps: 1e-5, tie_word_embeddings: false },
  },
  bert: {
    ...{ model_type: "bert", architectures: ["BertModel"], hidden_size: 16, intermediate_size: 24 },
    ...{ num_hidden_layers: 1, num_attention_heads: 2, max_position_embeddings: 64, type_vocab_size: 2 },
  },
} as const;

const chatTemplate =
  "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

/** Writes a pretrained model as a folder of Hugging Face's, with a tokenizer that is trained on a few words. */
export function writePretrained(folder: string, kind: keyof typeof configs): void {
  const json = JSON.parse(trainBpe(text, { vocabulary: 290 }).json()) as {
    model: { vocab: Record<string, number> };
    added_tokens: unknown[];
  };
  const size = Object.keys(json.model.vocab).length;
  json.added_tokens = ["<|im_start|>", "<|im_end|>"].map((content, i) => ({
    ...{ id: size + i, content, special: true, single_word: false, lstrip: false, rstrip: false, normalized: false },
  }));
  const config = { ...configs[kind], vocab_size: size + 2, initializer_range: 0.5 };
  const { build, inputs } = modelFromConfig(config);
  const model = build();
  model.initialize(keyOf(3), inputs);
  const tensors = [...model.parameters()].flatMap(([path, { value }]) => (value ? [[path, value] as const] : []));
  mkdirSync(folder);
  const write = (name: string, content: unknown) => writeFileSync(join(folder, name), JSON.stringify(content));
  writeFileSync(join(folder, "model.safetensors"), encodeSafetensors(Object.fromEntries(tensors), { format: "pt" }));
  write("config.json", config);
  write("tokenizer.json", json);
  write("tokenizer_config.json", { eos_token: "<|im_end|>", chat_template: chatTemplate });
}
