"""Prints what the cases of check_*.c hold the exercises against: PyTorch's and transformers' values, in double.

    python3 check_values.py    # torch 2.15, transformers 5.24

Inputs are sin(first), sin(first + 1), ...: waves() in check.c.
"""
import torch
import torch.nn.functional as F
from transformers import (GPT2Config, LlamaConfig, TemperatureLogitsWarper, TopKLogitsWarper,
                          TopPLogitsWarper)
from transformers.models.gpt2.modeling_gpt2 import GPT2Block
from transformers.models.llama.modeling_llama import (LlamaDecoderLayer, LlamaRotaryEmbedding,
                                                      apply_rotary_pos_emb)

torch.set_default_dtype(torch.float64)


def waves(shape, first=0.0, scale=1.0, offset=0.0):
    count = torch.Size(shape).numel()
    return (offset + scale * torch.sin(first + torch.arange(count))).view(shape)


def half(shape, first):
    return waves(shape, first, 0.5)


def show(name, values):
    print(f"{name}: " + ", ".join(f"{v:.9g}" for v in values.detach().flatten().tolist()))


def show_gradients(y, dy, **inputs):
    y.backward(dy)
    for name, x in inputs.items():
        show("  " + name, x.grad)


def wanted(x):
    return x.clone().requires_grad_()


def attention():
    q, k, v = (wanted(waves((3, 2), first)) for first in (0, 10, 20))
    y = F.scaled_dot_product_attention(q[None], k[None], v[None], is_causal=True)[0]
    show("attention", y)
    show_gradients(y, waves((3, 2), 30), dq=q, dk=k, dv=v)
    qkv = waves((3, 8, 2)).transpose(0, 1)[None]    # H 4, KV 2, D 2
    y = F.scaled_dot_product_attention(qkv[:, :4], qkv[:, 4:6], qkv[:, 6:], is_causal=True,
                                       enable_gqa=True)
    show("multi_head", y[0].transpose(0, 1))


def norms():
    for layer in True, False:
        x, gamma, shift = wanted(waves((2, 4))), wanted(waves((4,), 40, 0.5, 1)), wanted(waves((4,), 50))
        y = F.layer_norm(x, (4,), gamma, shift, 1e-5) if layer else F.rms_norm(x, (4,), gamma, 1e-5)
        show("layer_norm" if layer else "rms_norm", y)
        show_gradients(y, waves((2, 4), 30), dx=x, dgamma=gamma, **({"dshift": shift} if layer else {}))


def feed_forward():
    x = wanted(torch.tensor([-3, -1, -0.5, 0, 0.5, 1, 3]))
    y = F.gelu(x, approximate="tanh")
    show("gelu", y)
    show_gradients(y, torch.ones(7), dx=x)
    x = wanted(waves((2, 4)))
    y = F.silu(x[:, :2]) * x[:, 2:]
    show("swiglu", y)
    show_gradients(y, waves((2, 2), 30), dgate_up=x)
    x, down = waves((2, 2)), waves((2, 3), 30)
    hidden = F.linear(x, waves((3, 2), 10), waves((3,), 20))
    show("feed_forward", F.linear(F.gelu(hidden, approximate="tanh"), down, waves((2,), 40)))
    hidden = F.linear(x, waves((6, 2), 10))
    show("feed_forward, gated", F.linear(F.silu(hidden[:, :3]) * hidden[:, 3:], down))


def positions(config):
    x, at = waves((1, 1, 3, 4)), torch.tensor([[0, 1, 5]])
    cos, sin = LlamaRotaryEmbedding(config)(x, at)
    show("rope, halves", apply_rotary_pos_emb(x, x, cos, sin)[0])
    angle = torch.outer(at[0].double(), 1 / 10000 ** (torch.arange(0, 4, 2).double() / 4))
    turned = torch.view_as_complex(waves((3, 2, 2))) * torch.polar(torch.ones_like(angle), angle)
    show("rope, interleaved", torch.view_as_real(turned))


def put(**weights):
    for to, values in weights.values():
        to.copy_(values)


