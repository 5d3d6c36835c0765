/** Models of two sequences: an encoder reads one, a decoder continues the other while it attends to what was read. */
import type { Value } from "../../../graph/ir.ts";
import { type Context, Module } from "../../../nn/index.ts";
import { type DecoderInputs, decoderInputs, requireTokens } from "../../shared/tokens.ts";

/** What a decoder attends to. */
export interface Memory {
  /** The encoder's states, [N, S, width]. */
  readonly states: Value;
  /** Which of them take part, [N, S]; default all. */
  readonly mask?: Value | undefined;
  /** The one place, int64 [1], whose state is asked for; default: the states of all tokens. */
  readonly at?: Value | undefined;
}

/**
 * Token ids [N, S] and those of the decoder [N, U] → scores of the decoder's next token, [N, U, vocabulary]. Its parts can
 * be traced alone: a sentence is read once, and its translation written word by word.
 */
export abstract class EncoderDecoder extends Module<DecoderInputs> {
  override readonly inputs = decoderInputs;
  /** Path of the layer whose softmax gives which tokens of the encoder each token of the decoder attends to. */
  abstract readonly attentionPath: string;
  /** Ids [N, S] → states [N, S, width]. */
  abstract encode(ids: Value, context: Context, mask?: Value): Value;
  /** Ids [N, U] → states [N, U, width], each of the tokens up to its own; with `at` [N, 1, width]. */
  abstract decode(ids: Value, context: Context, memory: Memory): Value;
  /** States of a decoder [..., width] → [..., vocabulary]. */
  abstract score(states: Value, context: Context): Value;

  protected call({ x: ids, decoder, mask }: DecoderInputs, context: Context): Value {
    for (const tokens of [ids, decoder]) requireTokens(tokens);
    const states = this.encode(ids, context, mask);
    return this.score(this.decode(decoder, context, { states, mask }), context);
  }
}
