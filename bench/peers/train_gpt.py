"""Training steps of the networks in bench/networks/gpt.c, asked for by it: a GPT with learned positions, LayerNorm
before, biases, GELU (tanh form), a tied head, no dropout, AdamW, one batch of random tokens in memory.

Attention is scaled_dot_product_attention. AdamW is fused, the best form that PyTorch has on a CPU, and in
"eager, foreach" the one before. "compiled" is torch.compile of the model and its loss.
"""
import shutil
import time

from serve_torch import serve_torch, torch

nn, F = torch.nn, torch.nn.functional


class Block(nn.Module):
    def __init__(self, heads, width):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        B, T, C = x.shape
        q, k, v = (part.view(B, T, self.heads, C // self.heads).transpose(1, 2)
                   for part in self.qkv(self.norm1(x)).split(C, dim=2))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(y.transpose(1, 2).reshape(B, T, C))
        return x + self.down(F.gelu(self.up(self.norm2(x)), approximate="tanh"))


class GPT(nn.Module):
    def __init__(self, layers, heads, width, context, vocabulary):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(vocabulary, width), nn.Embedding(context, width)
        self.blocks = nn.ModuleList(Block(heads, width) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        for p in self.parameters():
            if p.dim() > 1:
                nn.init.normal_(p, std=0.02)

    def forward(self, ids, labels):
        x = self.tokens(ids) + self.positions.weight
        for block in self.blocks:
            x = block(x)
        logits = F.linear(self.norm(x), self.tokens.weight)
        return F.cross_entropy(logits.view(-1, logits.shape[-1]), labels.view(-1))


FORMS = {"eager": {"fused": True}, "eager, foreach": {"foreach": True}, "compiled": {"fused": True}}
made = {}    # by size and form: a step


def trainer(size, form):
    layers, heads, width, context, batch, vocabulary = size
    torch.manual_seed(1)
    model = GPT(layers, heads, width, context, vocabulary)
    step_of = torch.compile(model) if form == "compiled" else model
    ids, labels = (torch.randint(vocabulary, (batch, context)) for _ in range(2))
    adam = torch.optim.AdamW(model.parameters(), lr=3e-4, betas=(0.9, 0.95), weight_decay=0.1,
                             **FORMS[form])

    def step():
        adam.zero_grad(set_to_none=True)
        step_of(ids, labels).backward()
        adam.step()

    return step


def train(request):
    torch.set_num_threads(request["threads"])
    size, form = tuple(request["size"]), request["form"]
    if any(known[0] != size for known in made):
        made.clear()
    if (size, form) not in made:
        made[size, form] = trainer(size, form)
        made[size, form]()
    step = made[size, form]
    step()
    start = time.perf_counter()
    for _ in range(request["calls"]):
        step()
    return time.perf_counter() - start


def works(form):
    if form == "compiled":    # not tried here: the compiler's memory would count as that of all forms
        return hasattr(torch, "compile") and shutil.which("g++") is not None
    try:
        trainer((1, 2, 8, 4, 2, 5), form)()
        return True
    except (RuntimeError, TypeError, ValueError):    # this version has no such form on a CPU
        return False


torch.set_num_threads(1)
serve_torch(train, forms=list(filter(works, FORMS)))
