/** Instruction records of every form, and what is wrong with those of none. */
import { expect, test } from "vitest";
import { DataError } from "../../core/errors.ts";
import { conversationOf, parseConversations, parsePreferences, preferenceOf } from "./conversations.ts";

const turns = (record: unknown) => conversationOf(record, "line 1").messages;
const sum = [
  { role: "user", content: "2 + 2?" },
  { role: "assistant", content: "4" },
];

test.each([
  ["OpenAI's", { messages: sum, id: 7 }],
  [
    "parts of text",
    {
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "2 +" },
            { type: "text", text: " 2?" },
          ],
        },
        sum[1],
      ],
    },
  ],
  ["TRL's strings", { prompt: "2 + 2?", completion: "4" }],
  ["TRL's messages", { prompt: [sum[0]], completion: [sum[1]] }],
  ["Alpaca's", { instruction: "2 + 2?", input: "", output: "4" }],
  [
    "ShareGPT's",
    {
      conversations: [
        { from: "human", value: "2 + 2?" },
        { from: "gpt", value: "4" },
      ],
    },
  ],
  [
    "tables, which have null for what a record lacks",
    {
      messages: null,
      text: "",
      prompt: [{ ...sum[0], tool_calls: null, weight: null }],
      completion: [{ ...sum[1], name: undefined }],
    },
  ],
  ["ShareGPT's field with the usual messages", { conversations: sum }],
])("%s", (_, record) => expect(turns(record)).toEqual(sum));

test("an input follows its instruction; a system prompt comes first; a text has no turns", () => {
  expect(turns({ instruction: "Add.", input: "2, 2", output: "4" })[0]).toEqual({
    role: "user",
    content: "Add.\n\n2, 2",
  });
  expect(
    turns({
      system: "Be brief.",
      conversations: [
        { from: "system", value: "" },
        { from: "tool", value: "" },
      ],
    }),
  ).toEqual([
    { role: "system", content: "Be brief." },
    { role: "system", content: "" },
    { role: "tool", content: "" },
  ]);
  expect(turns({ text: "Once upon a time" })).toEqual([{ role: "text", content: "Once upon a time" }]);
});

test("tools and calls of them are kept", () => {
  const call = { role: "assistant", content: null, tool_calls: [{ function: { name: "add", arguments: { a: 2 } } }] };
  const { messages, tools } = conversationOf({ messages: [sum[0], call], tools: '[{"name":"add"}]' }, "line 1");
  expect(messages[1]).toEqual({ ...call, content: "" });
  expect(tools).toEqual([{ name: "add" }]);
  expect(() => conversationOf({ messages: sum, tools: "{" }, "line 1")).toThrow('line 1: tools is the text "{"');
});

test.each([
  [
    { messages: [{ role: "asistant", content: "4" }] },
    'line 1: messages[0].role is the text "asistant" (did you mean "assistant"?), expected one of system',
  ],
  [{ messages: [{ content: "4" }] }, "line 1: messages[0].role is missing, expected one of"],
  [{ messages: [{ role: "constructor", content: "4" }] }, "messages[0].role is"],
  [{ messages: [{ role: "user", content: " " }] }, "line 1: messages[0].content is empty, expected what the user says"],
  [{ messages: [{ role: "assistant", content: null }] }, "line 1: messages[0].content is null, expected a text"],
  [{ messages: [{ role: "user", content: 4 }] }, "line 1: messages[0].content is 4, expected a text"],
  [
    { messages: [{ role: "user", content: [{ type: "image_url", image_url: {} }] }] },
    'messages[0].content[0] is of type the text "image_url"',
  ],
  [{ messages: [{ ...sum[1], weight: 2 }] }, "line 1: messages[0].weight is 2, expected 1, or 0"],
  [{ messages: [] }, "line 1: messages is a list of 0, expected a list of one message or more"],
  [{ messages: "hello" }, 'line 1: messages is the text "hello"'],
  [{ messages: ["hello"] }, 'line 1: messages[0] is the text "hello"'],
  [{ conversations: [{ from: "human" }] }, "line 1: conversations[0].value is missing"],
  [{ prompt: "2 + 2?", completion: "" }, "line 1: completion is empty, expected a text"],
  [{ instruction: "Add.", output: 4 }, "line 1: output is 4, expected a text"],
  [{ question: "2 + 2?", answer: "4" }, 'line 1: has the fields question, answer, expected one of { "messages"'],
  [{ prompt: "2 + 2?", chosen: "4", rejected: "5" }, "read the file with parsePreferences()"],
  [{}, "line 1: has the fields (none)"],
  [null, "line 1: is null"],
])("%j is an error that says what is wrong", (record, message) => {
  expect(() => turns(record)).toThrow(DataError);
  expect(() => turns(record)).toThrow(message);
});

