"""The values that check_sampling.c and check_quantize.c hold against other programs.

    python3 check_values.py        needs numpy, torch, transformers, gguf
"""
import numpy as np
import torch
from gguf import GGMLQuantizationType, quants
from transformers import TemperatureLogitsWarper, TopPLogitsWarper

# Nucleus sampling of 2 sin(0), 2 sin(1), ..: what transformers keeps, and its probabilities.
logits = torch.tensor([[2 * np.sin(i) for i in range(9)]], dtype=torch.float64)
for temperature, top_p in ((1.0, 0.7), (0.5, 0.9)):
    kept = TopPLogitsWarper(top_p)(None, TemperatureLogitsWarper(temperature)(None, logits))
    print(temperature, top_p, [float("%.10g" % p) for p in torch.softmax(kept, -1)[0]])

# Q8_0 of sin(0) .. sin(31) and of 100 cos(0) .. 100 cos(31), as gguf writes it.
x = np.concatenate([np.sin(np.arange(32)), 100 * np.cos(np.arange(32))]).astype(np.float32)
rows = quants.quantize(x, GGMLQuantizationType.Q8_0).reshape(2, 34)
for row in rows:
    print(hex(row[:2].view(np.uint16)[0]), row[2:].view(np.int8).tolist())
