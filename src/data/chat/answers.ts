/** Where in a rendered conversation the assistant's answers are: its text with their ends of turn, without their headings. */
import { DataError } from "../../core/errors.ts";
import type { ChatTemplate } from "./chat-template.ts";
import type { Conversation, Message } from "./messages.ts";
import { type LearnedSpan, spanOf } from "./token-spans.ts";

/** A rendered conversation. */
export interface RenderedAnswers {
  readonly text: string;
  /** One for each message of the assistant's, in their order; of `{% generation %}` blocks one for each block. */
  readonly answers: readonly LearnedSpan[];
}

const mend =
  'put {% generation %} blocks around the answers in the template, or learn the last answer alone (learned: "last")';

/** Throws DataError when nothing but blanks ends an answer: a model trained on it would never stop. */
function checkEnd(turn: string, { content }: Message, where: string): void {
  const [said, written] = [content.trim(), turn.trimEnd()];
  const at = written.indexOf(said);
  if (said === "" || at < 0 || at + said.length < written.length) return;
  throw new DataError(
    `${where}: the chat template writes no end-of-turn token behind the answer ${JSON.stringify(said.slice(-30))}, so that a model would not learn to stop; write it there, such as {{ eos_token }}, and inside {% generation %} where there is one`,
  );
}

/**
 * Throws DataError when a heading stands before an answer and not in the prompt for it, since the template asks for no
 * `add_generation_prompt`: the heading would be learned, and a prompt would lack it.
 */
function checkHeading(turn: string, { content }: Message, isPrompted: boolean, where: string): void {
  const heading = turn.slice(0, Math.max(0, turn.indexOf(content.trim()))).trim();
  if (isPrompted || content.trim() === "" || heading === "") return;
  throw new DataError(
    `${where}: the chat template writes ${JSON.stringify(heading.slice(-40))} before the answer, and not at the end of a prompt for it; write it there too, by {% if add_generation_prompt %} … {% endif %}`,
  );
}

/** The text of a conversation cut behind an answer, without the end of text that a template writes behind the last one alone. */
function withoutEnd(cut: string, text: string, { eos }: ChatTemplate): string {
  const written = cut.trimEnd();
  return eos !== undefined && !text.startsWith(cut) && written.endsWith(eos) ? written.slice(0, -eos.length) : cut;
}

/** The answer at a place among the messages, by the texts of the conversation before it and up to it. */
function answerAt(
  conversation: Conversation,
  place: number,
  text: string,
  template: ChatTemplate,
  where: string,
): LearnedSpan {
  const { messages } = conversation;
  const message = messages[place] as Message;
  const upTo = (count: number): Conversation => ({ ...conversation, messages: messages.slice(0, count) });
  const prompt = template.renderPrompt(upTo(place), where);
  const known = `${where}: messages[${place}]`;
  if (!text.startsWith(prompt))
    throw new DataError(
      `${known}: the chat template writes the prompt for this answer otherwise than the conversation with it, so that its beginning cannot be found; ${mend}`,
    );
  const whole =
    place === messages.length - 1 ? text : withoutEnd(template.render(upTo(place + 1), where), text, template);
  if (!text.startsWith(whole) || whole.length < prompt.length)
    throw new DataError(
      `${known}: the chat template writes this answer otherwise once others follow it, so that its end cannot be found; ${mend}`,
    );
  if (whole.length === prompt.length)
    throw new DataError(
      `${known}: the chat template writes nothing of this answer; use one that reads the role assistant`,
    );
  const turn = whole.slice(prompt.length);
  checkHeading(turn, message, prompt !== template.render(upTo(place), where), known);
  checkEnd(turn, message, known);
  // The blanks behind the end of turn belong to no answer, unless a token joins them to it.
  return { start: prompt.length, ends: [prompt.length + turn.trimEnd().length, whole.length] };
}

/** Places of the messages that may be learned: the assistant's. */
const answerPlaces = (messages: readonly Message[]): number[] =>
  messages.flatMap(({ role }, i) => (role === "assistant" ? [i] : []));

const isLearned = ({ weight }: Message): boolean => weight !== 0;

/** Which of a conversation's answers are learned. */
export type LearnedAnswers = "answers" | "last";

/** By the template's own blocks. Where single answers are meant, each needs to have one block. */
function markedAnswers(
  conversation: Conversation,
  places: readonly number[],
  which: LearnedAnswers,
  template: ChatTemplate,
  where: string,
): RenderedAnswers {
  const { messages } = conversation;
  const { text, spans } = template.renderMarked(conversation, where);
  const isEach = spans.length === places.length;
  const chosen = places.filter((place) => isLearned(messages[place] as Message));
  if (!isEach && (which === "last" || chosen.length < places.length))
    throw new DataError(
      `${where}: the template has ${spans.length} {% generation %} blocks for ${places.length} answers, so that single ones cannot be told apart; learn all of them, or write one block for each`,
    );
  if (!isEach) return { text, answers: spans.map(spanOf) };
  for (const [i, [start, end]] of spans.entries())
    checkEnd(text.slice(start, end), messages[places[i] ?? 0] as Message, `${where}: messages[${places[i]}]`);
  const answers = spans.filter((_, i) => isLearned(messages[places[i] ?? 0] as Message)).map(spanOf);
  return { text, answers: which === "last" ? answers.slice(-1) : answers };
}

/**
 * A conversation as text, and the answers in it that are learned: those of the assistant whose `weight` is not 0, or the last of them.
 * They are found by the template's `{% generation %}` blocks or, without any, by comparing the text with those of the conversation cut
 * before and behind each answer. Throws DataError, opening with `where`, when they cannot be found, and when nothing ends one.
 */
export function renderAnswers(
  conversation: Conversation,
  which: LearnedAnswers,
  template: ChatTemplate,
  where: string,
): RenderedAnswers {
  const { messages } = conversation;
  const places = answerPlaces(messages);
  if (template.hasGeneration) return markedAnswers(conversation, places, which, template, where);
  const learned = places.filter((place) => isLearned(messages[place] as Message));
  const text = template.render(conversation, where);
  const chosen = which === "last" ? learned.slice(-1) : learned;
  return { text, answers: chosen.map((place) => answerAt(conversation, place, text, template, where)) };
}
