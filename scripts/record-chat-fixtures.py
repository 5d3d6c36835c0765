"""Records what Jinja2 makes of chat templates in the environment of Hugging Face's apply_chat_template: test/fixtures/data/chat/rendered.json.

Jinja2 3.1.6; run from the root of the repository, after `npm install`.
"""
import datetime
import json
import pathlib
import subprocess

import jinja2
import jinja2.ext
import jinja2.sandbox

built_in = json.loads(subprocess.run(
    ["npx", "tsx", "-e", 'import("./src/data/chat/built-in-templates.ts").then((m) => console.log(JSON.stringify(m.builtInTemplates)))'],
    check=True, capture_output=True, text=True).stdout)

own = {
    "generation, trimmed by lines": """{{- bos_token }}
{%- for message in messages %}
    {% if message.role == 'assistant' %}
    {% generation %}
{{ message.content }}{{ eos_token }}
    {% endgeneration %}
    {% else %}
[{{ message.role }}] {{ message.content }}
    {% endif %}
{% endfor %}
{% if add_generation_prompt %}{{ '[assistant]' }}{% endif %}
""",
    "generation, trimmed by dashes": """{%- for message in messages -%}
  {{- '<' ~ message['role'] ~ '>' -}}
  {%- if message['role'] == 'assistant' -%}
    {%- generation -%} {{ message['content'] | trim }}</s> {%- endgeneration -%}
  {%- else -%} {{ message['content'] }} {%- endif -%}
{%- endfor -%}""",
    "dates, tools and namespaces": """{%- set ns = namespace(system='', calls=0) -%}
{%- for message in messages -%}
  {%- if message['role'] == 'system' -%}{%- set ns.system = message['content'] -%}{%- endif -%}
{%- endfor -%}
{{- 'Today is ' + strftime_now('%d %b %Y, %A %H:%M') + '. ' + ns.system }}
{% if tools is not none and tools %}{% for tool in tools %}{{ tool | tojson }}
{% endfor %}{% endif %}
{% for message in messages if message['role'] != 'system' %}
    {%- if loop.index0 > 8 %}{% break %}{% endif %}
{{ loop.index }}/{{ message['role'] | upper }}: {{ message['content'].strip() if message['content'] is string else '' }}
    {%- for call in message.tool_calls or [] %}{% set ns.calls = ns.calls + 1 %} {{ call.function.name }}({{ call.function.arguments | tojson }}){% endfor %}

{% endfor %}
{%- for i in range(2) %}{{ i }}{{ messages[-1]['content'].split(' ')[i] }}{% endfor %} {{ ns.calls }}""",
}

turns = [{"role": "user", "content": " Grüße, 2 + 2? "}, {"role": "assistant", "content": "4\n"},
         {"role": "user", "content": "And 3 < 4?"}, {"role": "assistant", "content": "Yes \"it\" is."}]
call = [{"role": "user", "content": "Add 2 and 2"},
        {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "add", "arguments": {"a": 2, "b": [2, None, True]}}}]},
        {"role": "tool", "content": "4"}, {"role": "assistant", "content": "It is four"}]
conversations = [
    {"messages": turns},
    {"messages": [{"role": "system", "content": "Be brief."}, *turns[:1]]},
    {"messages": [{"role": "system", "content": "Be brief."}, *call], "tools": [{"name": "add", "description": "größer"}]},
    {"messages": turns[1:]},
]
variables = {"bos_token": "<s>", "eos_token": "</s>", "add_bos_token": True}
now = datetime.datetime(2024, 7, 6, 9, 5)


class Generation(jinja2.ext.Extension):
    """Notes where the blocks of generation are, as AssistantTracker of transformers.utils.chat_template_utils does."""

    tags = {"generation"}
    blocks: list = []
    spans: list = []

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_note"), [], [], body).set_lineno(line)

    def _note(self, caller):
        text = caller()
        start = len("".join(Generation.blocks))
        Generation.spans.append([start, start + len(text)])
        return text


def refuse(message):
    raise jinja2.exceptions.TemplateError(message)


environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
    trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols])
environment.filters["tojson"] = lambda value, **options: json.dumps(value, ensure_ascii=False, **options)
environment.globals["raise_exception"] = refuse
environment.globals["strftime_now"] = now.strftime


def rendered(template, conversation, generate):
    Generation.blocks, Generation.spans = [], []
    context = {"tools": None, "documents": None, **variables, **conversation, "add_generation_prompt": generate}
    try:
        for block in template.generate(**context):
            Generation.blocks.append(block)
    except jinja2.exceptions.TemplateError as error:
        return {"error": str(error)}
    return {"text": "".join(Generation.blocks), "spans": Generation.spans}


cases = []
for name, source in [*built_in.items(), *own.items()]:
    template = environment.from_string(source)
    for conversation in conversations:
        cases.append({"name": name, "source": source, "conversation": conversation,
                      "whole": rendered(template, conversation, False), "prompt": rendered(template, conversation, True)})
path = pathlib.Path("test/fixtures/data/chat/rendered.json")
path.write_text(json.dumps({"jinja2": jinja2.__version__, "cases": cases}, ensure_ascii=False, indent=1) + "\n")
print(f"{len(cases)} cases")
