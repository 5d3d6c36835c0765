/** Instruction records in the forms that data sets have, read into one: conversations. */
import { DataError } from "../../core/errors.ts";
import { parseJson } from "../../core/json.ts";
import { parseJsonRecords, shownValue } from "../tables/json-records.ts";
import { type Conversation, type Message, messagesOf, shareGptMessagesOf, textField } from "./messages.ts";

type Fields = Readonly<Record<string, unknown>>;

const user = (content: string): Message => ({ role: "user", content });
const assistant = (content: string): Message => ({ role: "assistant", content });

const isGiven = (value: unknown): boolean => value !== undefined && value !== null && value !== "";

/** The system prompt that a record may have beside its turns. */
function systemOf({ system }: Fields, where: string): Message[] {
  return isGiven(system) ? [{ role: "system", content: textField(system, `${where}: system`) }] : [];
}

/** Strings are what a user and the assistant say; lists of messages are taken as they are. */
function turnsOf(value: unknown, where: string, turn: (content: string) => Message): Message[] {
  const isList = Array.isArray(value) && !(value.length > 0 && value.every(isTextPart));
  return isList ? messagesOf(value, where) : [turn(textField(value, where))];
}

const isTextPart = (part: unknown): boolean =>
  typeof part === "object" && part !== null && "type" in part && !("role" in part);

interface Form {
  /** Names of fields that a record of this form has. */
  readonly fields: readonly string[];
  /** The form as a message shows it. */
  readonly shown: string;
  readonly read: (fields: Fields, where: string) => readonly Message[];
}

/** The forms, in the order in which they are looked for. */
const forms: readonly Form[] = [
  {
    fields: ["messages"],
    shown: '{ "messages": [{ "role", "content" }, …] }',
    read: ({ messages }, where) => messagesOf(messages, `${where}: messages`),
  },
  {
    fields: ["conversations"],
    shown: '{ "conversations": [{ "from", "value" }, …] }',
    read: (fields, where) => [
      ...systemOf(fields, where),
      ...shareGptMessagesOf(fields["conversations"], `${where}: conversations`),
    ],
  },
  {
    fields: ["prompt", "completion"],
    shown: '{ "prompt", "completion" }',
    read: (fields, where) => [
      ...systemOf(fields, where),
      ...turnsOf(fields["prompt"], `${where}: prompt`, user),
      ...turnsOf(fields["completion"], `${where}: completion`, assistant),
    ],
  },
  {
    fields: ["instruction", "output"],
    shown: '{ "instruction", "input", "output" }',
    read: (fields, where) => {
      const { instruction, input, output } = fields;
      const task = textField(instruction, `${where}: instruction`);
      return [
        ...systemOf(fields, where),
        user(isGiven(input) ? `${task}\n\n${textField(input, `${where}: input`)}` : task),
        assistant(textField(output, `${where}: output`)),
      ];
    },
  },
  {
    fields: ["text"],
    shown: '{ "text" }',
    read: ({ text }, where) => [{ role: "text", content: textField(text, `${where}: text`) }],
  },
];

/** Descriptions of tools, as a list or as the JSON of one. */
function toolsOf({ tools }: Fields, where: string): Pick<Conversation, "tools"> {
  if (!isGiven(tools)) return {};
  let list: unknown = tools;
  try {
    if (typeof tools === "string") list = parseJson(tools);
  } catch {
    // Told below.
  }
  if (!Array.isArray(list))
    throw new DataError(`${where}: tools is ${shownValue(tools)}, expected a list of tools; write them as JSON`);
  return { tools: list };
}

/**
 * A conversation from a record, whose form its fields tell: `messages` (OpenAI, Hugging Face), `conversations` (ShareGPT),
 * `prompt` and `completion` (TRL; strings become turns of user and assistant), `instruction`, `input` and `output` (Alpaca; the
 * input follows its instruction after an empty line), or a plain `text`. A `system` prompt beside turns and `tools` are kept, other
 * fields of the record are not read. Throws DataError, opening with `where`, for a record of no such form, an unknown role and a
 * content that is empty or no text.
 * @example conversationOf({ prompt: "2 + 2?", completion: "4" }, "line 1").messages[1] // { role: "assistant", content: "4" }
 */
export function conversationOf(record: unknown, where: string): Conversation {
  const fields = recordFields(record, where);
  if (isPair(fields) && !("messages" in fields))
    throw new DataError(
      `${where}: has chosen and rejected, a preference; expected a conversation: read the file with parsePreferences()`,
    );
  // In tables, fields of other forms may be there and null.
  const form =
    forms.find((own) => own.fields.every((name) => isGiven(fields[name]))) ??
    forms.find((own) => own.fields.every((name) => name in fields));
  if (!form)
    throw new DataError(
      `${where}: has the fields ${Object.keys(fields).join(", ") || "(none)"}, expected one of ${forms.map(({ shown }) => shown).join(", ")}; rename the fields`,
    );
  return { messages: form.read(fields, where), ...toolsOf(fields, where) };
}

