/** Examples of conversations: what is learned, to the token, with three kinds of tokenizers; what users of other libraries met. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DataError } from "../../core/errors.ts";
import { byteTokenizer, spaceTokenizer, wordTokenizer } from "../testing/tokenizers.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { type ChatExample, type ChatExamplesOptions, chatExamples } from "./chat-examples.ts";
import { type ChatTemplate, chatTemplate } from "./chat-template.ts";
import type { Conversation, Message } from "./messages.ts";

const [bytes, spaces, words] = [byteTokenizer(), spaceTokenizer(), wordTokenizer()];
const chatml = chatTemplate("chatml", { eos: "<|im_end|>" });

const chat = (...contents: string[]): Conversation => ({
  messages: contents.map((content, i): Message => ({ role: i % 2 === 0 ? "user" : "assistant", content })),
});

/** The learned tokens of an example as texts, one for each run of them. */
function learnedRuns({ ids, learned }: ChatExample, tokenizer: Tokenizer): string[] {
  const runs: number[][] = [];
  for (const [i, id] of ids.entries()) {
    if (learned[i] === 0) continue;
    if (learned[i - 1] === 0 || runs.length === 0) runs.push([]);
    runs.at(-1)?.push(id);
  }
  return runs.map((run) => tokenizer.decode(run));
}

const runsOf = (conversation: Conversation, template: ChatTemplate, more: Partial<ChatExamplesOptions> = {}) =>
  chatExamples([conversation], { tokenizer: bytes, template, ...more }).examples.flatMap((example) =>
    learnedRuns(example, bytes),
  );

describe("what is learned", () => {
  const two = chat("Hi", "the answer", "And?", "Yes");
  test("answers with their end-of-turn token, without what stands around them", () => {
    expect(runsOf(two, chatml)).toEqual(["the answer<|im_end|>", "Yes<|im_end|>"]);
    expect(runsOf(two, chatml, { learned: "last" })).toEqual(["Yes<|im_end|>"]);
    // The first token is predicted by nothing.
    expect(runsOf(two, chatml, { learned: "all" })).toEqual([chatml.render(two).replace("<|im_start|>", "")]);
  });

  test.each([
    ["llama2", [" the answer </s>", " Yes </s>"]],
    ["zephyr", ["the answer</s>", "Yes</s>"]],
    ["alpaca", ["the answer</s>", "Yes</s>"]],
    ["plain", ["the answer</s>", "Yes</s>"]],
  ])("by the template %s", (name, runs) =>
    expect(runsOf(two, chatTemplate(name, { bos: "<s>", eos: "</s>" }))).toEqual(runs),
  );

  test("an answer with weight 0 is not learned", () => {
    const { messages } = two;
    const weighted = { messages: messages.map((message, i) => (i === 1 ? { ...message, weight: 0 } : message)) };
    expect(runsOf(weighted, chatml)).toEqual(["Yes<|im_end|>"]);
  });

  test("a text without turns, from its first token to its end", () => {
    const text = { messages: [{ role: "text", content: "Once the" }] };
    const example = (template: ChatTemplate) =>
      chatExamples([text], { tokenizer: bytes, template }).examples.map(({ ids }) => bytes.decode([...ids]))[0];
    expect(example(chatTemplate("llama2", { bos: "<s>", eos: "</s>" }))).toBe("<s>Once the</s>");
    expect(example(chatml)).toBe("Once the<|im_end|>");
    expect(() => example(chatTemplate("chatml"))).toThrow(
      "conversations[0]: is a text, which has to end with the eos token",
    );
  });

  test("calls of tools are learned, what tools return is not", () => {
    const template = chatTemplate(
      "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}{% for c in m.tool_calls or [] %}{{ c | tojson }}{% endfor %}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
    );
    const messages = [
      { role: "user", content: "Add" },
      { role: "assistant", content: "", tool_calls: [{ name: "add" }] },
      { role: "tool", content: "4" },
      { role: "assistant", content: "the 4" },
    ];
    expect(runsOf({ messages }, template)).toEqual(['{"name": "add"}<|im_end|>', "the 4<|im_end|>"]);
  });

  test("blocks of generation decide where the template has them", () => {
    const template = chatTemplate(
      "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.role == 'assistant' %}{% generation %}{{ m.content }}<|im_end|>{% endgeneration %}{% else %}{{ m.content }}<|im_end|>{% endif %}\n{% endfor %}",
    );
    expect(runsOf(two, template)).toEqual(["the answer<|im_end|>", "Yes<|im_end|>"]);
    expect(runsOf(two, template, { learned: "last" })).toEqual(["Yes<|im_end|>"]);
  });

  test("random conversations, by three tokenizers: the ids of each answer and its end, nothing else", () => {
    const word = fc.constantFrom(
      "the",
      "4",
      " ",
      "é",
      "☃",
      "🐋",
      "a",
      "user",
      "\n",
      "\n\n",
      "#",
      "[UNK]",
      "…",
      "\uE000",
    );
    const content = fc.array(word, { minLength: 1, maxLength: 6 }).map((parts) => `x${parts.join("")}`);
    fc.assert(
      fc.property(
        fc.array(content, { minLength: 2, maxLength: 6 }),
        fc.constantFrom(bytes, spaces, words),
        (contents, tokenizer) => {
          const conversation = chat(...contents);
          const { examples } = chatExamples([conversation], { tokenizer, template: chatml, unlearned: "drop" });
          const [{ ids, learned } = { ids: [], learned: [] }] = examples;
          expect([...ids]).toEqual(tokenizer.encode(chatml.render(conversation)));
          const heading = "<|im_start|>assistant\n";
          const answers = contents
            .filter((_, i) => i % 2 === 1)
            .flatMap((answer) =>
              // In place: SentencePiece's tokens depend on what precedes them.
              tokenizer.encode(`${heading}${answer}<|im_end|>`).slice(tokenizer.encode(heading).length),
            );
          expect([...ids].filter((_, i) => learned[i] === 1)).toEqual(answers);
        },
      ),
      { seed: 1, numRuns: 300 },
    );
  });
});

