/** Messages of a conversation: who speaks and what is said, checked as they are read from records. */
import { DataError, nearest } from "../../core/errors.ts";
import { isPlainObject } from "../../core/tree.ts";
import { shownValue } from "../tables/json-records.ts";

/** One message. Further fields, such as `tool_calls`, are kept for the chat template. */
export interface Message {
  /** Who speaks: `system`, `developer`, `user`, `assistant`, `tool` or `function`; `text` for a text without turns. */
  readonly role: string;
  /** What is said. */
  readonly content: string;
  /** What else the record has of the message. */
  readonly [field: string]: unknown;
}

/** Messages in their order. A conversation of one message with the role `text` is a text without turns. */
export interface Conversation {
  /** The messages, at least one. */
  readonly messages: readonly Message[];
  /** Descriptions of tools that the assistant may call, for the chat template. */
  readonly tools?: readonly unknown[];
}

const roles = ["system", "developer", "user", "assistant", "tool", "function"] as const;

/** Names that ShareGPT's records have for roles, beside the usual ones. */
const shareGptRoles: Readonly<Record<string, string>> = {
  human: "user",
  gpt: "assistant",
  chatgpt: "assistant",
  model: "assistant",
  function_call: "assistant",
  observation: "tool",
};

/** Roles whose messages may be empty: a tool may return nothing, a system prompt may be left blank. */
const mayBeEmpty = ["system", "developer", "tool", "function"];

function roleOf(role: unknown, where: string, others: Readonly<Record<string, string>>): string {
  const known = [...roles, ...Object.keys(others)];
  const text = typeof role === "string" ? role.trim().toLowerCase() : "";
  if (Object.hasOwn(others, text)) return others[text] as string;
  if (roles.some((own) => own === text)) return text;
  const closest = text === "" ? undefined : nearest(text, known);
  const hint = closest === undefined ? "" : ` (did you mean "${closest}"?)`;
  throw new DataError(`${where} is ${shownValue(role)}${hint}, expected one of ${known.join(", ")}; rename the role`);
}

/** The text of a content: itself, or its parts `{ "type": "text", "text": … }` one after the other. */
function contentOf(content: unknown, where: string): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content))
    throw new DataError(
      `${where} is ${shownValue(content)}, expected a text or a list of { "type": "text", "text": … }; write the message as text`,
    );
  return content
    .map((part: unknown, i) => {
      if (typeof part === "string") return part;
      if (isPlainObject(part) && typeof part["text"] === "string" && (part["type"] ?? "text") === "text")
        return part["text"];
      const got = isPlainObject(part) && "type" in part ? `of type ${shownValue(part["type"])}` : shownValue(part);
      throw new DataError(
        `${where}[${i}] is ${got}, expected { "type": "text", "text": … }; leave out what is no text, or describe it in words`,
      );
    })
    .join("");
}

const calls = (fields: Readonly<Record<string, unknown>>): boolean =>
  (Array.isArray(fields["tool_calls"]) && fields["tool_calls"].length > 0) || isPlainObject(fields["function_call"]);

/** A message from its fields. Throws DataError for an unknown role, and for content that is no text or is empty. */
function messageOf(
  value: unknown,
  where: string,
  [roleField, contentField]: readonly [string, string],
  others: Readonly<Record<string, string>>,
): Message {
  if (!isPlainObject(value))
    throw new DataError(
      `${where} is ${shownValue(value)}, expected { "${roleField}": …, "${contentField}": … }; write each message as an object`,
    );
  const { [roleField]: given, [contentField]: said, ...rest } = value;
  const role = roleOf(given, `${where}.${roleField}`, others);
  const isCall = role === "assistant" && calls(value);
  const content = isCall && (said === null || said === undefined) ? "" : contentOf(said, `${where}.${contentField}`);
  if (content.trim() === "" && !isCall && !mayBeEmpty.includes(role))
    throw new DataError(
      `${where}.${contentField} is empty, expected what the ${role} says; fill it in, or remove the record from the file`,
    );
  const { weight = null } = value;
  if (weight !== null && weight !== 0 && weight !== 1)
    throw new DataError(
      `${where}.weight is ${shownValue(weight)}, expected 1, or 0 for a message that is not learned; correct it`,
    );
  // In tables, what a message lacks is null.
  const further = Object.entries(rest).filter(([, own]) => own !== null && own !== undefined);
  return { ...Object.fromEntries(further), role, content };
}

/** A field that has to be a text with something in it. */
export function textField(value: unknown, where: string): string {
  const text = contentOf(value, where);
  if (text.trim() === "") throw new DataError(`${where} is empty, expected a text; fill it in, or remove the record`);
  return text;
}

function listOf(value: unknown, where: string): readonly unknown[] {
  if (Array.isArray(value) && value.length > 0) return value;
  throw new DataError(`${where} is ${shownValue(value)}, expected a list of one message or more; write [{ … }, …]`);
}

/** Messages of the form `{ "role": …, "content": … }`. */
export const messagesOf = (value: unknown, where: string): Message[] =>
  listOf(value, where).map((message, i) => messageOf(message, `${where}[${i}]`, ["role", "content"], {}));

/** Messages of ShareGPT's form `{ "from": …, "value": … }`, or of the usual one. */
export const shareGptMessagesOf = (value: unknown, where: string): Message[] =>
  listOf(value, where).map((message, i) => {
    const isUsual = isPlainObject(message) && !("from" in message) && "role" in message;
    return messageOf(message, `${where}[${i}]`, isUsual ? ["role", "content"] : ["from", "value"], shareGptRoles);
  });
