"""OpenVINO GenAI, asked for by labs/5_frontier/paged_kv/app/bench_engine.c.

    python3 -m venv ov && ov/bin/pip install openvino-genai
    LAB_OPENVINO=$PWD/ov/bin/python ./lab bench engine --peers
Its continuous batching on the GGUF file, with its defaults for the KV cache. Decodes find their
prompts in the prefix cache, prefills are new prompts.
"""
import random
import sys
import time

from serve import serve

try:
    import numpy
    import openvino
    import openvino_genai
except ImportError:
    sys.exit(3)

held = {}    # the pipeline of the latest question
count = 0


def open_pipeline(request):
    key = (request["model"], request["threads"])
    if held.get("key") != key:
        held.clear()
        scheduler = openvino_genai.SchedulerConfig()
        scheduler.cache_size = 1    # GiB
        scheduler.max_num_batched_tokens = 4096    # the prompts of a batch in one step
        scheduler.max_num_seqs = 64
        scheduler.enable_prefix_caching = True
        pipeline = openvino_genai.ContinuousBatchingPipeline(request["model"], scheduler, "CPU",
                                                             {"INFERENCE_NUM_THREADS": request["threads"]})
        held.update(key=key, pipeline=pipeline)
    return held["pipeline"]


def prompt_of(request, i):
    seed = i if request["work"] == "decode" else None
    return random.Random(seed).choices(range(1000, 20000), k=request["prompt"])


def submit(pipeline, request):
    global count
    config = openvino_genai.GenerationConfig()
    config.max_new_tokens = request["steps"] + 1
    config.ignore_eos = True
    handles = []
    for i in range(request["batch"]):
        ids = numpy.array([prompt_of(request, i)], dtype=numpy.int64)
        handles.append(pipeline.add_request(count, openvino.Tensor(ids), config))
        count += 1
    return handles


def run(request):
    pipeline = open_pipeline(request)
    seconds = 0
    for _ in range(request["calls"]):
        handles = submit(pipeline, request)
        start = time.perf_counter()
        pipeline.step()    # all prompts, and the first token of each
        if request["work"] == "decode":
            start = time.perf_counter()
            for _ in range(request["steps"]):
                pipeline.step()
        seconds += time.perf_counter() - start
        while pipeline.has_non_finished_requests():
            pipeline.step()
        del handles
    return seconds


serve(run, name=f"OpenVINO GenAI {openvino_genai.__version__}", libraries=f"Python {sys.version.split()[0]}")
