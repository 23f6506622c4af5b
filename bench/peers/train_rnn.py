"""Training steps of the networks in bench/networks/rnn.c, asked for by it: embedding, nn.LSTM or nn.GRU, a linear
head, cross-entropy, gradients clipped at 1, one batch of random tokens in memory.

"time first" and "batch first" are the two layouts of nn.LSTM; Adam is fused, the best form that PyTorch has on a CPU,
and in "foreach" the one before.
"""
import time

from serve_torch import serve_torch, torch

T, B, V, E = 64, 32, 65, 128
FORMS = {"time first": {"fused": True}, "batch first": {"fused": True}, "foreach": {"foreach": True}}
nn = torch.nn
made = {}    # by size and form: a step


def trainer(size, form):
    gates, layers, hidden = size
    torch.manual_seed(1)
    batch_first = form == "batch first"
    embedding, out = nn.Embedding(V, E), nn.Linear(hidden, V)
    rnn = (nn.LSTM if gates == 4 else nn.GRU)(E, hidden, layers, batch_first=batch_first)
    parameters = [p for m in (embedding, rnn, out) for p in m.parameters()]
    adam = torch.optim.Adam(parameters, lr=2e-3, **FORMS[form])
    ids, labels = (torch.randint(V, (B, T) if batch_first else (T, B)) for _ in range(2))
    loss = nn.CrossEntropyLoss()

    def step():
        adam.zero_grad(set_to_none=True)
        loss(out(rnn(embedding(ids))[0]).flatten(0, 1), labels.flatten()).backward()
        nn.utils.clip_grad_norm_(parameters, 1)
        adam.step()

    step()
    return step


def train(request):
    torch.set_num_threads(request["threads"])
    key = tuple(request["size"]), request["form"]
    if key not in made:
        made[key] = trainer(*key)
    step = made[key]
    start = time.perf_counter()
    for _ in range(request["calls"]):
        step()
    return time.perf_counter() - start


serve_torch(train, forms=list(FORMS))
