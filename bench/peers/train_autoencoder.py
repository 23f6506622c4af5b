"""Training steps of the network in bench/networks/autoencoder.c, asked for by it: 784-256-64-256-784,
relu and a sigmoid at the end, Adam, mean squared error, batch 128, one fixed batch in memory.

Adam has up to three forms in PyTorch: a loop over the parameters, "foreach" (one call for all), and
"fused" (one kernel). Every form that this version has on a CPU is timed, and the best one counts.
"""
import time

from serve_torch import serve_torch, torch

WIDTHS, BATCH, RATE = (784, 256, 64, 256, 784), 128, 1e-3


def trainer(**form):
    """A function that takes one training step, of a new network that has taken one already."""
    torch.manual_seed(1)
    layers = []
    for i in range(4):
        layers += [torch.nn.Linear(WIDTHS[i], WIDTHS[i + 1]), torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1], torch.nn.Sigmoid())
    x = torch.rand(BATCH, WIDTHS[0])
    adam, loss = torch.optim.Adam(model.parameters(), lr=RATE, **form), torch.nn.MSELoss()

    def step():
        adam.zero_grad(set_to_none=True)
        loss(model(x), x).backward()
        adam.step()

    step()
    return step


FORMS = {"loop": {"foreach": False}, "foreach": {"foreach": True}, "fused": {"fused": True}}


def works(form):
    try:
        return bool(trainer(**FORMS[form]))
    except (RuntimeError, TypeError, ValueError):    # this version has no such form on a CPU
        return False


def train(request):
    torch.set_num_threads(request["threads"])
    step = trainer(**FORMS[request["form"]])
    start = time.perf_counter()
    for _ in range(request["calls"]):
        step()
    return time.perf_counter() - start


serve_torch(train, forms=list(filter(works, FORMS)))
