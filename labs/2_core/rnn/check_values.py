"""Prints check_values.h: what PyTorch computes in double of the inputs of problem_waves() in check.c.

    python3 check_values.py > check_values.h    # torch 2.15

PyTorch has two biases for each gate, which are added: the second is 0 here, but for that of a GRU's n.
"""
import torch

torch.set_default_dtype(torch.float64)
T, B, I, H = 3, 2, 2, 2


def waves(shape, first):
    count = torch.Size(shape).numel()
    return torch.sin(first + torch.arange(count, dtype=torch.float64)).float().double().view(shape)


def show(name, values):
    numbers = ", ".join(f"{v:.12g}" for v in values.detach().flatten().tolist())
    print(f"static const double {name}[] = {{{numbers}}};")


def run(name, kind, gates):
    layer = kind(I, H)
    with torch.no_grad():
        layer.weight_ih_l0.copy_(waves((gates * H, I), 10))
        layer.weight_hh_l0.copy_(waves((gates * H, H), 40))
        layer.bias_ih_l0.copy_(waves((gates * H,), 70))
        layer.bias_hh_l0.zero_()
        if gates == 3:
            layer.bias_hh_l0[2 * H:] = waves((H,), 80)
    x, h0 = waves((T, B, I), 0).requires_grad_(), waves((1, B, H), 90).requires_grad_()
    c0 = waves((1, B, H), 100).requires_grad_()
    h, last = layer(x, (h0, c0) if gates == 4 else h0)
    h.backward(waves((T, B, H), 110))
    show(f"{name}_h", h)
    if gates == 4:
        show(f"{name}_last_c", last[1])
        show(f"{name}_dc0", c0.grad)
    for what, of in ("dx", x), ("dh0", h0), ("dw", layer.weight_ih_l0), ("du", layer.weight_hh_l0), (
            "db", layer.bias_ih_l0):
        show(f"{name}_{what}", of.grad)
    if gates == 3:
        show(f"{name}_dn", layer.bias_hh_l0.grad[2 * H:])


def attention():
    q, e = waves((3, 2, 2), 0).requires_grad_(), waves((4, 2, 2), 20).requires_grad_()
    length = torch.tensor([4, 2])
    hidden = torch.arange(4)[None, :] >= length[:, None]                      # [B,S]
    y = torch.nn.functional.scaled_dot_product_attention(
        q.transpose(0, 1), e.transpose(0, 1), e.transpose(0, 1), attn_mask=~hidden[:, None, :],
        scale=1.0).transpose(0, 1)
    y.backward(waves((3, 2, 2), 40))
    show("attention_y", y)
    show("attention_dq", q.grad)
    show("attention_de", e.grad)


def bidirectional():
    layer = torch.nn.RNN(I, H, bidirectional=True)
    with torch.no_grad():
        for end, first in ("", 10), ("_reverse", 14):
            getattr(layer, f"weight_ih_l0{end}").copy_(waves((H, I), first))
            getattr(layer, f"weight_hh_l0{end}").copy_(waves((H, H), first + 30))
            getattr(layer, f"bias_ih_l0{end}").copy_(waves((H,), first + 60))
            getattr(layer, f"bias_hh_l0{end}").zero_()
    packed = torch.nn.utils.rnn.pack_padded_sequence(waves((T, B, I), 0), torch.tensor([3, 2]))
    show("bidirectional_y", torch.nn.utils.rnn.pad_packed_sequence(layer(packed)[0])[0])


def loss():
    z = waves((3, 2, 4), 0).requires_grad_()
    value = torch.nn.functional.cross_entropy(z.view(6, 4), torch.tensor([1, 3, 0, -1, 2, -1]),
                                              ignore_index=-1)
    value.backward()
    show("loss_value", value)
    show("loss_dz", z.grad)


print("/* check_values.h -- PyTorch's values; made by check_values.py. */")
print("#pragma once\n// clang-format off")
run("elman", torch.nn.RNN, 1)
run("lstm", torch.nn.LSTM, 4)
run("gru", torch.nn.GRU, 3)
bidirectional()
loss()
attention()
print("// clang-format on")
