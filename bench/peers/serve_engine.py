"""serve.py for an engine that serves a batch step by step, asked for by labs/5_frontier/paged_kv/app/bench_engine.c.

Decodes find their prompts in the prefix cache, prefills are new prompts.
"""
import itertools
import random
import time

from serve import serve

numbers = itertools.count()    # of requests


def prompts_of(request):
    for i in range(request["batch"]):
        seed = i if request["work"] == "decode" else None
        yield random.Random(seed).choices(range(1000, 20000), k=request["prompt"])


def serve_engine(open_engine, submit, is_busy, **hello):
    """open_engine(request); submit(engine, number, ids, tokens), whose results live until they are done; is_busy(engine)"""
    def run(request):
        engine = open_engine(request)
        seconds = 0
        for _ in range(request["calls"]):
            held = [submit(engine, next(numbers), ids, request["steps"] + 1) for ids in prompts_of(request)]
            start = time.perf_counter()
            engine.step()    # all prompts, and the first token of each
            if request["work"] == "decode":
                start = time.perf_counter()
                for _ in range(request["steps"]):
                    engine.step()
            seconds += time.perf_counter() - start
            while is_busy(engine):
                engine.step()
            held.clear()
        return seconds

    serve(run, **hello)
