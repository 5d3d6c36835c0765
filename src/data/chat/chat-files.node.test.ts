/** Conversations, preferences and chat templates from files. */
import { mkdtempSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { DataError, FileError } from "../../core/errors.ts";
import { loadChatTemplate, loadConversations, loadPreferences } from "./chat-files.node.ts";

const fixtures = fileURLToPath(new URL("../../../test/fixtures/data/records", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "sardonyx-records-"));

const put = async (name: string, content: string): Promise<string> => {
  await writeFile(join(folder, name), content);
  return join(folder, name);
};

test("conversations from Parquet, tables and JSON Lines; preferences", async () => {
  // By scripts/make-parquet-fixtures.mjs; what a message lacks is null there.
  expect(await loadConversations(join(fixtures, "chats.parquet"))).toEqual([
    {
      messages: [
        { role: "user", content: "2 + 2?", name: "Ada" },
        { role: "assistant", content: "4" },
      ],
    },
    {
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: "Grüße?" },
        { role: "assistant", content: "Ja." },
      ],
    },
  ]);
  const turns = [
    { role: "user", content: "2 + 2?" },
    { role: "assistant", content: "4" },
  ];
  expect(await loadConversations(await put("a.csv", "instruction,input,output\n2 + 2?,,4\n"))).toEqual([
    { messages: turns },
  ]);
  expect(await loadConversations(await put("a.jsonl", JSON.stringify({ messages: turns })))).toEqual([
    { messages: turns },
  ]);
  const [preference] = await loadPreferences(await put("b.csv", "prompt,chosen,rejected\n2 + 2?,4,5\n"));
  expect(preference).toEqual({
    prompt: [turns[0]],
    chosen: [turns[1]],
    rejected: [{ role: "assistant", content: "5" }],
  });
  await expect(loadConversations(join(fixtures, "reviews.parquet"))).resolves.toHaveLength(3); // a column of texts
  await expect(loadPreferences(join(fixtures, "chats.parquet"))).rejects.toThrow(
    "chats.parquet: row 1: has the fields messages, source",
  );
});

test("a model's folder: its config, and its template in a file of its own", async () => {
  await expect(loadChatTemplate(folder)).rejects.toThrow(FileError);
  await put("tokenizer_config.json", '{"bos_token":"<s>","eos_token":{"content":"</s>"}}');
  await expect(loadChatTemplate(folder)).rejects.toThrow(DataError);
  await put("chat_template.jinja", "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}");
  const hi = { messages: [{ role: "user", content: "Hi" }] };
  expect((await loadChatTemplate(folder)).render(hi)).toBe("<s>Hi</s>");
  await put("tokenizer_config.json", "{");
  await expect(loadChatTemplate(folder)).rejects.toThrow(/tokenizer_config.json: is no JSON/);
});