test("a file names its lines; none is left out", () => {
  const lines = ['{"prompt":"2 + 2?","completion":"4"}', '{"text":"Four."}'];
  expect(
    parseConversations(`\uFEFF${lines.join("\r\n")}\r\n`, "a.jsonl").map(({ messages }) => messages.length),
  ).toEqual([2, 1]);
  expect(parseConversations(`[${lines.join(",")}]`, "a.json")).toHaveLength(2);
  expect(() => parseConversations(`${lines.join("\n")}\n{"text":""}`, "a.jsonl")).toThrow(
    "a.jsonl: line 3: text is empty",
  );
  expect(() => parseConversations("", "a.jsonl")).toThrow("a.jsonl: has no records");
});

test("preferences: of strings, of messages, and with the prompt in both answers", () => {
  const preference = { prompt: [sum[0]], chosen: [sum[1]], rejected: [{ role: "assistant", content: "5" }] };
  const [{ chosen, rejected }] = [preference];
  const both = { chosen: [sum[0], ...chosen], rejected: [sum[0], ...rejected] };
  for (const record of [
    { prompt: "2 + 2?", chosen: "4", rejected: "5" },
    preference,
    both,
    { prompt: "2 + 2?", ...both }, // as UltraFeedback has it
    { prompt: [sum[0]], ...both },
  ])
    expect(preferenceOf(record, "line 1")).toEqual(preference);
  // As TRL's extract_prompt: up to the space before the first difference.
  expect(
    preferenceOf({ chosen: "Human: Hi\n\nAssistant: Hello", rejected: "Human: Hi\n\nAssistant: Hey" }, "line 1"),
  ).toEqual({
    prompt: [{ role: "user", content: "Human: Hi\n\nAssistant:" }],
    chosen: [{ role: "assistant", content: " Hello" }],
    rejected: [{ role: "assistant", content: " Hey" }],
  });
});

test.each([
  [
    { prompt: "2 + 2?", completion: "4" },
    'line 1: has the fields prompt, completion, expected { "prompt", "chosen", "rejected" }',
  ],
  [{ prompt: "2 + 2?", chosen: "4", rejected: "4" }, "line 1: chosen and rejected are the same"],
  [{ chosen: "4", rejected: "4" }, "line 1: chosen and rejected are the same"],
  [{ chosen: "4", rejected: "5" }, "line 1: has no prompt"],
  [{ chosen: [sum[1]], rejected: [{ role: "assistant", content: "5" }] }, "line 1: has no prompt"],
  [{ chosen: sum, rejected: [sum[0]] }, "line 1: rejected ends with the prompt"],
  [
    { prompt: "2 + 2?", chosen: sum, rejected: [{ role: "user", content: "5" }] },
    "line 1: rejected ends with a message of the role user",
  ],
  [{ prompt: "2 + 2?", chosen: "", rejected: "5" }, "line 1: chosen is empty"],
])("%j is no preference", (record, message) => {
  expect(() => preferenceOf(record, "line 1")).toThrow(message);
});

test("answers with lists nested without end are refused, others with lists are read", () => {
  const lineOf = (depth: number) => {
    const deep = `{"role":"assistant","content":"4","tool_calls":${"[".repeat(depth)}${"]".repeat(depth)}}`;
    return `{"prompt":"2 + 2?","chosen":[${deep}],"rejected":[${deep.replace('"4"', '"5"')}]}`;
  };
  expect(parsePreferences(lineOf(500), "a.jsonl")).toHaveLength(1);
  expect(() => parsePreferences(lineOf(50_000), "a.jsonl")).toThrow("a.jsonl: line 1 is no JSON (its brackets nest");
});

test("a file of preferences", () => {
  expect(parsePreferences('{"prompt":"2 + 2?","chosen":"4","rejected":"5"}', "a.jsonl")).toHaveLength(1);
  expect(() => parsePreferences('\n{"prompt":"2 + 2?"}', "a.jsonl")).toThrow("a.jsonl: line 2: has the fields prompt");
});
