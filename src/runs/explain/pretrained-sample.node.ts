/** Texts of pretrained models: folders of Hugging Face's layout with a tokenizer, or their names on the hub. */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseJson } from "../../core/json.ts";
import { isPlainObject } from "../../core/tree.ts";
import { openBase, tokenizerBeside } from "../../finetune/tasks/base.node.ts";
import { paddingOf } from "../../finetune/tasks/text-rows.ts";
import { readBytes } from "../../storage/atomic.node.ts";
import type { Sample } from "./sample.ts";
import { promptSample, readSample } from "./token-samples.ts";

/** Tokens that are read where a config does not say how many a model reads. */
const usualLength = 512;

/** Whether a folder holds a model of texts with its tokenizer. */
export const readsTexts = (path: string): boolean =>
  statSync(path).isDirectory() && ["config.json", "tokenizer.json"].every((name) => existsSync(join(path, name)));

/** What a config says of a model: the names of its classes, and whether it continues texts. */
async function configOf(
  folder: string,
): Promise<{ readonly classes?: readonly string[]; readonly continues: boolean }> {
  const config = parseJson(new TextDecoder().decode(await readBytes(join(folder, "config.json"), "config")));
  const fields = isPlainObject(config) ? config : {};
  const [architecture = ""] = Array.isArray(fields["architectures"]) ? fields["architectures"] : [];
  const continues = /CausalLM|LMHeadModel$/.test(String(architecture));
  const labels = fields["id2label"];
  const names = isPlainObject(labels) ? Object.keys(labels).map((_, place) => labels[String(place)]) : [];
  const isNamed = names.length > 0 && names.every((name) => typeof name === "string");
  return { continues, ...(isNamed && { classes: names }) };
}

/**
 * The sample of a text: of a model that continues texts as a prompt, of one that classifies them whole. Throws OptionError for models of
 * anything else, such as masked tokens.
 */
export async function pretrainedSample(folder: string, text: string): Promise<Sample> {
  const base = await openBase(folder);
  const tokenizer = await tokenizerBeside(base);
  const { classes, continues } = await configOf(folder);
  const positions = base.positions ?? usualLength;
  if (continues) return promptSample(base.model, text, { tokenizer, positions, prompt: "" });
  const reader = { tokenizer, length: positions, padding: paddingOf(tokenizer) };
  return readSample({ model: base.model, classes }, text, reader);
}
