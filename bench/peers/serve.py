"""The script's half of bench/peer.h: one line of JSON in, one line out, and quiet in between."""
import json
import re
import sys
import time

try:
    import torch
except ImportError:
    sys.exit(3)    # the caller reads no hello, and tries the next Python


def library_versions():
    """The libraries that do PyTorch's arithmetic: what it says of itself, and what it loaded."""
    try:
        with open("/proc/self/maps") as maps:
            names = {line.split("/")[-1].strip() for line in maps if "/" in line}
    except OSError:
        names = set()
    known = re.compile(r"lib(openblas|blas|blis|mkl|dnnl|gomp|iomp|omp)")
    stated = [line.strip(" -").split(" for ")[0]
              for line in torch.__config__.show().splitlines() if "Library Version" in line]
    return ", ".join(stated + sorted(filter(known.match, names)))


def wait_until_quiet():
    for _ in range(200):
        before = time.process_time()
        time.sleep(0.01)
        if time.process_time() - before < 1e-3:
            return
    raise RuntimeError("idle threads still use the processor; try OMP_WAIT_POLICY=passive")


def serve(work, **hello):
    """work(request) returns the seconds it took."""
    hello.update(name="PyTorch " + torch.__version__, libraries=library_versions())
    print(json.dumps(hello), flush=True)
    for line in sys.stdin:
        try:
            seconds = work(json.loads(line))
            wait_until_quiet()
            answer = {"seconds": seconds}
        except Exception as error:    # the other side prints it
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)