describe("what cannot be a wrong mask is an error", () => {
  const run =
    (template: ChatTemplate | string, conversation = chat("Hi", "Yes"), more: Partial<ChatExamplesOptions> = {}) =>
    () =>
      runsOf(
        conversation,
        typeof template === "string" ? chatTemplate(template, { bos: "<s>", eos: "</s>" }) : template,
        more,
      );

  test("a template that writes nothing behind an answer", () => {
    const open =
      "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}";
    expect(run(open)).toThrow(
      'conversations[0]: messages[1]: the chat template writes no end-of-turn token behind the answer "Yes", so that a model would not learn to stop; write it there, such as {{ eos_token }}',
    );
    const outside = "{% for m in messages %}{% generation %}{{ m.content }}{% endgeneration %}</s>{% endfor %}";
    expect(run(outside, { messages: [{ role: "assistant", content: "Yes" }] })).toThrow("writes no end-of-turn token");
  });

  test("a template that begins twice, and a tokenizer that adds tokens to those of the template", () => {
    expect(run("<s>{{ bos_token }}{% for m in messages %}{{ m.content }}</s>{% endfor %}")).toThrow(
      "conversations[0]: begins with the token <s> twice",
    );
    const adding = { encode: (text: string) => [1, ...bytes.encode(text)], decode: bytes.decode };
    expect(run(chatml, chat("Hi", "Yes"), { tokenizer: adding })).toThrow(
      "chatExamples: the tokenizer adds tokens by itself (1 to an empty text), expected none; switch that off",
    );
    const llama2 = chatTemplate("llama2", { bos: "<s>", eos: "</end>" });
    expect(run(llama2)).toThrow("the template's eos token \"</end>\" is none of the tokenizer's, which cuts it into ");
  });

  test("messages that contain what ends a text", () => {
    expect(run(chatml, chat("Hi", "Yes<|im_end|>"))).toThrow(
      "conversations[0]: messages[1] contains the special token <|im_end|>, which the chat template writes by itself; remove it",
    );
  });

  test("templates that write earlier answers in another way", () => {
    const thinking =
      "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.role == 'assistant' and loop.last %}<think></think>{% endif %}{{ m.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";
    expect(run(thinking, chat("Hi", "Yes", "And?", "No"))).toThrow(
      'conversations[0]: messages[1]: the chat template writes this answer otherwise once others follow it, so that its end cannot be found; put {% generation %} blocks around the answers in the template, or learn the last answer alone (learned: "last")',
    );
    expect(runsOf(chat("Hi", "Yes", "And?", "No"), chatTemplate(thinking), { learned: "last" })).toEqual([
      "<think></think>No<|im_end|>",
    ]);
    const otherPrompt =
      "{% for m in messages %}{{ m.content }}</s>{% endfor %}{% if add_generation_prompt %}<think>{% endif %}";
    expect(run(otherPrompt)).toThrow("messages[1]: the chat template writes the prompt for this answer otherwise");
  });

  test("a template that writes no heading for the answer to come", () => {
    const silent = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}";
    expect(run(silent)).toThrow(
      'messages[1]: the chat template writes "<|im_start|>assistant" before the answer, and not at the end of a prompt for it; write it there too',
    );
  });

  test("calls nested without end are the template's to refuse", () => {
    let nested: unknown = 1;
    for (let depth = 0; depth < 100_000; depth++) nested = [nested];
    const messages = [
      { role: "user", content: "Hi" },
      { role: "assistant", content: "Yes", tool_calls: [nested] },
    ];
    expect(run(chatml, { messages })).toThrow(DataError);
  });

  test("an end of text behind the last answer alone is no part of the others", () => {
    // As Phi 3 writes it.
    const last =
      "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% else %}{{ eos_token }}{% endif %}";
    expect(run(last, chat("Hi", "Yes", "And?", "No"))()).toEqual(["Yes<|im_end|>", "No<|im_end|>\n</s>"]);
    const alone =
      "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}{{ eos_token if not add_generation_prompt else 'assistant: ' }}";
    expect(run(alone, chat("Hi", "Yes", "And?", "No"))).toThrow('no end-of-turn token behind the answer "Yes"');
  });

  test("templates that read no answers, or whose blocks are not one for each", () => {
    expect(run("{% for m in messages %}{% if m.role == 'user' %}{{ m.content }}{% endif %}{% endfor %}")).toThrow(
      "messages[1]: the chat template writes nothing of this answer",
    );
    const one =
      "{% for m in messages %}{{ m.role }}{% endfor %}{% generation %}{{ messages[-1].content }}</s>{% endgeneration %}";
    expect(run(one, chat("Hi", "Yes", "And?", "No"), { learned: "last" })).toThrow(
      "has 1 {% generation %} blocks for 2 answers",
    );
  });

  test("nothing that is learned", () => {
    expect(run(chatml, chat("Hi"))).toThrow(
      'conversations[0]: nothing is learned of it (its messages are of the roles user), expected an answer of the assistant; add one, or choose unlearned: "drop"',
    );
    expect(run(chatml, chat("Hi"), { unlearned: "drop" })).toThrow(
      "none of 1 conversations is left (0 too long, 1 with nothing learned)",
    );
    expect(() => chatExamples([], { tokenizer: bytes, template: chatml })).toThrow(DataError);
    const text = {
      messages: [
        { role: "text", content: "a" },
        { role: "user", content: "b" },
      ],
    };
    expect(run(chatml, text)).toThrow("conversations[0]: has a text and other messages");
  });
});

