"""Writes row_ops_pytorch.inc: what PyTorch computes of a transformer's rows in float64, and `transformers` of rotary
positions.

    python3 tests/common/make_row_ops_pytorch.py > tests/common/row_ops_pytorch.inc

Tensors are filled by filled() below, as test_row_ops_pytorch.c does; of each result the sum with
unequal weights is kept. The weights are also the gradient that arrives at the output.
"""
import torch
import torch.nn.functional as F
from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding, rotate_half


def filled(shape, seed, grad=True):
    n = torch.Size(shape).numel()
    x = ((torch.arange(n, dtype=torch.float64) * 37 + seed * 101) % 97 - 48) / 32
    return x.reshape(shape).requires_grad_(grad)


def weighted(x):
    return (filled(x.shape, 9, False) * x.detach()).sum().item()


def line(numbers, results):
    print("    {{" + ", ".join(map(str, numbers)) + "}, {" + ", ".join("%.17g" % r for r in results) + "}},")


def backward(y, *inputs):
    y.backward(filled(y.shape, 9, False))
    return [weighted(t) for t in (y, *(x.grad for x in inputs))]


print("// By make_row_ops_pytorch.py with PyTorch " + torch.__version__.split("+")[0] + ".")
print("// clang-format off")
SHAPES = [(1, 1, 5), (2, 3, 16), (1, 7, 33), (3, 5, 100)]    # batch, time, width
print("static const RowCase layer_norms[] = {    // sums of y, dx, dgamma, dshift")
for c in SHAPES:
    x, w, b = filled(c, 1), filled(c[2:], 2), filled(c[2:], 3)
    line(c, backward(F.layer_norm(x, c[2:], w, b, 1e-5), x, w, b))
print("};\n")
print("static const RowCase rms_norms[] = {    // sums of y, dx, dgamma")
for c in SHAPES:
    x, w = filled(c, 1), filled(c[2:], 2)
    line(c, backward(F.rms_norm(x, c[2:], w, 1e-5), x, w))
print("};\n")
print("static const RowCase gates[] = {    // GELU by tanh, GELU, SiLU: sums of y, dx; SwiGLU of [...,2 width]: the same")
for c in SHAPES:
    results = []
    for gate in (lambda x: F.gelu(x, approximate="tanh"), F.gelu, F.silu):
        x = filled(c, 1)
        results += backward(gate(3 * x), x)
    x = filled((*c[:2], 2 * c[2]), 1)
    gate, up = x.chunk(2, dim=-1)
    line(c, results + backward(F.silu(gate) * up, x))
print("};\n")
print("static const RowCase losses[] = {    // rows, width, classes; every third label is ignored: loss, dx, dw")
for rows, width, classes in [(1, 3, 4), (7, 5, 11), (30, 16, 65)]:
    x, w = filled((rows, width), 1), filled((classes, width), 2)
    labels = torch.tensor([-100 if i % 3 == 1 else i * 7 % classes for i in range(rows)])
    loss = F.cross_entropy(x @ w.T, labels)
    loss.backward()
    line((rows, width, classes), [loss.item(), weighted(x.grad), weighted(w.grad)])
print("};\n")
print("static const RowCase embeddings[] = {    // tokens, width, vocabulary: sums of y, dtable")
for tokens, width, vocabulary in [(1, 1, 1), (9, 5, 4), (40, 16, 65)]:
    table = filled((vocabulary, width), 1)
    line((tokens, width, vocabulary),
         backward(F.embedding(torch.tensor([i * 7 % vocabulary for i in range(tokens)]), table), table))
print("};\n")
ROPES = [    # kind, theta, factor, original positions, low and high frequency factor
    ("default", 10000, 0, 0, 0, 0), ("linear", 10000, 4, 0, 0, 0), ("llama3", 500000, 8, 64, 1, 4),
    ("yarn", 10000, 4, 64, 0, 0), ("yarn", 1000000, 2.5, 32, 0, 0),
]
print("static const RopeCase ropes[] = {    // x [1,T,2 heads of `head`], halves: sums of y, dx")
for kind, (name, theta, factor, original, low, high) in enumerate(ROPES):
    for head in (8, 64):
        time, first = 50, 70
        parameters = {"rope_type": name, "rope_theta": float(theta)}
        if factor:
            parameters["factor"] = float(factor)
        if original:
            parameters["original_max_position_embeddings"] = original
        if low:
            parameters.update(low_freq_factor=float(low), high_freq_factor=float(high))
        config = LlamaConfig(hidden_size=2 * head, num_attention_heads=2, head_dim=head, rope_parameters=parameters,
                             max_position_embeddings=256)
        rope = LlamaRotaryEmbedding(config)
        cosine, sine = rope(torch.zeros(1), torch.arange(first, first + time)[None])
        x = filled((1, time, 2, head), 1)
        y = x * cosine[:, :, None].double() + rotate_half(x) * sine[:, :, None].double()
        kinds = {"default": "ROPE_PLAIN", "linear": "ROPE_LINEAR", "llama3": "ROPE_LLAMA3", "yarn": "ROPE_YARN"}
        results = ", ".join("%.17g" % r for r in backward(y, x))
        print("    {%s, %d, %d, %d, %g, %g, %d, %g, %g, {%s}}," % (kinds[name], head, time, first, theta, factor,
                                                               original, low, high, results))
print("};")
