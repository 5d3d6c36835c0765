/** Fine-tuning as a form: the settings of `sardonyx finetune`, and what is filled in as the words of the command. */
import { basename } from "node:path";
import { type Filled, type FormField, formOf, settingWords } from "../jobs/recipe-form.node.ts";
import { requireBase } from "./bases.node.ts";
import { requireBelow } from "./data-places.node.ts";
import { runNameOf } from "./own-data.node.ts";

/** A fine-tuning that was filled in. */
export interface FinetuneChoice {
  /** A run, a file or folder below the studio's folder, or owner/name in the cache of Hugging Face's tools. */
  readonly base: string;
  /** Below the studio's folder. */
  readonly data: string;
  readonly settings: Filled;
}

/** The fields of the form: base and data stand above it, and the rate goes by what is trained. */
export async function finetuneFields(): Promise<readonly FormField[]> {
  const { fields } = await formOf("finetune");
  return fields.flatMap((field) => {
    const { standard: _, ...open } = field;
    if (field.name === "base" || field.name === "data") return [];
    if (field.name !== "learningRate") return [field];
    return [{ ...open, description: `${field.description}; default by what is trained: all, adapters or a head` }];
  });
}

/** The words of the command, and what it would call the run. Throws OptionError and FileError for what cannot be. */
export async function finetuneWords(
  root: string,
  { base, data, settings }: FinetuneChoice,
): Promise<{ readonly words: readonly string[]; readonly run: string }> {
  requireBase(root, base);
  requireBelow(root, data);
  const fields = await finetuneFields();
  const words = ["finetune", base, `--data=${data}`, ...settingWords({ name: "finetune", fields }, settings)];
  return { words, run: runNameOf(`${basename(base)} ${runNameOf(data, "data")}`, "finetune") };
}
