"""The script's half of bench/peer.h: one line of JSON in, one line out, and quiet in between."""
import json
import re
import sys
import time


def loaded_libraries():
    """Those that do arithmetic, of what this process has loaded."""
    try:
        with open("/proc/self/maps") as maps:
            names = {line.split("/")[-1].strip() for line in maps if "/" in line}
    except OSError:
        names = set()
    known = re.compile(r"lib(openblas|blas|blis|mkl|dnnl|gomp|iomp|omp)")
    return sorted(filter(known.match, names))


def wait_until_quiet():
    for _ in range(200):
        before = time.process_time()
        time.sleep(0.01)
        if time.process_time() - before < 1e-3:
            return
    raise RuntimeError("idle threads still use the processor; try OMP_WAIT_POLICY=passive")


def serve(work, **hello):
    """work(request) returns the seconds it took, or those and the MB by which it has grown."""
    print(json.dumps(hello), flush=True)
    for line in sys.stdin:
        try:
            seconds = work(json.loads(line))
            wait_until_quiet()
            answer = dict(zip(("seconds", "grown_mb"),
                              seconds if isinstance(seconds, tuple) else (seconds,)))
        except Exception as error:    # the other side prints it
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)
