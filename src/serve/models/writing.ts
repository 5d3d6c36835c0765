/** How models write for several at once. */
import type { Conversation } from "../../data/chat/messages.ts";
import type { Tokenizer } from "../../data/text/tokenizer.ts";
import { rowDecoder } from "../../decode/row-decoder.ts";
import type { Variants } from "../../decode/step.ts";
import type { CompileOptions } from "../../jit/compile.ts";
import type { AnyModule } from "../../nn/module.ts";
import { type GenerationObserver, GenerationQueue } from "../generation/generation-queue.ts";
import type { WriteService } from "../served-model.ts";

/** How models write. */
export interface WritingOptions {
  /** Texts that are written at once. */
  readonly rows: number;
  /** Tokens of a prompt and of what is written, at most. */
  readonly context: number;
  readonly observer?: GenerationObserver;
}

/** A language model to write with. */
export interface WritingModel {
  readonly model: AnyModule;
  readonly tokenizer: Tokenizer;
  /** The most tokens that it reads. */
  readonly positions: number;
  readonly chatPrompt?: ((conversation: Conversation) => string) | undefined;
  /** The token that ends what it writes, as it is written. */
  readonly end?: string | undefined;
  readonly variants?: Variants | undefined;
}

/** Opens a language model for several at once, its steps compiled; with what lets it go. */
export async function openWriting(
  { model, tokenizer, positions, chatPrompt, end, variants }: WritingModel,
  { rows, context, observer }: WritingOptions,
  compile: CompileOptions,
): Promise<{ readonly service: WriteService; release(): Promise<void> }> {
  const capacity = Math.min(positions, context);
  const decoder = await rowDecoder(model, { capacity, rows, variants, compile });
  await decoder.warm();
  const service: WriteService = {
    tokenizer,
    context: capacity,
    queue: new GenerationQueue(decoder, observer),
    ...(chatPrompt && { chatPrompt }),
    ...(end !== undefined && { end: tokenizer.idOf(end) }),
  };
  return { service, release: () => decoder.release() };
}
