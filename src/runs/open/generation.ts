/** Text that a run's language model writes. */
import * as z from "zod";
import { DataError } from "../../core/errors.ts";
import { keyOf, Random } from "../../core/random.ts";
import { chatTemplate } from "../../data/chat/chat-template.ts";
import { decoder } from "../../decode/decoder.ts";
import { generate } from "../../decode/generate.ts";
import type { CompileOptions } from "../../jit/compile.ts";
import type { AnyModule } from "../../nn/module.ts";
import type { Writer } from "../recipes/recipe.ts";

export const generationSchema = z.strictObject({
  tokens: z.number().int().min(1).optional().describe("tokens to write (default 300)"),
  temperature: z
    .number()
    .min(0)
    .optional()
    .describe("below 1 less random, above 1 more random, 0 always the most likely token (default 0.8)"),
  topK: z.number().int().min(1).optional().describe("draw from this many of the likeliest tokens (default all)"),
  topP: z
    .number()
    .gt(0)
    .max(1)
    .optional()
    .describe("draw from the likeliest tokens with this share of the probability together (default 1)"),
  seed: z.number().int().min(0).optional().describe("start of the randomness (default 0)"),
});
/**
 * How text is drawn:
 * - `tokens`: how many to write; default 300.
 * - `temperature`: below 1 surer, above 1 bolder, 0 always the likeliest token; default 0.8.
 * - `topK`: draw from this many of the likeliest tokens; default all.
 * - `topP`: draw from the likeliest tokens that have this share of the probability together; default 1.
 * - `seed`: start of the randomness; default 0.
 */
export type GenerationOptions = Readonly<z.infer<typeof generationSchema>>;

/** A piece of text, whole characters, and the tokens that it was made of. */
export interface GeneratedPiece {
  /** The characters. */
  readonly text: string;
  /** Ids of their tokens. */
  readonly tokens: readonly number[];
}

const specialTokens = ({ bos, eos }: NonNullable<Writer["chat"]>) => ({
  ...(bos !== undefined && { bos }),
  ...(eos !== undefined && { eos }),
});

/** Ids of a prompt's tokens, of a model that chats as a message by its template. */
export function promptIds({ tokenizer, chat }: Writer, prompt: string): number[] {
  const asked = chat
    ? chatTemplate(chat.template, specialTokens(chat)).renderPrompt({ messages: [{ role: "user", content: prompt }] })
    : prompt;
  return tokenizer.encode(asked);
}

/** Pieces of text after a prompt. Throws DataError for a prompt that is longer than the model reads. */
export async function* generateText(
  model: AnyModule,
  writer: Writer,
  prompt: string,
  options: GenerationOptions,
  compile: CompileOptions,
): AsyncGenerator<GeneratedPiece> {
  const { tokens = 300, temperature = 0.8, topK, topP, seed = 0 } = options;
  const { tokenizer, positions, chat } = writer;
  const ids = promptIds(writer, prompt);
  const end = chat?.eos === undefined ? undefined : tokenizer.idOf(chat.eos);
  if (ids.length > positions)
    throw new DataError(`the prompt has ${ids.length} tokens, the model reads ${positions} at most; shorten it`);
  const written = await decoder(model, { capacity: positions, compile });
  const sampling = { temperature, random: new Random(keyOf(seed)), ...(topK && { topK }), ...(topP && { topP }) };
  let count = 0;
  let pending: number[] = [];
  try {
    for await (const token of generate(written, ids, sampling)) {
      if (token === end) return;
      pending.push(token);
      const text = tokenizer.decode(pending);
      // A character may take several tokens: it is given when it is whole.
      const isLast = ++count === tokens;
      if (isLast || !text.endsWith("\uFFFD")) {
        yield { text, tokens: pending };
        pending = [];
      }
      if (isLast) return;
    }
  } finally {
    await written.release();
  }
}
