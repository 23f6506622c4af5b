#!/usr/bin/env python3
"""make_sampler.py -- writes fixtures/sampler.json: what the logits processors of transformers (5.24.0) leave.

    python3 make_sampler.py          writes it again, the same

Each case: logits, the tokens so far, options, and the probabilities after the processors in the order of
sampler.h (repetition penalty, temperature, min_p, top_k, top_p).
"""
import json
import os

import torch
from transformers import generation as g

HERE = os.path.dirname(os.path.abspath(__file__))
torch.manual_seed(16)


def case(n, **options):
    logits = (3 * torch.randn(1, n)).round(decimals=2)
    tokens = torch.randint(0, n, (1, 6))
    steps = []
    if "repetition_penalty" in options:
        steps.append(g.RepetitionPenaltyLogitsProcessor(options["repetition_penalty"]))
    if options["temperature"] != 1:
        steps.append(g.TemperatureLogitsWarper(options["temperature"]))
    if "min_p" in options:
        steps.append(g.MinPLogitsWarper(options["min_p"]))
    if "top_k" in options:
        steps.append(g.TopKLogitsWarper(options["top_k"]))
    if "top_p" in options:
        steps.append(g.TopPLogitsWarper(options["top_p"]))
    x = logits.clone()
    for step in steps:
        x = step(tokens, x)
    probabilities = torch.softmax(x.double(), -1)[0]
    return {"options": options, "logits": [round(v, 2) for v in logits[0].tolist()], "tokens": tokens[0].tolist(),
            "probabilities": [round(p, 9) for p in probabilities.tolist()]}


def main():
    cases = [
        case(12, temperature=1.0),
        case(12, temperature=0.7),
        case(12, temperature=1.6, repetition_penalty=1.3),
        case(12, temperature=1.0, top_k=1),
        case(12, temperature=1.0, top_k=5),
        case(12, temperature=1.0, top_p=0.3),
        case(40, temperature=1.5, top_p=0.9),
        case(40, temperature=2.0, min_p=0.1),
        case(40, temperature=0.9, top_k=20, top_p=0.95),
        case(40, temperature=1.3, min_p=0.02, top_k=9, top_p=0.8, repetition_penalty=1.7),
        case(40, temperature=3.0, min_p=0.2, top_p=0.7, repetition_penalty=0.8),
    ]
    with open(os.path.join(HERE, "fixtures", "sampler.json"), "w", encoding="utf-8") as out:
        out.write("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")


main()
