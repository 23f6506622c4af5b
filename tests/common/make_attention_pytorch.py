"""Writes attention_pytorch.inc: PyTorch's scaled_dot_product_attention and its gradients, in float64.

    python3 tests/common/make_attention_pytorch.py > tests/common/attention_pytorch.inc

Tensors are filled, and results summed, by pytorch_sums.py.
"""
import torch
from torch.nn.functional import scaled_dot_product_attention

from pytorch_sums import filled, head, line, weighted

# batch, tokens, heads, key and value heads, numbers of a head
TRAINING = [
    (1, 1, 1, 1, 1), (1, 2, 1, 1, 3), (2, 7, 3, 3, 5), (1, 13, 4, 2, 8), (2, 16, 4, 1, 16), (1, 31, 2, 2, 64),
    (1, 65, 2, 1, 33), (2, 64, 4, 4, 32), (1, 97, 3, 3, 17), (1, 130, 6, 2, 16), (1, 257, 1, 1, 64), (3, 11, 8, 8, 2),
]
# tokens in the cache, new tokens, heads, key and value heads, numbers of a head
CACHED = [(0, 1, 1, 1, 3), (1, 1, 2, 1, 4), (9, 1, 4, 2, 16), (63, 2, 4, 4, 8), (70, 17, 6, 2, 5), (299, 1, 8, 1, 64)]


def attend(qkv, new, heads, kv_heads, width):
    """The last `new` tokens of qkv [B,T,(heads + 2 kv_heads) width] attend to all: [B,new,heads width]."""
    batch, tokens, _ = qkv.shape
    q, k, v = (part.unflatten(-1, (-1, width)).transpose(1, 2) for part in
               qkv.split((heads * width, kv_heads * width, kv_heads * width), -1))
    mask = torch.ones(tokens, tokens, dtype=torch.bool).tril()[-new:]
    y = scaled_dot_product_attention(q[:, :, -new:], k, v, attn_mask=mask, enable_gqa=True)
    return y.transpose(1, 2).reshape(batch, new, heads * width)


head("make_attention_pytorch.py")
print("static const TrainingCase training[] = {    // sums of y and dqkv")
for case in TRAINING:
    batch, tokens, heads, kv_heads, width = case
    qkv = filled((batch, tokens, (heads + 2 * kv_heads) * width), 1)
    y = attend(qkv, tokens, heads, kv_heads, width)
    y.backward(filled(y.shape, 9, False))
    line(case, [weighted(y), weighted(qkv.grad)])
print("};\n")
print("static const CachedCase cached[] = {    // the sum of the new tokens' y")
for case in CACHED:
    past, new, heads, kv_heads, width = case
    qkv = filled((1, past + new, (heads + 2 * kv_heads) * width), 1, False)
    line(case, [weighted(attend(qkv, new, heads, kv_heads, width))])
print("};")
print("// clang-format on")