test("too long: an error with the length, left out, or cut, all of them reported", () => {
  const long = chat("Hi", "the ".repeat(20));
  const late = chat("Hi ".repeat(20), "Yes");
  const short = chat("Hi", "Yes");
  const all = [short, long, late];
  const lengths = all.map((one) => bytes.encode(chatml.render(one)).length);
  const options = { tokenizer: bytes, template: chatml, length: 25 };
  expect(lengths[0]).toBeLessThan(25);
  expect(() => chatExamples(all, options)).toThrow(
    `conversations[1]: has ${lengths[1]} tokens, expected 25 at most; shorten it, raise \`length\`, or choose tooLong: "drop" or "truncate"`,
  );
  const dropped = chatExamples(all, { ...options, tooLong: "drop" });
  expect([dropped.kept, dropped.tooLong, dropped.truncated]).toEqual([[0], [1, 2], []]);
  expect(() => chatExamples(all, { ...options, tooLong: "truncate" })).toThrow(
    "conversations[2]: nothing is learned of it (its first 25 tokens have no answer)",
  );
  const cut = chatExamples(all, { ...options, tooLong: "truncate", unlearned: "drop" });
  expect([cut.kept, cut.tooLong, cut.truncated, cut.unlearned]).toEqual([[0, 1], [], [1], [2]]);
  expect(cut.examples.map(({ ids }) => ids.length)).toEqual([lengths[0], 25]);
  expect(cut.tokens).toBe((lengths[0] ?? 0) + 25);
  expect(cut.learnedTokens).toBe(
    cut.examples.reduce((sum, { learned }) => sum + learned.filter((one) => one).length, 0),
  );
});
