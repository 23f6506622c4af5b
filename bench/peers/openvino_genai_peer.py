"""OpenVINO GenAI, asked for by labs/5_frontier/paged_kv/app/bench_engine.c.

    python3 -m venv ov && ov/bin/pip install openvino-genai
    LAB_OPENVINO=$PWD/ov/bin/python ./lab bench engine --peers
Its continuous batching on the GGUF file, with its defaults for the KV cache.
"""
import sys

from serve_engine import serve_engine

try:
    import numpy
    import openvino
    import openvino_genai
except ImportError:
    sys.exit(3)

held = {}    # the pipeline of the latest question


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


def submit(pipeline, number, ids, tokens):
    config = openvino_genai.GenerationConfig()
    config.max_new_tokens = tokens
    config.ignore_eos = True
    return pipeline.add_request(number, openvino.Tensor(numpy.array([ids], dtype=numpy.int64)), config)


serve_engine(open_pipeline, submit, lambda pipeline: pipeline.has_non_finished_requests(),
             name=f"OpenVINO GenAI {openvino_genai.__version__}", libraries=f"Python {sys.version.split()[0]}")
