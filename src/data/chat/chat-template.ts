/** Chat templates: a conversation as the one text that a model reads, by the template that the model was trained with. */
import { DataError, OptionError, unknownName } from "../../core/errors.ts";
import { matching, objectOf, string } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { isPlainObject } from "../../core/tree.ts";
import { shownValue } from "../tables/json-records.ts";
import { builtInTemplates, type ChatTemplateName, neededTokens } from "./built-in-templates.ts";
import { type MarkedText, parseJinja } from "./jinja.ts";
import type { Conversation } from "./messages.ts";

/** Options of `chatTemplate`. */
export interface ChatTemplateOptions {
  /** The token that texts begin with, `bos_token` in the template; default none. */
  readonly bos?: string;
  /** The token that ends texts, `eos_token` in the template; default none. */
  readonly eos?: string;
  /** What else the template may read, such as `{ enable_thinking: false }`; default nothing. */
  readonly variables?: Readonly<Record<string, unknown>>;
  /** The time of `strftime_now`, in UTC; default when the template is made. Pass one for texts that are the same every day. */
  readonly now?: Date;
}

const rendered = {
  variables: objectOf<Readonly<Record<string, unknown>>>("an object of the template's variables by name"),
  now: matching<Date>("a Date", (value) => value instanceof Date && !Number.isNaN(value.getTime())),
};

const checkOptions = optionsOf<ChatTemplateOptions>("chatTemplate", { bos: string, eos: string, ...rendered });

/** Writes conversations as text. Make one with `chatTemplate` or, of a model's files, with `chatTemplateOf`. */
export interface ChatTemplate {
  /** The template in Jinja. */
  readonly source: string;
  /** The token that texts begin with, if the model has one. */
  readonly bos: string | undefined;
  /** The token that ends texts, if the model has one. */
  readonly eos: string | undefined;
  /** Whether the template says by `{% generation %}` blocks what the assistant writes. */
  readonly hasGeneration: boolean;
  /** A whole conversation as text. Throws DataError, opening with `where`, when the template refuses it. */
  render(conversation: Conversation, where?: string): string;
  /** A conversation as the prompt for the assistant's next message. Throws as `render`. */
  renderPrompt(conversation: Conversation, where?: string): string;
  /** A whole conversation, and where its `{% generation %}` blocks are. Throws as `render`. */
  renderMarked(conversation: Conversation, where?: string): MarkedText;
}

const inWords = "the conversation";

/**
 * A chat template by name, `chatml`, `llama2`, `zephyr`, `alpaca` or `plain`, or by its source in Jinja, with the functions and the
 * whitespace rules of Hugging Face's. `plain` writes prompts and answers as they are. Throws OptionError for an unknown name and for
 * one whose tokens are not given, DataError for a source that is no Jinja.
 * @example chatTemplate("chatml").renderPrompt({ messages: [{ role: "user", content: "Hi" }] })
 * // "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
 */
