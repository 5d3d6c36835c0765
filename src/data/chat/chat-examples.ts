/** Conversations as token ids, with what is learned marked: the assistant's answers and the tokens that end them. */
import { DataError } from "../../core/errors.ts";
import { count, having, oneOf } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { renderAnswers } from "./answers.ts";
import type { ChatTemplate } from "./chat-template.ts";
import type { Conversation } from "./messages.ts";
import { tokensOfSpans } from "./token-spans.ts";

/** Token ids of a conversation; `learned` is 1 for those that are predicted, never for the first, which nothing precedes. */
export interface ChatExample {
  /** The tokens, int32 [T]. */
  readonly ids: Int32Array;
  /** Of each token 1 where it is learned, else 0, [T]. */
  readonly learned: Uint8Array;
}

/** Options of `chatExamples`. */
export interface ChatExamplesOptions {
  /** The model's tokenizer. */
  readonly tokenizer: Pick<Tokenizer, "encode" | "decode">;
  /** The model's chat template. */
  readonly template: ChatTemplate;
  /** What is learned: all answers of the assistant, the last one, or all tokens; default "answers". Texts without turns are learned whole. */
  readonly learned?: "answers" | "last" | "all";
  /** Tokens of an example at most; default no bound. */
  readonly length?: number;
  /** What to do about a longer one: stop, leave it out, or keep its first tokens; default "error". */
  readonly tooLong?: "error" | "drop" | "truncate";
  /** What to do about one in which nothing is learned, such as after truncation: stop, or leave it out; default "error". */
  readonly unlearned?: "error" | "drop";
}

const checkOptions = optionsOf<ChatExamplesOptions>("chatExamples", {
  tokenizer: required(having<Tokenizer>("encode", "a tokenizer")),
  template: required(having<ChatTemplate>("renderPrompt", "a template that chatTemplate() or chatTemplateOf() made")),
  learned: oneOf("answers", "last", "all"),
  length: count(2),
  tooLong: oneOf("error", "drop", "truncate"),
  unlearned: oneOf("error", "drop"),
});

/** Examples, and what became of conversations that gave none or lost tokens; numbers are places in the list of conversations. */
export interface ChatExamples {
  /** The examples, in the order of the conversations. */
  readonly examples: readonly ChatExample[];
  /** The conversations that they are of. */
  readonly kept: readonly number[];
  /** Conversations left out as too long. */
  readonly tooLong: readonly number[];
  /** Conversations cut to the length. */
  readonly truncated: readonly number[];
  /** Conversations left out because nothing is learned. */
  readonly unlearned: readonly number[];
  /** Tokens of the examples. */
  readonly tokens: number;
  /** Those that are learned. */
  readonly learnedTokens: number;
}

/** A special token and its id. */
interface SpecialToken {
  readonly text: string;
  readonly id: number;
}

/** Throws DataError for a token that the tokenizer cuts in pieces, or puts others around. */
function specialToken(
  text: string | undefined,
  name: string,
  { encode }: Pick<Tokenizer, "encode">,
): SpecialToken | undefined {
  if (text === undefined) return undefined;
  const [id, ...others] = encode(text);
  if (id !== undefined && others.length === 0) return { text, id };
  throw new DataError(
    `chatExamples: the template's ${name} token ${JSON.stringify(text)} is none of the tokenizer's, which cuts it into ${others.length + (id === undefined ? 0 : 1)}; use the template of the tokenizer's model, and read the tokenizer by tokenizerOf()`,
  );
}

/** What a conversation is encoded with. */
interface Encoder {
  readonly tokenizer: Pick<Tokenizer, "encode" | "decode">;
  readonly template: ChatTemplate;
  readonly learned: "answers" | "last" | "all";
  readonly bos: SpecialToken | undefined;
  readonly eos: SpecialToken | undefined;
  /** Whether the model's texts begin with `bos`. */
  readonly begins: boolean;
}

function encoderOf({ tokenizer, template, learned = "answers" }: ChatExamplesOptions): Encoder {
  const added = tokenizer.encode("").length;
  if (added > 0)
    throw new DataError(
      `chatExamples: the tokenizer adds tokens by itself (${added} to an empty text), expected none; switch that off, since the chat template writes special tokens`,
    );
  const [bos, eos] = [specialToken(template.bos, "bos", tokenizer), specialToken(template.eos, "eos", tokenizer)];
  return { tokenizer, template, learned, bos, eos, begins: bos !== undefined && beginsWith(bos.text, template) };
}

/** Whether the template writes a token first. */
function beginsWith(token: string, template: ChatTemplate): boolean {
  try {
    return template.renderPrompt({ messages: [{ role: "user", content: "Hello" }] }).startsWith(token);
  } catch {
    return false; // a template for conversations of another kind says nothing of texts
  }
}

/** Throws DataError where a message has the text of a token that the template writes: it would count as that token. */
function checkContents({ messages }: Conversation, tokens: readonly (SpecialToken | undefined)[], where: string): void {
  for (const [i, { content }] of messages.entries())
    for (const token of tokens)
      if (token && content.includes(token.text))
        throw new DataError(
          `${where}: messages[${i}] contains the special token ${token.text}, which the chat template writes by itself; remove it from the record`,
        );
}

