"""Steps of CD-1 of the machine in labs/2_core/boltzmann/bench_rbm.c, asked for by it: 784 and 500 units,
batch 100 of zeros and ones, plain gradient ascent, one fixed batch in memory.

PyTorch has no RBM: this is how it is written by hand, with products that add into the weights in place
and without autograd. A sample is drawn by torch.bernoulli or by comparing with torch.rand; each also
compiled, where that works. The best one counts.
"""
import time

from serve_torch import serve_torch, torch

VISIBLE, HIDDEN, BATCH, RATE = 784, 500, 100, 0.05


def by_bernoulli(p):
    return torch.bernoulli(p)


def by_comparison(p):
    return (torch.rand_like(p) < p).to(p.dtype)


def statistics(w, b, c, v0, sample):
    h0 = torch.sigmoid(torch.addmm(c, v0, w.t()))
    v = torch.sigmoid(torch.addmm(b, sample(h0), w))
    v1 = sample(v)
    h1 = torch.sigmoid(torch.addmm(c, v1, w.t()))
    return h0, v1, h1, ((v - v0) ** 2).sum() / BATCH


def trainer(sample, compiled):
    """A function that takes one step, of a new machine that has taken one already."""
    torch.manual_seed(1)
    w, b, c = 0.01 * torch.randn(HIDDEN, VISIBLE), torch.zeros(VISIBLE), torch.zeros(HIDDEN)
    v0 = (torch.rand(BATCH, VISIBLE) < 0.2).float()
    forward = torch.compile(statistics) if compiled else statistics
    rate = RATE / BATCH

    def step():
        h0, v1, h1, error = forward(w, b, c, v0, sample)
        w.addmm_(h0.t(), v0, alpha=rate)
        w.addmm_(h1.t(), v1, alpha=-rate)
        b.add_((v0 - v1).sum(0), alpha=rate)
        c.add_((h0 - h1).sum(0), alpha=rate)
        return error.item()

    with torch.no_grad():
        step()
    return step


FORMS = {"bernoulli": (by_bernoulli, False), "comparison": (by_comparison, False),
         "comparison, compiled": (by_comparison, True)}


def works(form):
    try:
        return bool(trainer(*FORMS[form]))
    except Exception:    # torch.compile fails in many ways where there is no compiler
        return False


def train(request):
    torch.set_num_threads(request["threads"])
    step = trainer(*FORMS[request["form"]])
    with torch.no_grad():
        start = time.perf_counter()
        for _ in range(request["calls"]):
            step()
        return time.perf_counter() - start


serve_torch(train, forms=list(filter(works, FORMS)))