export function chatTemplate(nameOrSource: string, options: ChatTemplateOptions = {}): ChatTemplate {
  const { bos, eos, variables = {}, now = new Date() } = checkOptions(options);
  const isName = Object.hasOwn(builtInTemplates, nameOrSource);
  if (!isName && !/\{[{%]/.test(nameOrSource))
    throw unknownName("chat template", nameOrSource, Object.keys(builtInTemplates));
  const name = nameOrSource as ChatTemplateName;
  for (const token of isName ? neededTokens[name] : [])
    if (!options[token])
      throw new OptionError(`chatTemplate: "${name}" writes the ${token} token; pass it, such as { ${token}: "…" }`);
  const source = isName ? builtInTemplates[name] : nameOrSource;
  const jinja = parseJinja(source, now, "chatTemplate: the source");
  const contextOf = ({ messages, tools }: Conversation, generate: boolean) => ({
    ...(bos !== undefined && { bos_token: bos }),
    ...(eos !== undefined && { eos_token: eos }),
    tools: tools ?? null,
    documents: null,
    ...variables,
    messages,
    add_generation_prompt: generate,
  });
  return {
    source,
    bos,
    eos,
    hasGeneration: jinja.hasGeneration,
    render: (conversation, where = inWords) => jinja.render(contextOf(conversation, false), where),
    renderPrompt: (conversation, where = inWords) => jinja.render(contextOf(conversation, true), where),
    renderMarked: (conversation, where = inWords) => jinja.renderMarked(contextOf(conversation, false), where),
  };
}

/** Options of `chatTemplateOf`. */
export interface ModelTemplateOptions {
  /** The text of the model's `chat_template.jinja`, which goes before the one in its config; default none. */
  readonly file?: string;
  /** Which of several templates; default "default". */
  readonly name?: string;
  /** What else the template may read, such as `{ enable_thinking: false }`; default nothing. */
  readonly variables?: Readonly<Record<string, unknown>>;
  /** The time of `strftime_now`, in UTC; default when the template is made. */
  readonly now?: Date;
}

const checkModelOptions = optionsOf<ModelTemplateOptions>("chatTemplateOf", {
  file: string,
  name: string,
  ...rendered,
});

/** A special token of a config: its text, or an object with it. */
function tokenOf(value: unknown, name: string): string | undefined {
  const text: unknown = isPlainObject(value) ? value["content"] : value;
  if (text === undefined || text === null) return undefined;
  if (typeof text === "string") return text;
  throw new DataError(
    `tokenizer_config.json: ${name} is ${shownValue(value)}, expected a text or { "content": … }; correct the file`,
  );
}

/** The source that a config has under a name. */
function sourceOf(template: unknown, name: string): string {
  if (typeof template === "string") return template;
  if (Array.isArray(template)) {
    const found = template.filter(isPlainObject).find((own) => own["name"] === name)?.["template"];
    if (typeof found === "string") return found;
    const names = template.filter(isPlainObject).map((own) => String(own["name"]));
    throw unknownName("chat template of the model", name, names);
  }
  throw new DataError(
    `tokenizer_config.json: chat_template is ${shownValue(template)}, expected a template; pass the text of chat_template.jinja as \`file\`, or use chatTemplate() with one of ${Object.keys(builtInTemplates).join(", ")}`,
  );
}

const specialTokens = ["pad_token", "unk_token", "sep_token", "cls_token", "mask_token"];

/**
 * The chat template of a model, from its `tokenizer_config.json` (parsed) with its special tokens: `chat_template` as a text or as a
 * list of `{ name, template }`, or the file `chat_template.jinja`. Throws DataError when there is none, OptionError for a name that
 * it does not have.
 * @example chatTemplateOf(JSON.parse(await readFile("tokenizer_config.json", "utf8")))
 */
export function chatTemplateOf(config: unknown, options: ModelTemplateOptions = {}): ChatTemplate {
  const { file, name = "default", variables = {}, now } = checkModelOptions(options);
  if (!isPlainObject(config))
    throw new DataError(`tokenizer_config.json is ${shownValue(config)}, expected an object; pass the parsed file`);
  const source = file ?? sourceOf(config["chat_template"], name);
  if (!/\{[{%]/.test(source))
    throw new DataError(
      `the model's chat template is ${shownValue(source)}, which writes no message; pass the text of chat_template.jinja as \`file\``,
    );
  const [bos, eos] = [tokenOf(config["bos_token"], "bos_token"), tokenOf(config["eos_token"], "eos_token")];
  const others = specialTokens.flatMap((token) => {
    const text = tokenOf(config[token], token);
    return text === undefined ? [] : [[token, text]];
  });
  const { add_bos_token: adds } = config;
  return chatTemplate(source, {
    ...(bos !== undefined && { bos }),
    ...(eos !== undefined && { eos }),
    ...(now !== undefined && { now }),
    variables: {
      ...Object.fromEntries(others),
      ...(typeof adds === "boolean" && { add_bos_token: adds }),
      ...variables,
    },
  });
}
