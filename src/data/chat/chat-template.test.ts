/** Chat templates: against Jinja2's own renderings, of a model's files, and where they refuse. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { DataError, OptionError } from "../../core/errors.ts";
import { builtInTemplates } from "./built-in-templates.ts";
import { chatTemplate, chatTemplateOf } from "./chat-template.ts";
import type { Conversation } from "./messages.ts";

interface Recorded {
  readonly text?: string;
  readonly spans?: readonly (readonly [number, number])[];
  readonly error?: string;
}

/** By scripts/record-chat-fixtures.py: Jinja2 3.1.6, set up as transformers sets it up. */
const { cases } = JSON.parse(
  readFileSync(new URL("../../../test/fixtures/data/chat/rendered.json", import.meta.url), "utf8"),
) as {
  readonly cases: readonly {
    readonly name: string;
    readonly source: string;
    readonly conversation: Conversation;
    readonly whole: Recorded;
    readonly prompt: Recorded;
  }[];
};

const now = new Date("2024-07-06T09:05:00Z");

test.each(cases.map((one, i) => [`${one.name} ${i % 4}`, one] as const))("%s as Jinja2 renders it", (_, one) => {
  const template = chatTemplate(one.source, { bos: "<s>", eos: "</s>", variables: { add_bos_token: true }, now });
  for (const [render, expected] of [
    [template.render, one.whole],
    [template.renderPrompt, one.prompt],
  ] as const) {
    if (expected.error === undefined) expect(render(one.conversation)).toBe(expected.text);
    else
      expect(() => render(one.conversation, "a.jsonl: line 3")).toThrow(
        `a.jsonl: line 3: the chat template refuses it: ${expected.error}`,
      );
  }
  if (template.hasGeneration) expect(template.renderMarked(one.conversation)).toEqual(one.whole);
});

test("the recording is of the templates that there are", () => {
  const recorded = Object.fromEntries(cases.map(({ name, source }) => [name, source]));
  expect(recorded).toMatchObject(builtInTemplates);
  expect(cases.filter(({ whole }) => (whole.spans ?? []).length === 2)).toHaveLength(6);
});

const hi: Conversation = { messages: [{ role: "user", content: "Hi" }] };

test("a model's config: a text, a list, a file of its own; special tokens as texts or objects", () => {
  const source = "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}{{ pad_token }}";
  const config = { bos_token: { content: "<s>", lstrip: false }, eos_token: "</s>", pad_token: "<p>", unk_token: null };
  expect(chatTemplateOf({ ...config, chat_template: source }).render(hi)).toBe("<s>Hi</s><p>");
  const list = [
    { name: "default", template: source },
    { name: "tool_use", template: "tools: {{ messages[0].content }}" },
  ];
  expect(chatTemplateOf({ ...config, chat_template: list }).render(hi)).toBe("<s>Hi</s><p>");
  expect(chatTemplateOf({ ...config, chat_template: list }, { name: "tool_use" }).render(hi)).toBe("tools: Hi");
  expect(chatTemplateOf({ ...config, chat_template: source }, { file: "{{ messages[0].content }}" }).render(hi)).toBe(
    "Hi",
  );
  expect(() => chatTemplateOf({ chat_template: list }, { name: "tool" })).toThrow(OptionError);
  expect(() => chatTemplateOf(config)).toThrow(
    "chat_template is missing, expected a template; pass the text of chat_template.jinja",
  );
  expect(() => chatTemplateOf({ chat_template: source, bos_token: 1 })).toThrow(
    "tokenizer_config.json: bos_token is 1",
  );
  expect(() => chatTemplateOf(null)).toThrow(DataError);
  expect(() => chatTemplateOf(config, { file: "" })).toThrow("writes no message");
});

test("errors name the conversation and what the template says", () => {
  const strict = chatTemplate("{{ raise_exception('Conversation roles must alternate') }}");
  expect(() => strict.render(hi, "conversations[7]")).toThrow(
    "conversations[7]: the chat template refuses it: Conversation roles must alternate; change the conversation",
  );
  expect(() => chatTemplate("{{ bos_token + 'x' }}").render(hi)).toThrow(
    "refuses it: Cannot perform operation + on undefined",
  );
  expect(() => chatTemplate("{{ strftime_now('%Q') }}").render(hi)).toThrow("strftime_now does not know %Q");
  expect(() => chatTemplate("{% for i in range(999999999) %}{% endfor %}").render(hi)).toThrow(
    "at most 100000 are allowed",
  );
  const loop = "{% for i in range(100000) %}";
  const end = "{% endfor %}";
  expect(() => chatTemplate(`${loop}${loop}${end}${end}`).render(hi)).toThrow(
    "refuses it: it takes more than 1000000 steps",
  );
  const doubling = `{% set ns = namespace(t='a') %}${loop}{% set ns.t = ns.t ~ ns.t %}${end}`;
  expect(() => chatTemplate(doubling).render(hi)).toThrow("refuses it: it writes more than 10000000 characters");
  expect(() => chatTemplate("{% for %}")).toThrow(/^chatTemplate: the source is no template in Jinja/);
  expect(() => chatTemplate("chatlm")).toThrow('unknown chat template "chatlm"; did you mean "chatml"?');
  expect(() => chatTemplate("llama2", { eos: "</s>" })).toThrow('chatTemplate: "llama2" writes the bos token; pass it');
});

test("generation blocks that other parts of the template change, or inside one another, are refused", () => {
  const trimmed = chatTemplate(
    "{% set x %}{% generation %} {{ messages[0].content }}{% endgeneration %}{% endset %}{{ x | trim }}",
  );
  expect(() => trimmed.renderMarked(hi, "line 1")).toThrow("line 1: the template's {% generation %} blocks change");
  const nested = chatTemplate("{% generation %}{% generation %}a{% endgeneration %}{% endgeneration %}");
  expect(() => nested.renderMarked(hi)).toThrow("or lie in one another");
  // Signs of the private use area are taken that the text does not have.
  const marked = chatTemplate("\uE000{% generation %}\uE001{{ messages[0].content }}{% endgeneration %}\uE002");
  expect(marked.renderMarked(hi)).toEqual({ text: "\uE000\uE001Hi\uE002", spans: [[1, 4]] });
});
