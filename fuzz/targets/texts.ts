/** Tokenizers and chat templates, and what is given to a model for a prediction. */
import { readMergekit } from "../../src/compress/merge/mergekit.ts";
import { parseJson } from "../../src/core/json.ts";
import { builtInTemplates } from "../../src/data/chat/built-in-templates.ts";
import { loadChatTemplate } from "../../src/data/chat/chat-files.node.ts";
import { byteTokenizer, spaceTokenizer, wordTokenizer } from "../../src/data/testing/tokenizers.ts";
import { trainBpe } from "../../src/data/text/bpe.ts";
import { characterTokenizer, tokenizerOf } from "../../src/data/text/tokenizer.ts";
import { readInput } from "../../src/runs/open/predict-input.node.ts";
import { pick } from "../mutate/bytes.ts";
import { anyBytes, within } from "../mutate/frames.ts";
import { jsonIn } from "../mutate/json.ts";
import { type Files, type Mutation, readAll, type Target } from "../target.ts";
import { jsonBytes, utf8 } from "./fixtures.ts";

const file = "tokenizer.json";
const sentence = "The cat sat on the mat. <s>Ünïcödé 😀\n42";

/** Post-processors and models that the tokenizers of tests do not have. */
const unigram = {
  normalizer: { type: "NFKC" },
  pre_tokenizer: { type: "Metaspace", replacement: "▁", add_prefix_space: true },
  post_processor: {
    type: "TemplateProcessing",
    single: [{ SpecialToken: { id: "<s>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
    pair: [
      { Sequence: { id: "A", type_id: 0 } },
      { SpecialToken: { id: "<s>", type_id: 0 } },
      { Sequence: { id: "B", type_id: 1 } },
    ],
    special_tokens: { "<s>": { id: "<s>", ids: [1], tokens: ["<s>"] } },
  },
  decoder: { type: "Metaspace", replacement: "▁", add_prefix_space: true },
  added_tokens: [
    { id: 0, content: "<unk>", special: true },
    { id: 1, content: "<s>", special: true },
  ],
  model: {
    type: "Unigram",
    unk_id: 0,
    vocab: [
      ["<unk>", 0],
      ["<s>", 0],
      ["▁", -2],
      ["a", -3],
      ["t", -3],
      ["▁the", -4],
      ["c", -5],
    ],
  },
};

export const tokenizer: Target = {
  name: "tokenizer",
  reads: "tokenizer.json: `tokenizerOf`, a text encoded and decoded",
  seeds: (): readonly Files[] => [
    { [file]: utf8(byteTokenizer().json()) },
    { [file]: utf8(spaceTokenizer().json()) },
    { [file]: utf8(wordTokenizer().json()) },
    { [file]: utf8(trainBpe("a cat sat on a mat", { vocabulary: 262 }).json()) },
    { [file]: utf8(characterTokenizer(sentence).json()) },
    { [file]: jsonBytes(unigram) },
  ],
  mutations: [jsonIn(file), jsonIn(file)],
  read(input) {
    let document: unknown;
    try {
      document = parseJson(input.text(file));
    } catch {
      return undefined; // What is no JSON is refused by those who read the file.
    }
    const made = tokenizerOf(document as never);
    return readAll(
      () => made.decode(made.encode(sentence)),
      () => made.decode(made.encodeWithSpecial(sentence)),
      () => made.encodePair(sentence, "b"),
      () => made.idOf("<s>"),
      () => made.json(),
    );
  },
};

const conversation = {
  messages: [
    { role: "user", content: "Hi" },
    { role: "assistant", content: "Hello." },
  ],
} as const;

const jinjaParts: readonly string[] = [
  "{% for i in range(3) %}",
  "{% for i in range(100000) %}{% for j in range(100000) %}{{ j }}{% endfor %}{% endfor %}",
  "{% set ns = namespace(t='a') %}{% for i in range(100) %}{% set ns.t = ns.t ~ ns.t %}{% endfor %}",
  "{% macro m(a) %}{{ m(a) }}{% endmacro %}{{ m(1) }}",
  "{% set x = (x or 'a') ~ (x or 'a') %}",
  "{% set ns = namespace(t='a') %}",
  "{% set ns.t = ns.t ~ ns.t %}",
  "{% endfor %}",
  "{{ ",
  " }}",
  "{% if x %}",
  "{% endif %}",
  "{% macro m(a) %}",
  "{% endmacro %}",
  "messages[0]",
  "raise_exception('no')",
  "|tojson",
  "|join(', ')",
  "strftime_now('%Y')",
  "{%- set x = 1 -%}",
  "{# ",
  " #}",
  "namespace(a=1)",
  "{% generation %}",
  "{% endgeneration %}",
  "[1,2][::-1]",
  "'a' * 3",
  "undefined.x.y",
  "1 // 0",
  "\\",
  '"',
]; // prettier-ignore

const templateParts: Mutation = (files, random) => {
  let text = new TextDecoder().decode(files["chat_template.jinja"]);
  for (let i = 1 + random.integer(4); i > 0; i--) {
    const at = random.integer(text.length + 1);
    text = text.slice(0, at) + pick(random, jinjaParts) + text.slice(at + random.integer(6));
  }
  return { ...files, "chat_template.jinja": utf8(text) };
};

export const template: Target = {
  name: "chat-template",
  reads: "tokenizer_config.json and chat_template.jinja: `loadChatTemplate`, a conversation rendered",
  seeds: (): readonly Files[] =>
    Object.values(builtInTemplates).map((source) => ({
      "tokenizer_config.json": jsonBytes({
        bos_token: "<s>",
        eos_token: { content: "</s>", special: true },
        chat_template: source,
      }),
      "chat_template.jinja": utf8(source),
    })),
  mutations: [templateParts, templateParts, jsonIn("tokenizer_config.json")],
  async read(input) {
    const made = await loadChatTemplate(input.folder(), { now: new Date(0) });
    return readAll(
      () => made.render(conversation),
      () => made.renderPrompt(conversation),
      () => made.renderMarked(conversation),
    );
  },
};

const measured = { fill: 1, mean: 1, deviation: 2, edges: [0, 1, 2], hasMissing: true };

/** Rows with a column of each kind. */
const rowsOfTable = {
  inputs: { dtype: "float32", shape: [1, 7] },
  format: {
    table: {
      fields: [
        { name: "size", kind: "number", decimalComma: false, statistics: measured },
        { name: "town", kind: "category", values: ["Ulm", "Bonn"] },
        {
          name: "day",
          kind: "date",
          format: "YYYY-MM-DD",
          parts: [
            { part: "day", statistics: measured },
            { part: "month", statistics: measured },
          ],
        },
        { name: "note", kind: "text", words: ["small", "large", "red"], weights: [1, 2, 3] },
      ],
    },
  },
} as const;

export const predictInput: Target = {
  name: "predict-input",
  reads: "numbers and rows of tables in JSON: what `predict` is given",
  seeds: (): readonly Files[] => [
    { "input.json": utf8("[1, 2, 3, 4]") },
    { "input.json": utf8("[[[0, 255], [1, 2]]]") },
    { "input.json": utf8('{"size": 2.5, "town": "Ulm", "day": "2020-02-29", "note": "a small red one"}') },
    {
      "input.json": utf8(
        '[{"size": "1,000.5", "town": null, "day": null, "note": ""}, {"size": null, "town": 3, "day": "", "note": true}]',
      ),
    },
  ],
  mutations: [jsonIn("input.json"), jsonIn("input.json")],
  read: (input) =>
    readAll(
      () => readInput(input.path("input.json"), { inputs: { dtype: "float32", shape: [1, 4] } }),
      () =>
        readInput(input.path("input.json"), {
          inputs: { dtype: "uint8", shape: [1, 1, 2, 2] },
          format: { image: { height: 2, width: 2, channels: 1 } },
        } as never),
      () => readInput(input.text("input.json"), { inputs: { dtype: "float32", shape: [1, 4] } }),
      () => readInput(input.path("input.json"), rowsOfTable as never),
      () => readInput(input.text("input.json"), rowsOfTable as never),
    ),
};

const mergeConfig = (more: string) =>
  utf8(
    `merge_method: ties\nbase_model: base\n${more}models:\n  - model: a\n    parameters: {weight: 0.5, density: 0.3}\n  - model: b\n    parameters:\n      weight: 1\ndtype: float16\n`,
  );

export const mergekit: Target = {
  name: "mergekit",
  reads: "mergekit's YAML: `readMergekit`",
  seeds: (): readonly Files[] => [
    { "merge.yml": mergeConfig("") },
    { "merge.yml": mergeConfig("parameters: &shared {lambda: 0.7, normalize: true}\n") },
  ],
  mutations: [within("merge.yml", anyBytes)],
  read: (input) => readAll(() => readMergekit(new TextDecoder().decode(input.bytes("merge.yml")))),
};
