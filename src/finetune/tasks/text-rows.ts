/** Texts as rows of token ids of one length, with what tokens a model reads around them. */
import { OptionError } from "../../core/errors.ts";
import { Tensor } from "../../core/tensor.ts";
import type { Tokenizer } from "../../data/index.ts";
import { ImportedModule } from "../../formats/imported-module.ts";
import type { TensorType } from "../../graph/ir.ts";
import { type AnyModule, isTensorType } from "../../nn/index.ts";
import type { BatchSettings, FinetuneTask } from "./task.ts";

/**
 * What models that read texts give: scores of classes, or numbers, for a whole text; its vector; scores of tags for each token; of
 * each token scores as the first and the last one of an answer.
 */
export const textOutputs = ["scores", "vector", "tags", "answer"] as const;

/** How a model of token ids x [N, T] and, where it takes one, a mask [N, T] reads texts. */
export interface TextReader {
  /** The model's tokenizer. */
  readonly tokenizer: Tokenizer;
  /** Tokens of a row. */
  readonly length: number;
  /** The id that fills rows up. */
  readonly padding: number;
  /** The column of tables that texts stand in; default `text`. */
  readonly column?: string;
  /** What the model gives; default scores. */
  readonly gives?: (typeof textOutputs)[number];
}

/** How a task reads texts, and where its head stands. */
export interface TextTaskOptions extends BatchSettings {
  /** The model's tokenizer. */
  readonly tokenizer: Tokenizer;
  /** Tokens that are read of a text at most; of a question together with its text. */
  readonly length: number;
  /** The layer whose output the head takes; default what the model's own scores are made of, for heads of tokens and vectors the last hidden states. */
  readonly at?: string | undefined;
}

/** A task of texts, and how further texts are read. */
export interface TextTask extends FinetuneTask {
  /** How texts become rows of tokens. */
  readonly reader: TextReader;
}

/** Token ids [N, length] and which of them take part, [N, length]. */
export type TextRows = { readonly x: Tensor<"int32">; readonly mask: Tensor<"int32"> };

/** Rows of texts; longer ones are cut behind their first tokens, but keep what the tokenizer puts last. */
export function textRows(texts: readonly string[], { tokenizer, length, padding }: TextReader): TextRows {
  const x = new Int32Array(texts.length * length).fill(padding);
  const mask = new Int32Array(texts.length * length);
  for (const [row, text] of texts.entries()) {
    const ids = tokenizer.encodeWithSpecial(text);
    const kept = ids.length <= length ? ids : [...ids.slice(0, length - 1), ids.at(-1) as number];
    x.set(kept, row * length);
    mask.fill(1, row * length, row * length + kept.length);
  }
  const shape = [texts.length, length];
  return { x: new Tensor("int32", shape, x), mask: new Tensor("int32", shape, mask) };
}

/** Tokens of the longest text, at most so many, and how many texts are longer. */
export function lengthOf(
  texts: readonly string[],
  tokenizer: Tokenizer,
  most: number,
): { readonly length: number; readonly cut: number } {
  const lengths = texts.map((text) => tokenizer.encodeWithSpecial(text).length);
  const longest = lengths.reduce((a, b) => Math.max(a, b), 1);
  return { length: Math.min(longest, most), cut: lengths.filter((own) => own > most).length };
}

/** The id of the token that a tokenizer fills up with, by the names that it usually has; else 0, which is masked all the same. */
export function paddingOf({ tokens }: Tokenizer): number {
  for (const name of ["[PAD]", "<pad>", "<|pad|>", "<|endoftext|>"]) {
    const id = tokens.indexOf(name);
    if (id >= 0) return id;
  }
  return 0;
}

/** Tokens that a graph of a file is written for; nothing where it takes any number, as models of a config do. */
export function writtenLength(model: AnyModule): number | undefined {
  const types = model instanceof ImportedModule ? model.inputTypes : undefined;
  const x = isTensorType(types) ? types : (types as Readonly<Record<string, unknown>> | undefined)?.["x"];
  return isTensorType(x) ? x.shape[1] : undefined;
}

/** Whether a model of token ids takes a mask too, and the types of its inputs for one row. Throws OptionError for a model of something else. */
export function tokenInputs(
  { inputs: form }: AnyModule,
  length: number,
): { readonly takesMask: boolean; readonly inputs: { readonly x: TensorType; readonly mask?: TensorType } } {
  const names = typeof form === "object" ? Object.keys(form) : ["x"];
  if (!names.includes("x") && names.length > 1)
    throw new OptionError(
      `the model takes ${names.join(", ")}, expected token ids x, and a mask where it takes one; pass a model of texts with its config.json`,
    );
  const takesMask = names.includes("mask");
  const type = { dtype: "int32", shape: [1, length] } as const;
  return { takesMask, inputs: takesMask ? { x: type, mask: type } : { x: type } };
}
