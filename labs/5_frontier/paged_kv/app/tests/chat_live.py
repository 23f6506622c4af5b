#!/usr/bin/env python3
"""chat_live.py -- chat templates beside transformers, where Python has it: whatever we render is the same.

RENDER names the program render_chat. CHAT_TEMPLATES may name a folder of models' templates (*.jinja, as llama.cpp
has them in models/templates); else those of fixtures/chat.json are taken, with conversations made at random.
"""
import glob
import json
import os
import random
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
try:
    import transformers  # noqa: F401
    import jinja2  # noqa: F401
except ImportError:
    print("skipped: Python has no transformers and jinja2")
    sys.exit(77)
from chat_cases import CASES, TIME, WEATHER, expected, message  # noqa: E402

WORDS = ["Paris", " ", "\n", "<think>", "</think>", "<|im_end|>", "\\n", "\"", "你好", "🙂", "<tool_response>",
         "</tool_response>", "\t", "a", "{}"]


def random_case(rng):
    def text():
        return "".join(rng.choice(WORDS) for _ in range(rng.randrange(6)))

    messages = [message("system", text())] if rng.random() < .4 else []
    for _ in range(rng.randrange(1, 4)):
        messages.append(message("user", text()))
        if rng.random() < .3:
            messages.append(message("assistant", text(), [("now", {"x": text(), "y": [1, 2.5]})]))
            messages.append(message("tool", text()))
        if rng.random() < .7:
            messages.append(message("assistant", text()))
    case = {"messages": messages, "needs_tools": any(m["role"] == "tool" for m in messages)}
    if rng.random() < .3:
        case["tools"] = [WEATHER, TIME][:rng.randrange(1, 3)]
    if rng.random() < .3:
        case["no_thinking"] = True
    return case


def main():
    folder = os.environ.get("CHAT_TEMPLATES")
    if folder:
        templates = {os.path.basename(path): open(path, encoding="utf-8").read()
                     for path in sorted(glob.glob(os.path.join(folder, "*.jinja")))}
    else:
        with open(os.path.join(HERE, "fixtures", "chat.json"), encoding="utf-8") as file:
            templates = json.load(file)["templates"]
    rng = random.Random(16)
    cases = CASES + [random_case(rng) for _ in range(60)]
    lines = [(name, case) for name in templates for case in cases]
    given = "".join(json.dumps({"template": templates[name], "case": case}) + "\n" for name, case in lines)
    got = subprocess.run([os.environ["RENDER"]], input=given, capture_output=True, text=True, check=True, timeout=60)
    known, bad = {}, 0
    for (name, case), text in zip(lines, map(json.loads, got.stdout.split("\n")[:-1]), strict=True):
        if text is None:
            continue
        try:
            want = expected(templates[name], case)
        except Exception as why:  # the template refuses what we render
            want = f"refused: {why}"
        known[name] = known.get(name, 0) + 1
        if text != want:
            bad += 1
            if bad < 4:
                print(f"{name}: {json.dumps(case)}\n--- got\n{text}\n--- expected\n{want}")
    for name, count in known.items():
        print(f"{name}: {count} of {len(cases)} conversations rendered")
    print(f"{len(known)} of {len(templates)} templates known, {bad} conversations differ")
    return 1 if bad or len(known) < 1 else 0


sys.exit(main())
