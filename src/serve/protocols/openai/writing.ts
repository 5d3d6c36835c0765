/** OpenAI's chat/completions and completions, whole and streamed (https://platform.openai.com/docs/api-reference). */
import type * as z from "zod";
import { DataError } from "../../../core/errors.ts";
import { messagesOf } from "../../../data/chat/messages.ts";
import { type Answer, type Exchange, json, type LeasedModel } from "../../exchange.ts";
import { HttpError, httpErrorOf } from "../../http-error.ts";
import type { WriteService } from "../../served-model.ts";
import { errorBody } from "./errors.ts";
import { chatSchema, completionSchema, readFields, type writingFields } from "./fields.ts";
import { merged, type TextEnd, type TextPiece, type TextSettings, type ToldToken, writeText } from "./write-text.ts";

/** What the protocol needs beside the request. */
export interface OpenAiContext {
  /** Seconds since 1970. */
  readonly now: () => number;
  /** A seed for requests that name none. */
  readonly seed: () => number;
}

/** How an endpoint writes what comes. */
interface Form {
  readonly prefix: string;
  readonly object: { readonly whole: string; readonly part: string };
  /** A choice of a whole answer. */
  whole(index: number, text: string, told: readonly ToldToken[] | undefined, ending: string): unknown;
  /** What a stream begins a choice with, if anything. */
  first?(index: number): unknown;
  /** A piece of a choice. */
  part(index: number, piece: TextPiece, told: boolean): unknown;
  /** The end of a choice. */
  last(index: number, ending: string): unknown;
}

type Fields = z.infer<z.ZodObject<typeof writingFields>>;

interface Work {
  readonly leased: LeasedModel;
  readonly service: WriteService;
  readonly prompts: readonly (readonly number[])[];
  readonly settings: TextSettings;
  readonly fields: Fields;
  readonly form: Form;
}

/** POST /v1/chat/completions. */
export async function chatCompletions(exchange: Exchange, context: OpenAiContext): Promise<Answer> {
  const fields = readFields(chatSchema, await exchange.body());
  const { leased, service } = await writing(exchange, fields.model);
  if (!service.chatPrompt)
    throw new HttpError(400, `the model "${leased.name}" has no chat template; ask it by POST /v1/completions`);
  if (fields.top_logprobs !== undefined && !fields.logprobs)
    throw new HttpError(400, "top_logprobs is given without logprobs; send logprobs: true with it");
  const prompt = service.tokenizer.encode(service.chatPrompt({ messages: messagesOf(fields.messages, "messages") }));
  const left = service.context - prompt.length;
  const most = fields.max_completion_tokens ?? fields.max_tokens ?? left;
  const top = fields.logprobs ? (fields.top_logprobs ?? 0) : undefined;
  const settings = { ...settingsOf(fields, context), most, top };
  return answer(exchange, { leased, service, prompts: [prompt], settings, fields, form: chatForm }, context);
}

/** POST /v1/completions. */
export async function completions(exchange: Exchange, context: OpenAiContext): Promise<Answer> {
  const fields = readFields(completionSchema, await exchange.body());
  const { leased, service } = await writing(exchange, fields.model);
  const prompts = promptsOf(fields.prompt, service);
  if (prompts.length * (fields.n ?? 1) > 64)
    throw new HttpError(400, `${prompts.length} prompts, ${fields.n} times each, are more than 64 texts; send fewer`);
  const settings = { ...settingsOf(fields, context), most: fields.max_tokens ?? 16, top: fields.logprobs };
  return answer(exchange, { leased, service, prompts, settings, fields, form: completionForm }, context);
}

async function writing(exchange: Exchange, name: string | undefined) {
  const leased = await exchange.model(name);
  const { write: service } = leased.model;
  if (!service)
    throw new HttpError(400, `the model "${leased.name}" writes no text; ask one that does: GET / lists them`);
  return { leased, service };
}

const settingsOf = (fields: Fields, { seed }: OpenAiContext): Omit<TextSettings, "most" | "top"> => ({
  temperature: fields.temperature ?? 1,
  topP: fields.top_p ?? 1,
  topK: fields.top_k,
  stops: typeof fields.stop === "string" ? [fields.stop] : (fields.stop ?? []),
  // Seeds may be negative; a key takes the bits of a whole number from 0.
  seed: fields.seed === undefined ? seed() : fields.seed >>> 0,
});

/** Prompts as tokens: texts, or ids as they are. */
function promptsOf(
  prompt: z.infer<typeof completionSchema>["prompt"],
  { tokenizer }: WriteService,
): readonly (readonly number[])[] {
  if (typeof prompt === "string") return [tokenizer.encode(prompt)];
  const items = typeof prompt[0] === "number" ? [prompt as number[]] : (prompt as (string | number[])[]);
  return items.map((item) => {
    if (typeof item === "string") return tokenizer.encode(item);
    const stray = item.find((id) => id >= tokenizer.size);
    if (stray !== undefined)
      throw new DataError(
        `the prompt has a token ${stray}, and the model has ${tokenizer.size}, from 0; send ids of its tokenizer`,
      );
    return item;
  });
}

