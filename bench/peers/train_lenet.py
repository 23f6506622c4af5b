"""Training steps of the network in bench/networks/lenet.c, asked for by it: LeNet's form, SGD with momentum,
cross-entropy, batch 64, one fixed batch in memory.

SGD has up to three forms in PyTorch: a loop over the parameters, "foreach" (one call for all), and
"fused" (one kernel). Every form that this version has on a CPU is timed, and the best one counts. Each
also in the memory format channels_last, which oneDNN prefers for some shapes.
"""
import time

from serve_torch import serve_torch, torch

BATCH, RATE, MOMENTUM = 64, 0.01, 0.9


def trainer(last=False, **form):
    """A function that takes one training step, of a new network that has taken one already."""
    nn = torch.nn
    torch.manual_seed(1)
    model = nn.Sequential(nn.Conv2d(1, 20, 5), nn.ReLU(), nn.MaxPool2d(2),
                          nn.Conv2d(20, 50, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                          nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, 10))
    x, label = torch.rand(BATCH, 1, 28, 28), torch.randint(10, (BATCH,))
    if last:
        model, x = (it.to(memory_format=torch.channels_last) for it in (model, x))
    sgd = torch.optim.SGD(model.parameters(), lr=RATE, momentum=MOMENTUM, **form)
    loss = nn.CrossEntropyLoss()

    def step():
        sgd.zero_grad(set_to_none=True)
        loss(model(x), label).backward()
        sgd.step()

    step()
    return step


FORMS = {"loop": {"foreach": False}, "foreach": {"foreach": True}, "fused": {"fused": True},
         "channels last": {"foreach": False, "last": True}}


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
