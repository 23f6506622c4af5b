"""make_traces.py -- the lengths of two published benchmarks, as traces: fixtures/*.jsonl.

    python3 make_traces.py m4-pro-qwen3-4b-week3-serving-mlx-0.32.0.json

nano-vllm (github.com/GeeeekExplorer/nano-vllm, bench.py, commit bb823b3): random lengths of seed 0; its README
reports 133,966 output tokens. tiny-llm (github.com/skyzh/tiny-llm, commit 1078c08): the trace in the file
given, one of its benchmark_results/.
"""
import json
import sys
from pathlib import Path
from random import randint, seed

here = Path(__file__).parent / "fixtures"


def write(name, lengths):
    with open(here / name, "w") as file:
        for prompt, output in lengths:
            line = {"timestamp": 0, "input_length": prompt, "output_length": output}
            file.write(json.dumps(line) + "\n")


seed(0)
prompts = [[randint(0, 10000) for _ in range(randint(100, 1024))] for _ in range(256)]
outputs = [randint(100, 1024) for _ in range(256)]
write("nano_vllm.jsonl", zip(map(len, prompts), outputs))

trace = json.load(open(sys.argv[1]))["request_trace"]
write("tiny_llm.jsonl", ((len(r["prompt_token_ids"]), r["max_new_tokens"]) for r in trace))
