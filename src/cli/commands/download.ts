/** `sardonyx download`: a model of Hugging Face's hub into the cache of its tools. */
import { downloadModel } from "../../formats/files/hub-download.node.ts";
import { defineCommand, type Option, text } from "../command.ts";
import { showDownloads } from "../train/progress.ts";

/** Patterns between commas. */
const patterns: Option<readonly string[]> = {
  ...text("PATTERNS", 'files in place of the safetensors, between commas: "*.gguf"; * stands for any characters'),
  parse: (value, flag) => text("", "").parse(value, flag).split(",").filter(Boolean),
};

export const command = defineCommand({
  arguments: [{ name: "MODEL", description: "owner/name, or owner/name@revision: a branch, a tag or a commit" }],
  options: { files: patterns },
  examples: [
    ["sardonyx download openai-community/gpt2", "safetensors, configuration, tokenizer"],
    ["sardonyx download openai-community/gpt2@main --json", "with progress as JSON lines"],
    ['sardonyx download Qwen/Qwen3-0.6B-GGUF --files "*Q8_0.gguf"', "one file of several"],
  ],
  async run({ arguments: [model = ""], options: { files }, output }) {
    const onProgress = showDownloads(output);
    try {
      const path = await downloadModel(model, { onProgress, ...(files && { files }) });
      output.record("downloaded", { model, path });
      output.line(path);
    } finally {
      onProgress.close();
    }
  },
});