/** A text without turns: it begins as the model's texts do, and ends with the end of text; everything is learned. */
function textExample(text: string, { tokenizer, bos, eos, begins }: Encoder, where: string): number[] {
  if (!eos)
    throw new DataError(`${where}: is a text, which has to end with the eos token; pass \`eos\` to chatTemplate()`);
  return [...(bos && begins ? [bos.id] : []), ...tokenizer.encode(text), eos.id];
}

function encode(conversation: Conversation, encoder: Encoder, where: string): ChatExample {
  const { tokenizer, template, learned, bos, eos } = encoder;
  checkContents(conversation, [bos, eos], where);
  const [first] = conversation.messages;
  if (first?.role === "text") {
    if (conversation.messages.length > 1)
      throw new DataError(`${where}: has a text and other messages, expected one text alone; make two records of it`);
    return exampleOf(textExample(first.content, encoder, where), undefined, encoder, where);
  }
  if (learned === "all")
    return exampleOf(tokenizer.encode(template.render(conversation, where)), undefined, encoder, where);
  const { text, answers } = renderAnswers(conversation, learned, template, where);
  const ids = tokenizer.encode(text);
  return exampleOf(ids, tokensOfSpans(text, ids, answers, tokenizer, where), encoder, where);
}

function exampleOf(
  given: readonly number[],
  marks: Uint8Array | undefined,
  { bos }: Encoder,
  where: string,
): ChatExample {
  if (bos && given[0] === bos.id && given[1] === bos.id)
    throw new DataError(
      `${where}: begins with the token ${bos.text} twice; use a tokenizer that adds nothing, since the chat template writes it`,
    );
  const learned = marks ?? new Uint8Array(given.length).fill(1);
  if (learned.length > 0) learned[0] = 0;
  return { ids: Int32Array.from(given), learned };
}

/**
 * Token ids of conversations with what is learned marked: answers with their ends of turn, not the prompts. Nothing is added to what
 * the template writes, so that no text begins twice; a text without turns begins as the template's do and ends with `eos`.
 * Throws DataError naming the conversation (`conversations[3]`) and its length when it is too long, when nothing of it is learned, when
 * the answers cannot be found exactly among the tokens, when the template writes nothing that ends them or refuses a conversation, and
 * when a message contains the text of `bos` or `eos`.
 * @example
 * const template = chatTemplate("chatml", { eos: "<|im_end|>" });
 * const { examples } = chatExamples(parseConversations(text, "chats.jsonl"), { tokenizer, template, length: 2048 });
 */
export function chatExamples(conversations: readonly Conversation[], options: ChatExamplesOptions): ChatExamples {
  const { length = Number.POSITIVE_INFINITY, tooLong = "error", unlearned = "error" } = checkOptions(options);
  if (conversations.length === 0)
    throw new DataError("chatExamples: there are no conversations, expected at least one");
  const encoder = encoderOf(options);
  const left = { tooLong: [] as number[], truncated: [] as number[], unlearned: [] as number[] };
  const kept: number[] = [];
  const examples: ChatExample[] = [];
  for (const [i, conversation] of conversations.entries()) {
    const where = `conversations[${i}]`;
    const whole = encode(conversation, encoder, where);
    const isLong = whole.ids.length > length;
    if (isLong && tooLong === "error")
      throw new DataError(
        `${where}: has ${whole.ids.length} tokens, expected ${length} at most; shorten it, raise \`length\`, or choose tooLong: "drop" or "truncate"`,
      );
    if (isLong && tooLong === "drop") {
      left.tooLong.push(i);
      continue;
    }
    const example = isLong ? { ids: whole.ids.slice(0, length), learned: whole.learned.slice(0, length) } : whole;
    if (!example.learned.includes(1)) {
      if (unlearned === "error") throw nothingLearned(where, conversation, isLong ? length : undefined);
      left.unlearned.push(i);
      continue;
    }
    if (isLong) left.truncated.push(i);
    kept.push(i);
    examples.push(example);
  }
  if (examples.length === 0)
    throw new DataError(
      `chatExamples: none of ${conversations.length} conversations is left (${left.tooLong.length} too long, ${left.unlearned.length} with nothing learned); raise \`length\``,
    );
  const sum = (of: (example: ChatExample) => number) => examples.reduce((total, example) => total + of(example), 0);
  return {
    examples,
    kept,
    ...left,
    tokens: sum(({ ids }) => ids.length),
    learnedTokens: sum(({ learned }) => learned.reduce((total, one) => total + one, 0)),
  };
}

function nothingLearned(where: string, { messages }: Conversation, cut: number | undefined): DataError {
  const roles = messages.map(({ role }) => role).join(", ");
  const why = cut === undefined ? `its messages are of the roles ${roles}` : `its first ${cut} tokens have no answer`;
  return new DataError(
    `${where}: nothing is learned of it (${why}), expected an answer of the assistant; add one, or choose unlearned: "drop"`,
  );
}
