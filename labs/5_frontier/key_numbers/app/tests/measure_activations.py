#!/usr/bin/env python3
"""What PyTorch keeps of one block for the backward pass, beside what kn_activation_bytes() says.

    measure_activations.py        (needs torch and transformers; runs on a CPU, in seconds)

Counted are the bytes of all tensors that autograd saves in a forward pass, each storage once, without
parameters. The difference from the formula is then put down to what it is, in bytes a token; what
remains is printed last, and should be nothing.
"""
import torch
from torch import nn
from torch.nn import functional as F
from transformers import GPT2Config, LlamaConfig
from transformers.models.gpt2.modeling_gpt2 import GPT2Block
from transformers.models.llama.modeling_llama import LlamaDecoderLayer, LlamaRotaryEmbedding


class Fused(nn.Module):
    """A block of functions that keep nothing but their input, as the formula has it."""

    def __init__(self, h, a, f):
        super().__init__()
        self.a = a
        self.norm_1, self.norm_2 = nn.LayerNorm(h), nn.LayerNorm(h)
        self.qkv, self.o = nn.Linear(h, 3 * h), nn.Linear(h, h)
        self.up, self.down = nn.Linear(h, f), nn.Linear(f, h)

    def forward(self, x):
        b, s, h = x.shape
        q, k, v = (t.view(b, s, self.a, -1).transpose(1, 2) for t in self.qkv(self.norm_1(x)).split(h, -1))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.o(y.transpose(1, 2).reshape(b, s, h))
        return x + self.down(F.gelu(self.up(self.norm_2(x))))


def saved_bytes(block, x, **arguments):
    parameters = {p.untyped_storage().data_ptr() for p in block.parameters()}
    storages = {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in parameters:
            storages[storage.data_ptr()] = storage    # kept, so that its address is not used again
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        block(x, **arguments)
    return sum(storage.nbytes() for storage in storages.values())


def formula(h, a, k, f, s, gated, flash, dropout):
    """Bytes a token: exercise 10, without parallelism."""
    d = h // a
    scores = 4 * a if flash else (5 if dropout else 2) * a * s
    return (10 if dropout else 8) * h + 4 * (a + k) * d + 2 * (3 if gated else 2) * f + scores


def gpt2(h, a, f, s, kind, dropout):
    config = GPT2Config(n_embd=h, n_head=a, n_inner=f, n_positions=s, attn_implementation=kind,
                        resid_pdrop=dropout, attn_pdrop=dropout)
    beyond = {"GELU in steps: four tensors for one": 6 * f, "mean and 1/sigma of two norms, bf16": 8}
    if kind == "eager":
        beyond["the causal mask, a byte each"] = s
    if dropout > 0:
        beyond["masks of 2 bytes instead of 1 (on a CPU)"] = 2 * h + a * s + 2 / s
    return GPT2Block(config, 0), {}, beyond


def llama(h, a, k, f, s, kind):
    config = LlamaConfig(hidden_size=h, num_attention_heads=a, num_key_value_heads=k, intermediate_size=f,
                         attn_implementation=kind)
    place = torch.arange(s)[None]
    angles = LlamaRotaryEmbedding(config)(torch.zeros(1, dtype=torch.bfloat16), place)
    mask = torch.full((1, 1, s, s), float("-inf"), dtype=torch.bfloat16).triu(1) if kind == "eager" else None
    beyond = {"RMSNorm: its input as fp32": 4 * h, "RMSNorm: normed, before its weight": 4 * h,
              "RMSNorm: 1/sigma": 8, "silu(gate) beside gate": 2 * f, "cos and sin": 4 * (h // a)}
    if kind == "eager":
        beyond["softmax in fp32, and again in bf16"] = 4 * a * s
        beyond["keys and values repeated for all heads"] = 4 * (a - k) * (h // a)
    return LlamaDecoderLayer(config, 0), dict(attention_mask=mask, position_embeddings=angles), beyond


def report(name, h, a, k, f, s, gated, flash, dropout, made):
    block, arguments, beyond = made
    x = torch.randn(1, s, h, dtype=torch.bfloat16, requires_grad=True)
    measured = saved_bytes(block.to(torch.bfloat16).train(), x, **arguments) / s
    said = formula(h, a, k, f, s, gated, flash, dropout)
    print(f"{name}, h={h} a={a} k={k} f={f} s={s}: bytes a token\n    {measured:12.2f}  measured\n    {said:12.2f}  formula")
    for what, bytes_ in beyond.items():
        print(f"    {bytes_:12.2f}  {what}")
    print(f"    {measured - said - sum(beyond.values()):12.2f}  unexplained\n")


torch.manual_seed(0)
for h, a, k, s in (512, 8, 8, 256), (768, 12, 4, 512), (1024, 16, 2, 384):
    f, g = 4 * h, 7 * h // 2
    report("fused block", h, a, a, f, s, False, True, False,
           (Fused(h, a, f), {}, {"mean and 1/sigma of two norms, bf16": 8}))
    report("GPT2Block, sdpa, no dropout", h, a, a, f, s, False, True, False, gpt2(h, a, f, s, "sdpa", 0.0))
    report("GPT2Block, eager, dropout", h, a, a, f, s, False, False, True, gpt2(h, a, f, s, "eager", 0.1))
    report("LlamaDecoderLayer, sdpa", h, a, k, g, s, True, True, False, llama(h, a, k, g, s, "sdpa"))
    report("LlamaDecoderLayer, eager", h, a, k, g, s, True, False, False, llama(h, a, k, g, s, "eager"))
