/** Conversations, preferences and chat templates from files. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { FileError } from "../../core/errors.ts";
import { parseJson } from "../../core/json.ts";
import { readBytes } from "../../storage/atomic.node.ts";
import { loadRecords } from "../tables/file-records.node.ts";
import { type ChatTemplate, chatTemplateOf, type ModelTemplateOptions } from "./chat-template.ts";
import { conversationOf, type Preference, preferenceOf } from "./conversations.ts";
import type { Conversation } from "./messages.ts";

/**
 * Conversations of a file (.jsonl, .ndjson, .json, .parquet, or .csv and .tsv with columns such as prompt and completion); see
 * `conversationOf`. Throws FileError when it cannot be read, DataError naming the record that is no conversation.
 * @example const conversations = await loadConversations("chats.jsonl");
 */
export const loadConversations = async (path: string): Promise<Conversation[]> =>
  (await loadRecords(path)).map(({ fields, where }) => conversationOf(fields, where));

/** Preferences of a file, as `loadConversations` reads them; see `preferenceOf`. */
export const loadPreferences = async (path: string): Promise<Preference[]> =>
  (await loadRecords(path)).map(({ fields, where }) => preferenceOf(fields, where));

/**
 * The chat template of a model's folder: `tokenizer_config.json` for the special tokens and, where there is no `chat_template.jinja`, the
 * template. Throws FileError when the config is missing or no JSON, DataError when there is no template.
 * @example const template = await loadChatTemplate("models/Qwen2.5-0.5B-Instruct");
 */
export async function loadChatTemplate(
  dir: string,
  options: Omit<ModelTemplateOptions, "file"> = {},
): Promise<ChatTemplate> {
  const path = join(dir, "tokenizer_config.json");
  const text = async (own: string) => new TextDecoder().decode(await readBytes(own, "chat template"));
  const json = await text(path);
  let config: unknown;
  try {
    config = parseJson(json);
  } catch (error) {
    throw new FileError(`${path}: is no JSON (${(error as Error).message}); get the file anew`, { cause: error });
  }
  const file = join(dir, "chat_template.jinja");
  return chatTemplateOf(config, { ...options, ...(existsSync(file) && { file: await text(file) }) });
}
