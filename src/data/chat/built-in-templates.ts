/** Chat templates by name, for models that bring none: how a conversation is written as one text, in Jinja. */

/** `<|im_start|>role … <|im_end|>` (OpenAI 2023, "Chat Markup Language"), which Qwen and many others read. */
const chatml =
  "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

/** Turns of a user and an assistant, as Llama 2 reads them (Touvron et al. 2023): the system prompt is inside the first. */
const llama2 =
  "{% set offset = 1 if messages[0]['role'] == 'system' else 0 %}" +
  "{% for message in messages[offset:] %}" +
  "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('turns must alternate: user, assistant, user, …') }}{% endif %}" +
  "{% if message['role'] == 'user' %}" +
  "{% set system = '<<SYS>>\\n' + messages[0]['content'] + '\\n<</SYS>>\\n\\n' if loop.first and offset == 1 else '' %}" +
  "{{ bos_token + '[INST] ' + system + message['content'] | trim + ' [/INST]' }}" +
  "{% elif message['role'] == 'assistant' %}{{ ' ' + message['content'] | trim + ' ' + eos_token }}" +
  "{% else %}{{ raise_exception('only system, user and assistant are read, and system only first') }}{% endif %}{% endfor %}";

/** `<|user|>` and `<|assistant|>` before what they say, the end-of-text token behind it (Tunstall et al. 2023, Zephyr). */
const zephyr =
  "{% for message in messages %}{{ '<|' + message['role'] + '|>\\n' + message['content'] + eos_token + '\\n' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}";

/** Stanford's Alpaca (Taori et al. 2023): headings before instructions and responses; a system prompt replaces the first sentence. */
const alpaca =
  "{% if add_bos_token and bos_token %}{{ bos_token }}{% endif %}" +
  "{% if messages[0]['role'] != 'system' %}{{ 'Below is an instruction that describes a task. Write a response that appropriately completes the request.\\n\\n' }}{% endif %}" +
  "{% for message in messages %}" +
  "{% if message['role'] == 'user' %}{{ '### Instruction:\\n' + message['content'] + '\\n\\n' }}" +
  "{% elif message['role'] == 'assistant' %}{{ '### Response:\\n' + message['content'] + eos_token + '\\n\\n' }}" +
  "{% elif message['role'] == 'system' and loop.first %}{{ message['content'] + '\\n\\n' }}" +
  "{% else %}{{ raise_exception('only system, user and assistant are read, and system only first') }}{% endif %}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '### Response:\\n' }}{% endif %}";

/** Contents one after the other, as they are; the end-of-text token behind the assistant's. */
const plain =
  "{% if add_bos_token and bos_token %}{{ bos_token }}{% endif %}" +
  "{% for message in messages %}{{ message['content'] }}{% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %}{% endfor %}";

/** Names of the templates that come with Sardonyx. */
export type ChatTemplateName = "chatml" | "llama2" | "zephyr" | "alpaca" | "plain";

/** The templates by their names. */
export const builtInTemplates: Readonly<Record<ChatTemplateName, string>> = { chatml, llama2, zephyr, alpaca, plain };

/** Tokens that a template by name cannot do without. */
export const neededTokens: Readonly<Record<ChatTemplateName, readonly ("bos" | "eos")[]>> = {
  chatml: [],
  llama2: ["bos", "eos"],
  zephyr: ["eos"],
  alpaca: ["eos"],
  plain: ["eos"],
};
