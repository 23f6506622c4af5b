#!/usr/bin/env python3
"""make_chat.py -- writes fixtures/chat.json: conversations as transformers (5.24.0) renders them.

    python3 make_chat.py TEMPLATES          writes it again, the same

TEMPLATES is a folder with the templates of Qwen-Qwen2.5-7B-Instruct.jinja and Qwen-Qwen3-0.6B.jinja (Apache-2.0;
llama.cpp has them in models/templates). SmolLM2's (Apache-2.0) is written below, as its GGUF file has it. Those of
ChatML and of Llama are written for this test: they render what the models' own do, which chat_live.py holds
against the real ones where they are at hand.
"""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from chat_cases import CASES, expected  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))

SMOLLM2 = ("{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
           "{{ '<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' }}"
           "{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}"
           "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}")
CHATML = ("{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
          "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}")
LLAMA3 = ("{{ bos_token }}{% for m in messages %}<|start_header_id|>{{ m['role'] }}<|end_header_id|>\n\n"
          "{{ m['content'] | trim }}<|eot_id|>{% endfor %}"
          "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}")
LLAMA31 = """{{- bos_token }}
{%- set tools_in_user_message = true %}
{%- if not date_string is defined %}{% set date_string = "26 Jul 2024" %}{% endif %}
{%- set start = namespace(at=0) %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{%- if tools %}{{- "Environment: ipython\\n" }}{% endif %}
{{- "Cutting Knowledge Date: December 2023\\nToday Date: " + date_string + "\\n\\n" }}
{%- if messages[0].role == "system" %}{{- messages[0].content | trim }}{% set start.at = 1 %}{% endif %}
{{- "<|eot_id|>" }}
{%- if tools %}
{{- "<|start_header_id|>user<|end_header_id|>\\n\\nGiven the following functions, please respond with a JSON for a \
function call with its proper arguments that best answers the given prompt.\\n\\nRespond in the format \
{\\"name\\": function name, \\"parameters\\": dictionary of argument name and its value}.Do not use variables.\\n\\n" }}
{%- for t in tools %}{{- t | tojson(indent=4) }}{{- "\\n\\n" }}{% endfor %}
{{- messages[start.at].content | trim + "<|eot_id|>" }}
{%- set start.at = start.at + 1 %}
{%- endif %}
{%- for m in messages[start.at:] %}
{%- if m.tool_calls %}
{{- "<|start_header_id|>assistant<|end_header_id|>\\n\\n{\\"name\\": \\"" + m.tool_calls[0].function.name }}
{{- "\\", \\"parameters\\": " }}{{- m.tool_calls[0].function.arguments | tojson }}{{- "}<|eot_id|>" }}
{%- elif m.role == "tool" %}
{{- "<|start_header_id|>ipython<|end_header_id|>\\n\\n" }}{{- m.content | tojson }}{{- "<|eot_id|>" }}
{%- else %}
{{- "<|start_header_id|>" + m.role + "<|end_header_id|>\\n\\n" + m.content | trim + "<|eot_id|>" }}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- "<|start_header_id|>assistant<|end_header_id|>\\n\\n" }}{% endif %}"""


def main():
    def read(name):
        with open(os.path.join(sys.argv[1], name), encoding="utf-8") as file:
            return file.read()

    templates = {"smollm2": SMOLLM2, "chatml": CHATML, "qwen2.5": read("Qwen-Qwen2.5-7B-Instruct.jinja"),
                 "qwen3": read("Qwen-Qwen3-0.6B.jinja"), "llama3": LLAMA3, "llama3.1": LLAMA31}
    tools = {"qwen2.5", "qwen3", "llama3.1"}
    out = {"templates": templates, "cases": []}
    for name, template in templates.items():
        for case in CASES:
            if case.get("needs_tools") and name not in tools:
                continue
            if name == "llama3.1" and case.get("parallel"):
                continue
            out["cases"].append({"template": name, "case": case, "text": expected(template, case)})
    with open(os.path.join(HERE, "fixtures", "chat.json"), "w", encoding="utf-8") as file:
        json.dump(out, file, ensure_ascii=False, indent=0)
        file.write("\n")


main()