/** Writes, and answers whole or as it comes. */
async function answer(exchange: Exchange, work: Work, { now }: OpenAiContext): Promise<Answer> {
  const { leased, service, prompts, settings, fields, form } = work;
  const count = fields.n ?? 1;
  for (const prompt of prompts)
    if (prompt.length >= service.context)
      throw new HttpError(
        400,
        `the prompt has ${prompt.length} tokens, and the context is ${service.context} with what is written; shorten it`,
      );
  const read = prompts.reduce((sum, { length }) => sum + length, 0);
  exchange.notes.tokensRead = read;
  const head = { id: `${form.prefix}-${exchange.id}`, created: now(), model: leased.name };
  const texts = prompts.flatMap((prompt, i) =>
    Array.from({ length: count }, (_, j) =>
      writeText(service, prompt, settings, { index: i * count + j, signal: exchange.signal }),
    ),
  );
  const ended = (written: number) => {
    exchange.notes.tokensWritten = written;
    return { prompt_tokens: read, completion_tokens: written, total_tokens: read + written };
  };
  if (fields.stream) return { status: 200, headers: streamHeaders, events: streamed(texts, work, head, ended) };
  const choices = await Promise.all(texts.map((text) => collected(text)));
  return json({
    ...{ ...head, object: form.object.whole },
    choices: choices.map(({ text, told, end }, index) =>
      form.whole(index, text, settings.top === undefined ? undefined : told, end.ending),
    ),
    usage: ended(choices.reduce((sum, { end }) => sum + end.tokens, 0)),
  });
}

const streamHeaders = { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" };

const event = (data: unknown): string => `data: ${JSON.stringify(data)}\n\n`;

async function* streamed(
  texts: readonly AsyncGenerator<TextPiece, TextEnd>[],
  { settings, fields, form }: Work,
  head: Readonly<Record<string, unknown>>,
  ended: (written: number) => unknown,
): AsyncGenerator<string> {
  const withUsage = fields.stream_options?.include_usage ?? false;
  const part = (choice: unknown) => event({ ...head, object: form.object.part, choices: [choice], ...(withUsage && { usage: null }) }); // biome-ignore format: one line
  let written = 0;
  try {
    for (const index of texts.keys()) if (form.first) yield part(form.first(index));
    for await (const next of merged(texts)) {
      if ("value" in next) yield part(form.part(next.index, next.value, settings.top !== undefined));
      else {
        written += next.end.tokens;
        yield part(form.last(next.index, next.end.ending));
      }
    }
    const usage = ended(written);
    if (withUsage) yield event({ ...head, object: form.object.part, choices: [], usage });
    yield "data: [DONE]\n\n";
  } catch (error) {
    // The status is sent: what went wrong follows as an event, which clients throw.
    yield `data: ${errorBody(httpErrorOf(error))}\n\n`;
  }
}

async function collected(pieces: AsyncGenerator<TextPiece, TextEnd>) {
  let text = "";
  const told: ToldToken[] = [];
  for (;;) {
    const { value, done } = await pieces.next();
    if (done) return { text, told, end: value };
    text += value.text;
    for (const own of value.told) told.push(own);
  }
}

const chatLogprobs = (told: readonly ToldToken[] | undefined) => (told ? { content: told, refusal: null } : null);

const chatForm: Form = {
  prefix: "chatcmpl",
  object: { whole: "chat.completion", part: "chat.completion.chunk" },
  whole: (index, content, told, ending) => ({
    index,
    message: { role: "assistant", content, refusal: null },
    logprobs: chatLogprobs(told),
    finish_reason: ending,
  }),
  first: (index) => ({ index, delta: { role: "assistant", content: "" }, logprobs: null, finish_reason: null }),
  part: (index, { text, told }, tells) => ({
    index,
    delta: { content: text },
    logprobs: chatLogprobs(tells ? told : undefined),
    finish_reason: null,
  }),
  last: (index, ending) => ({ index, delta: {}, logprobs: null, finish_reason: ending }),
};

function completionLogprobs(told: readonly ToldToken[] | undefined) {
  if (!told) return null;
  let offset = 0;
  return {
    tokens: told.map(({ token }) => token),
    token_logprobs: told.map(({ logprob }) => logprob),
    top_logprobs: told.map((own) => Object.fromEntries(own.top_logprobs.map(({ token, logprob }) => [token, logprob]))),
    text_offset: told.map(({ token }) => {
      offset += token.length;
      return offset - token.length;
    }),
  };
}

const completionForm: Form = {
  prefix: "cmpl",
  object: { whole: "text_completion", part: "text_completion" },
  whole: (index, text, told, ending) => ({ index, text, logprobs: completionLogprobs(told), finish_reason: ending }),
  part: (index, { text, told }, tells) => ({
    ...{ index, text, finish_reason: null },
    logprobs: completionLogprobs(tells ? told : undefined),
  }),
  last: (index, ending) => ({ index, text: "", logprobs: null, finish_reason: ending }),
};