@torch.no_grad()
def blocks(config):
    mask = torch.full((3, 3), float("-inf")).triu(1)[None, None]
    x, at = waves((1, 3, 8)), torch.arange(3)[None]
    llama = LlamaDecoderLayer(config, 0).double().eval()
    qkv, gate_up = half((16, 8), 10), half((12, 8), 30)
    put(q=(llama.self_attn.q_proj.weight, qkv[:8]), k=(llama.self_attn.k_proj.weight, qkv[8:12]),
        v=(llama.self_attn.v_proj.weight, qkv[12:]),
        out=(llama.self_attn.o_proj.weight, half((8, 8), 20)),
        gate=(llama.mlp.gate_proj.weight, gate_up[:6]), up=(llama.mlp.up_proj.weight, gate_up[6:]),
        down=(llama.mlp.down_proj.weight, half((8, 6), 40)),
        norm1=(llama.input_layernorm.weight, waves((8,), 50, 0.5, 1)),
        norm2=(llama.post_attention_layernorm.weight, waves((8,), 60, 0.5, 1)))
    y = llama(x, attention_mask=mask, position_ids=at,
              position_embeddings=LlamaRotaryEmbedding(config)(x, at))
    show("block, LLaMA", y[0] if isinstance(y, tuple) else y)

    gpt2 = GPT2Block(GPT2Config(n_embd=8, n_head=2, n_inner=6, attn_pdrop=0, resid_pdrop=0,
                                layer_norm_epsilon=1e-5, _attn_implementation="eager"), 0).double().eval()
    put(qkv=(gpt2.attn.c_attn.weight, half((24, 8), 10).t()), qkv_bias=(gpt2.attn.c_attn.bias, half((24,), 15)),
        out=(gpt2.attn.c_proj.weight, half((8, 8), 20).t()), out_bias=(gpt2.attn.c_proj.bias, half((8,), 25)),
        up=(gpt2.mlp.c_fc.weight, half((6, 8), 30).t()), up_bias=(gpt2.mlp.c_fc.bias, half((6,), 35)),
        down=(gpt2.mlp.c_proj.weight, half((8, 6), 40).t()), down_bias=(gpt2.mlp.c_proj.bias, half((8,), 45)),
        gamma1=(gpt2.ln_1.weight, waves((8,), 50, 0.5, 1)), shift1=(gpt2.ln_1.bias, half((8,), 55)),
        gamma2=(gpt2.ln_2.weight, waves((8,), 60, 0.5, 1)), shift2=(gpt2.ln_2.bias, half((8,), 65)))
    y = gpt2(x, attention_mask=mask)
    show("block, GPT-2", y[0] if isinstance(y, tuple) else y)


def training():
    z = wanted(waves((3, 4)))
    loss = F.cross_entropy(z, torch.tensor([2, -100, 0]))
    show("cross_entropy", loss)
    show_gradients(loss, None, dz=z)
    p = torch.tensor([1.0, -2.0, 0.5], requires_grad=True)
    adam = torch.optim.AdamW([p], lr=0.125, betas=(0.875, 0.96875), eps=2.0**-10, weight_decay=0.25)
    for t in range(3):
        p.grad = waves((3,), t)
        adam.step()
        show(f"adamw, step {t + 1}", p)
    show("  m", adam.state[p]["exp_avg"])
    show("  v", adam.state[p]["exp_avg_sq"])


def sampling():
    z = TemperatureLogitsWarper(0.5)(None, waves((1, 6), 0, 2))
    show("temperature", z.softmax(-1))
    show("top_k", TopKLogitsWarper(3)(None, z).softmax(-1))
    show("top_p", TopPLogitsWarper(0.8)(None, z).softmax(-1))


llama = LlamaConfig(hidden_size=8, num_attention_heads=2, num_key_value_heads=1, intermediate_size=6,
                    rms_norm_eps=1e-5, attention_bias=False, _attn_implementation="eager")
attention()
norms()
positions(llama)
feed_forward()
blocks(llama)
training()
sampling()
