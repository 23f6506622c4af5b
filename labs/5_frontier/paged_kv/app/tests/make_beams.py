#!/usr/bin/env python3
"""make_beams.py -- writes fixtures/beams.json: beam search by transformers (5.24.0) on the random
models of the transformer lab.

    python3 make_beams.py          writes it again, the same
    python3 make_beams.py --check  compares instead; 77 where Python has no transformers

Each case: a model, a prompt, options, and the texts with their scores, the best first. Float32.
"""
import json
import os
import sys

try:
    import torch
    from transformers import AutoModelForCausalLM
except ImportError:
    print("skipped: Python has no transformers")
    sys.exit(77)

HERE = os.path.dirname(os.path.abspath(__file__))
MODELS = os.path.join(HERE, "..", "..", "..", "..", "3_language", "transformer", "tests", "fixtures")
STOPPING = {False: "heuristic", True: "first", "never": "never"}


def case(name, model, prompt, beams, tokens, penalty, early, ends):
    own = model.config.eos_token_id
    stops = sorted(set((own if isinstance(own, list) else [own]) + ends))
    with torch.no_grad():
        out = model.generate(torch.tensor([prompt]), num_beams=beams, num_return_sequences=beams, max_new_tokens=tokens,
                             do_sample=False, length_penalty=penalty, early_stopping=early, eos_token_id=stops,
                             pad_token_id=0, output_scores=True, return_dict_in_generate=True)
    texts = []
    for sequence, score in zip(out.sequences.tolist(), out.sequences_scores.tolist()):
        text = []
        for token in sequence[len(prompt):]:
            if token in stops:
                break
            text.append(token)
        texts.append({"tokens": text, "score": round(score, 6)})
    return {"model": name, "prompt": prompt, "beams": beams, "max_tokens": tokens, "length_penalty": penalty,
            "early_stopping": STOPPING[early], "stops": ends, "texts": texts}


def check(written, cases):
    assert len(written) == len(cases)
    for old, new in zip(written, cases):
        assert [t["tokens"] for t in old["texts"]] == [t["tokens"] for t in new["texts"]], (old, new)
        assert all(abs(a["score"] - b["score"]) < 1e-4 * abs(a["score"]) for a, b in zip(old["texts"], new["texts"]))
    print(len(cases), "cases")


def main():
    cases = []
    for name in ["gpt2", "llama", "qwen2", "qwen3"]:
        model = AutoModelForCausalLM.from_pretrained(os.path.join(MODELS, name), dtype=torch.float32).eval()
        for beams in [2, 3, 5]:
            for penalty, early, ends in [(1.0, False, []), (0.0, "never", [7, 11]), (2.0, True, [5, 9, 13]),
                                         (-0.5, False, [4, 21]), (1.5, "never", [6, 8, 17, 30])]:
                prompt = [(3 + 5 * beams + 7 * i + len(cases)) % 37 + 3 for i in range(1 + len(cases) % 7)]
                cases.append(case(name, model, prompt, beams, 14 if beams > 2 else 20, penalty, early, ends))
        cases.append(case(name, model, [5, 6, 7], 4, 1, 1.0, False, [12]))
        cases.append(case(name, model, [8, 9], 3, 2, 1.0, "never", []))
    text = "[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n"
    path = os.path.join(HERE, "fixtures", "beams.json")
    if "--check" in sys.argv:
        with open(path, encoding="utf-8") as file:
            check(json.load(file), cases)
        return
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)


main()