const recordFields = (record: unknown, where: string): Fields => {
  if (typeof record === "object" && record !== null && !Array.isArray(record)) return record as Fields;
  throw new DataError(`${where}: is ${shownValue(record)}, expected an object of fields; write { "messages": … }`);
};

const isPair = (fields: Fields): boolean => "chosen" in fields && "rejected" in fields;

/**
 * Conversations of JSON Lines, or of a JSON array; each record may have another form, see `conversationOf`. Nothing is left out:
 * throws DataError naming `what` the file is and the line of the first record that cannot be read.
 * @example parseConversations('{"prompt":"2 + 2?","completion":"4"}\n', "sums.jsonl").length // 1
 */
export const parseConversations = (content: string | Uint8Array, what: string): Conversation[] =>
  parseJsonRecords(content, what).map(({ fields, where }) => conversationOf(fields, where));

/** Two answers to one prompt, of which the first is preferred, as direct preference optimization learns from. */
export interface Preference {
  /** What both answer. */
  readonly prompt: readonly Message[];
  /** The better answer. */
  readonly chosen: readonly Message[];
  /** The worse answer. */
  readonly rejected: readonly Message[];
  /** Descriptions of tools that the assistant may call, for the chat template. */
  readonly tools?: readonly unknown[];
}

function isSame(a: unknown, b: unknown): boolean {
  try {
    return JSON.stringify(a) === JSON.stringify(b);
  } catch {
    return false; // lists in one another, deeper than can be written
  }
}

/** How many messages at the beginning of two lists are the same. */
function sharedBeginning(a: readonly Message[], b: readonly Message[]): number {
  const differs = a.findIndex((message, i) => !isSame(message, b[i]));
  return differs < 0 ? a.length : differs;
}

/** The prompt with which two texts begin, up to the last space before they differ, and what follows it. */
function splitTexts(chosen: string, rejected: string, where: string): Record<"prompt" | "chosen" | "rejected", string> {
  let end = 0;
  while (end < chosen.length && chosen[end] === rejected[end]) end++;
  const prompt = (/^[\s\S]*\S(?=\s)/.exec(chosen.slice(0, end)) ?? [""])[0];
  if (prompt === "" && chosen !== rejected) throw noPrompt(where);
  return { prompt: prompt || chosen, chosen: chosen.slice(prompt.length), rejected: rejected.slice(prompt.length) };
}

const noPrompt = (where: string): DataError =>
  new DataError(
    `${where}: has no prompt, and chosen and rejected begin differently; add "prompt", or the prompt to both`,
  );

/**
 * A preference from a record of `prompt`, `chosen` and `rejected`, strings or lists of messages. Without a prompt, it is the
 * messages, or the words, with which both answers begin; answers that repeat the prompt are cut there. Throws DataError, opening with `where`, for
 * another record, an answer that is empty or does not end with the assistant, and for two equal answers.
 */
export function preferenceOf(record: unknown, where: string): Preference {
  const fields = recordFields(record, where);
  if (!isPair(fields))
    throw new DataError(
      `${where}: has the fields ${Object.keys(fields).join(", ") || "(none)"}, expected { "prompt", "chosen", "rejected" }; rename the fields`,
    );
  if (typeof fields["chosen"] === "string" && typeof fields["rejected"] === "string" && !isGiven(fields["prompt"]))
    return preferenceOf({ ...fields, ...splitTexts(fields["chosen"], fields["rejected"], where) }, where);
  const chosen = turnsOf(fields["chosen"], `${where}: chosen`, assistant);
  const rejected = turnsOf(fields["rejected"], `${where}: rejected`, assistant);
  const given = isGiven(fields["prompt"]) ? turnsOf(fields["prompt"], `${where}: prompt`, user) : undefined;
  const shared = sharedBeginning(chosen, rejected);
  if (shared === chosen.length && shared === rejected.length)
    throw new DataError(`${where}: chosen and rejected are the same, expected two answers; remove the record`);
  const repeats = given !== undefined && shared >= given.length && sharedBeginning(given, chosen) === given.length;
  const cut = given === undefined ? shared : repeats ? given.length : 0;
  const prompt = [...systemOf(fields, where), ...(given ?? chosen.slice(0, shared))];
  if (given === undefined && shared === 0) throw noPrompt(where);
  const answers = { chosen: chosen.slice(cut), rejected: rejected.slice(cut) };
  for (const [name, answer] of Object.entries(answers))
    if (answer.at(-1)?.role !== "assistant")
      throw new DataError(
        `${where}: ${name} ends with ${answer.length === 0 ? "the prompt" : `a message of the role ${answer.at(-1)?.role}`}, expected the assistant's answer; add it`,
      );
  return { prompt, ...answers, ...toolsOf(fields, where) };
}

/**
 * Preferences of JSON Lines, or of a JSON array; see `preferenceOf`. Throws DataError naming `what` the file is and the line.
 * @example parsePreferences('{"prompt":"2 + 2?","chosen":"4","rejected":"5"}', "sums.jsonl")[0].chosen[0].content // "4"
 */
export const parsePreferences = (content: string | Uint8Array, what: string): Preference[] =>
  parseJsonRecords(content, what).map(({ fields, where }) => preferenceOf(fields, where));
