/** Samples of models of tokens: texts that a Transformer reads, prompts that it continues, ids. */
import { DataError } from "../../core/errors.ts";
import { Tensor } from "../../core/tensor.ts";
import type { Tokenizer } from "../../data/text/tokenizer.ts";
import { type SampleInputs, tokenPresence } from "../../explain/index.ts";
import { tokensOf } from "../../explain/tokens/token-inputs.ts";
import { type TextReader, textRows } from "../../finetune/tasks/text-rows.ts";
import { type AnyModule, isTensorType, type Module, type TypeTree, takenOf } from "../../nn/index.ts";
import { predict } from "../../train/predict.ts";
import { promptIds } from "../open/generation.ts";
import type { Writer } from "../recipes/recipe.ts";
import type { Sample } from "./sample.ts";
import { type ScoredModel, scoresOf } from "./samples.ts";

/** Tokens as they stand in their text, with the spaces before them; those that are not seen in it as they are written. */
export function piecesOf({ decode, tokens }: Pick<Tokenizer, "decode" | "tokens">, ids: readonly number[]): string[] {
  let before = "";
  return ids.map((id, i) => {
    const text = decode(ids.slice(0, i + 1));
    const piece = text.startsWith(before) ? text.slice(before.length) : "";
    before = text;
    return piece === "" || piece.includes("\uFFFD") ? ` ${tokens[id] ?? id}` : piece;
  });
}

/** The words of a sample's tokens; of those behind `count`, which fill it up, none. */
const wordsOfTokens =
  (pieces: readonly string[], count = pieces.length) =>
  ({ data }: Tensor<"float32">) => ({
    kind: "words" as const,
    words: pieces.slice(0, count).map((text, i) => ({ text, value: data[i] as number })),
  });

/** Whether a model takes inputs of some types. */
function takes(model: AnyModule, types: TypeTree): boolean {
  try {
    model.trace(types);
    return true;
  } catch {
    return false;
  }
}

/** A text as a Transformer reads it whole, [1, T] with a mask where the model takes one. */
export async function readSample(scored: ScoredModel, text: string, reader: TextReader): Promise<Sample> {
  const { tokenizer, length } = reader;
  const count = Math.min(length, tokenizer.encodeWithSpecial(text).length);
  const inputsOf = (tokens: number): SampleInputs => {
    const { inputs } = scored.model;
    const rows = textRows([text], { ...reader, length: tokens });
    return takenOf(inputs, inputs === "tensor" || isTensorType(inputs) ? { x: rows.x } : rows);
  };
  // A file may be written for one length; what fills it up is only work.
  const short = inputsOf(count);
  return readRow(scored, takes(scored.model, short as unknown as TypeTree) ? short : inputsOf(length), reader);
}

/** A text as the tokens that a Transformer reads, [1, T], with a mask where the model takes one; what fills the row up is not shown. */
export async function readRow(scored: ScoredModel, inputs: SampleInputs, reader: TextReader): Promise<Sample> {
  const { tokenizer, padding } = reader;
  const { tokens } = tokensOf(inputs, {});
  const ids = tokens.toNumbers();
  const count = ids.findLastIndex((id) => id !== padding) + 1;
  const pieces = piecesOf(tokenizer, ids.slice(0, count));
  return {
    what: "a text",
    ...tokenPresence(scored.model as Module<never, unknown>, inputs, { baseline: padding }),
    baselineText: `a text of ${tokenizer.tokens[padding] ?? "padding"} alone`,
    isImage: false,
    ...(await scoresOf(scored, inputs)),
    inside: { model: scored.model, inputs },
    usual: {
      method: "integrated-gradients",
      why: "It is the usual method of Transformers: each token has a share of the score, by its vector.",
    },
    picture: wordsOfTokens(pieces, count),
  };
}

/** A prompt of a language model, and the token that comes next. Throws DataError for one that is longer than the model reads. */
export async function promptSample(model: AnyModule, prompt: string, writer: Writer): Promise<Sample> {
  const { tokenizer, positions } = writer;
  const ids = promptIds(writer, prompt);
  if (ids.length === 0) throw new DataError("the prompt is empty; pass the beginning of a text");
  if (ids.length > positions)
    throw new DataError(`the prompt has ${ids.length} tokens, the model reads ${positions} at most; shorten it`);
  const x = new Tensor("int32", [1, ids.length], Int32Array.from(ids));
  const output = (await predict(model as Module<never, unknown>, x as never)) as Tensor;
  const tokens = output.shape.at(-1) ?? 1;
  const pieces = piecesOf(tokenizer, ids);
  return {
    what: "a prompt",
    ...tokenPresence(model as Module<never, unknown>, x, { baseline: "mean" }),
    baselineText: "a prompt of the mean of all tokens' vectors",
    isImage: false,
    scores: output.toNumbers().slice(-tokens),
    scoresOf: "next tokens",
    names: Array.from({ length: tokens }, (_, id) => {
      // Of a part of a character there is no text.
      const text = id < tokenizer.size ? tokenizer.decode([id]) : String(id);
      return text.includes("\uFFFD") ? (tokenizer.tokens[id] ?? text) : text;
    }),
    inside: { model, inputs: x },
    usual: {
      method: "integrated-gradients",
      why: "It is the usual method of language models: each token has a share of the score of the token that comes next.",
    },
    picture: wordsOfTokens(pieces),
  };
}

/** Token ids [1, T], alone or among other inputs by name. @param tokens the name of the input that holds them, of several */
export async function idsSample(scored: ScoredModel, inputs: SampleInputs, tokens?: string): Promise<Sample> {
  const ids = tokensOf(inputs, { tokens }).tokens.toNumbers();
  const pieces = ids.map((id) => ` ${id}`);
  return {
    what: "token ids",
    ...tokenPresence(scored.model as Module<never, unknown>, inputs, { baseline: "mean", tokens }),
    baselineText: "the mean of all tokens' vectors",
    isImage: false,
    ...(await scoresOf(scored, inputs)),
    inside: { model: scored.model, inputs },
    usual: {
      method: "integrated-gradients",
      why: "It is the usual method of tokens: each has a share of the score, by its vector.",
    },
    picture: wordsOfTokens(pieces),
  };
}
