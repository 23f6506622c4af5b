"""Matrix products by torch.mm, asked for by bench/sgemm.c."""
import time

from serve_torch import serve_torch, torch

operands = {}    # the last shape's: made once, not once a round


def multiply(request):
    kind, m, n, k = (request[key] for key in ("kind", "m", "n", "k"))
    torch.set_num_threads(request["threads"])
    if operands.get("shape") != (kind, m, n, k):
        a = torch.rand(k, m).t() if kind == "TN" else torch.rand(m, k)
        b = torch.rand(n, k).t() if kind == "NT" else torch.rand(k, n)
        operands.update(shape=(kind, m, n, k), a=a, b=b, c=torch.empty(m, n))
    a, b, c = operands["a"], operands["b"], operands["c"]
    start = time.perf_counter()
    for _ in range(request["calls"]):
        torch.mm(a, b, out=c)
    return time.perf_counter() - start


serve_torch(multiply)
