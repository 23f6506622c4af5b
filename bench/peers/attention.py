"""Causal attention by torch.nn.functional.scaled_dot_product_attention, asked for by bench/attention.c.

Its q, k and v are tensors of their own, [B,H,T,D] and contiguous, which it likes best; a model would have to copy
them out of one fused tensor first.
"""
import time

from serve_torch import serve_torch, torch

operands = {}    # the last shape's: made once, not once a round


def attend(request):
    shape = tuple(request["shape"])    # batch, heads, tokens, numbers of a head
    torch.set_num_threads(request["threads"])
    if operands.get("shape") != shape:
        qkv = [(torch.rand(shape) - 0.5).requires_grad_() for _ in range(3)]
        operands.update(shape=shape, qkv=qkv, dy=torch.rand(shape) - 0.5)
    qkv, dy = operands["qkv"], operands["dy"]

    def forward():
        return torch.nn.functional.scaled_dot_product_attention(*qkv, is_causal=True)

    start = time.perf_counter()
    for _ in range(request["calls"]):
        if request["backward"]:
            for x in qkv:
                x.grad = None
            forward().backward(dy)
        else:
            with torch.no_grad():
                forward()
    return time.perf_counter() - start


serve_torch(attend)
