/** Texts that are written for OpenAI's requests: pieces as they come, with log-probabilities where they are asked for. */
import { foldIn, keyOf, Random } from "../../../core/random.ts";
import type { Tokenizer } from "../../../data/text/tokenizer.ts";
import type { Ending } from "../../generation/generation-queue.ts";
import { logProbabilitiesOf } from "../../generation/log-probabilities.ts";
import { TextStream } from "../../generation/text-stream.ts";
import type { WriteService } from "../../served-model.ts";

/** How texts are written, as a request says. */
export interface TextSettings {
  readonly temperature: number;
  readonly topP: number;
  readonly topK?: number | undefined;
  readonly most: number;
  readonly stops: readonly string[];
  readonly seed: number;
  /** How many of the likeliest tokens are told for each; none are told without it. */
  readonly top?: number | undefined;
}

/** A token with its log-probability. */
export interface ToldToken {
  readonly token: string;
  readonly logprob: number;
  readonly bytes: readonly number[];
  readonly top_logprobs: readonly Omit<ToldToken, "top_logprobs">[];
}

/** A piece of a text. */
export interface TextPiece {
  readonly text: string;
  /** Its tokens, where they are asked for. */
  readonly told: readonly ToldToken[];
}

/** How a text ended. */
export interface TextEnd {
  readonly ending: Ending;
  /** Tokens that were written, the one that ended it not counted. */
  readonly tokens: number;
}

function toldToken(tokenizer: Tokenizer, logits: Float32Array, token: number, top: number): ToldToken {
  const { own, likeliest } = logProbabilitiesOf(logits, token, top);
  const told = (id: number, logprob: number) => {
    const text = tokenizer.decode([id]);
    return { token: text, logprob, bytes: [...new TextEncoder().encode(text)] };
  };
  return {
    ...told(token, own),
    top_logprobs: likeliest.map((other) => told(other.token, other.logProbability)),
  };
}

/**
 * Writes a text after a prompt, in pieces that are whole characters.
 * @param index which of several for the same request, each drawn by itself
 */
export async function* writeText(
  { queue, tokenizer, end, variant }: WriteService,
  prompt: readonly number[],
  { temperature, topP, topK, most, stops, seed, top }: TextSettings,
  { index, signal }: { readonly index: number; readonly signal: AbortSignal },
): AsyncGenerator<TextPiece, TextEnd> {
  const random = new Random(index === 0 ? keyOf(seed) : foldIn(keyOf(seed), String(index)));
  const sampling = { temperature, topP, ...(topK !== undefined && { topK }) };
  const stream = new TextStream(tokenizer, stops);
  const written = queue.generate({ prompt, most, sampling, random, variant, end, signal });
  let tokens = 0;
  let told: ToldToken[] = [];
  try {
    for (;;) {
      const next = await written.next();
      if (next.done) {
        const text = stream.end();
        if (text !== "" || told.length > 0) yield { text, told };
        return { ending: stream.isStopped ? "stop" : next.value, tokens };
      }
      tokens++;
      const { token, logits } = next.value;
      if (top !== undefined) told.push(toldToken(tokenizer, logits, token, top));
      const text = stream.push(token);
      if (text !== "") {
        yield { text, told };
        told = [];
      }
      if (stream.isStopped) return { ending: "stop", tokens };
    }
  } finally {
    await written.return("stop");
  }
}

/** What several generators give, as it comes, each with its place among them; and what each returned. */
export async function* merged<T, R>(
  generators: readonly AsyncGenerator<T, R>[],
): AsyncGenerator<{ readonly index: number } & ({ readonly value: T } | { readonly end: R })> {
  const waiting = new Map(generators.map((own, index) => [index, nextOf(own, index)]));
  try {
    while (waiting.size > 0) {
      const { index, result } = await Promise.race(waiting.values());
      if (result.done) waiting.delete(index);
      else waiting.set(index, nextOf(generators[index] as AsyncGenerator<T, R>, index));
      yield result.done ? { index, end: result.value } : { index, value: result.value };
    }
  } finally {
    // Those that are under way end by themselves once their next is there.
    for (const own of generators) void own.return(undefined as R).catch(() => undefined);
  }
}

/** What a generator gives next. Whoever does not wait for it any more need not hear that it failed. */
function nextOf<T, R>(generator: AsyncGenerator<T, R>, index: number) {
  const next = generator.next().then((result) => ({ index, result }));
  next.catch(() => undefined);
  return next;
}
