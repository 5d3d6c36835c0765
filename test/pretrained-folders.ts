/** Pretrained models with random weights, as folders of Hugging Face's, which the tests of fine-tuning share. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeSafetensors, keyOf, modelFromConfig, type Tensor, trainBpe } from "../src/index.ts";

/** Writes a model with random weights, and a tokenizer that is trained on a text. */
export function writeModel(folder: string, text: string, config: Readonly<Record<string, unknown>>): void {
  const json = JSON.parse(trainBpe(`${text}\nuser assistant`, { vocabulary: 300 }).json()) as {
    model: { vocab: Record<string, number> };
    added_tokens: unknown[];
  };
  const size = Object.keys(json.model.vocab).length;
  json.added_tokens = ["<|im_start|>", "<|im_end|>"].map((content, i) => ({
    id: size + i,
    content,
    special: true,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
  }));
  const whole = { ...config, vocab_size: size + 2, initializer_range: 0.2 };
  const { build, inputs } = modelFromConfig(whole);
  const model = build();
  model.initialize(keyOf(0), inputs);
  mkdirSync(folder);
  const tensors = [...model.parameters()].map(([path, { value }]) => [path, value as Tensor]);
  writeFileSync(join(folder, "model.safetensors"), encodeSafetensors(Object.fromEntries(tensors), { format: "pt" }));
  writeFileSync(join(folder, "config.json"), JSON.stringify(whole));
  writeFileSync(join(folder, "tokenizer.json"), JSON.stringify(json));
  writeFileSync(join(folder, "tokenizer_config.json"), JSON.stringify({ eos_token: "<|im_end|>" }));
}
