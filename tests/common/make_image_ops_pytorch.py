"""Writes image_ops_pytorch.inc: what PyTorch computes of convolutions, poolings and batch norms, in float64.

    python3 tests/common/make_image_ops_pytorch.py > tests/common/image_ops_pytorch.inc

Tensors are filled, and results summed, by pytorch_sums.py.
"""
import torch.nn.functional as F

from pytorch_sums import filled, head, line, weighted

# batch, in, height, width, out, kernel height, kernel width, stride, pad, dilation, groups
CONVS = [
    (2, 3, 7, 6, 4, 3, 3, 1, 0, 1, 1), (2, 3, 7, 6, 4, 3, 3, 1, 1, 1, 1), (1, 2, 9, 8, 3, 5, 5, 1, 2, 1, 1),
    (2, 1, 9, 9, 2, 5, 5, 1, 0, 1, 1), (3, 2, 8, 7, 2, 3, 3, 2, 1, 1, 1), (1, 2, 11, 10, 3, 3, 3, 3, 0, 1, 1),
    (2, 2, 9, 11, 2, 3, 3, 1, 2, 2, 1), (1, 3, 12, 9, 2, 3, 2, 2, 3, 2, 1), (2, 4, 6, 5, 6, 3, 3, 1, 1, 1, 2),
    (2, 3, 7, 7, 3, 3, 3, 1, 1, 1, 3), (1, 2, 8, 8, 4, 3, 3, 2, 1, 1, 2), (2, 5, 4, 3, 7, 1, 1, 1, 0, 1, 1),
    (2, 6, 5, 5, 4, 1, 1, 2, 0, 1, 2), (1, 1, 1, 1, 1, 1, 1, 1, 3, 1, 1), (2, 2, 6, 5, 3, 4, 3, 3, 3, 1, 1),
]
# planes, height, width, kernel, stride, pad
POOLS = [
    (6, 8, 6, 2, 2, 0), (3, 7, 9, 2, 2, 0), (2, 9, 8, 3, 2, 1), (4, 5, 7, 3, 1, 1), (1, 11, 10, 5, 3, 2),
    (2, 6, 6, 2, 1, 1), (2, 7, 7, 7, 7, 0), (3, 28, 24, 2, 2, 0),
]
# batch, channels, height, width (0 by 0: [batch,channels]), training
NORMS = [
    (4, 3, 0, 0, 1), (2, 3, 5, 4, 1), (1, 2, 3, 3, 1), (7, 1, 2, 5, 1), (4, 3, 0, 0, 0), (2, 3, 5, 4, 0),
]

head("make_image_ops_pytorch.py")
print("static const ConvCase convs[] = {    // sums of y, dx, dw, db")
for c in CONVS:
    batch, channels, height, width, out, kh, kw, stride, pad, dilation, groups = c
    x, w, b = filled((batch, channels, height, width), 1), filled((out, channels // groups, kh, kw), 2), filled((out,), 3)
    y = F.conv2d(x, w, b, stride, pad, dilation, groups)
    y.backward(filled(y.shape, 9, False))
    line(c, [weighted(t) for t in (y, x.grad, w.grad, b.grad)])
print("};\n")
print("static const PoolCase pools[] = {    // sums of y and dx of max pooling, then of average pooling")
for c in POOLS:
    planes, height, width, kernel, stride, pad = c
    results = []
    for pool in (F.max_pool2d, F.avg_pool2d):
        x = filled((1, planes, height, width), 4)
        y = pool(x, kernel, stride, pad)
        y.backward(filled(y.shape, 9, False))
        results += [weighted(y), weighted(x.grad)]
    line(c, results)
print("};\n")
print("static const NormCase norms[] = {    // sums of y, dx, dw, db, running mean and running variance")
for c in NORMS:
    batch, channels, height, width, training = c
    shape = (batch, channels, height, width) if height else (batch, channels)
    x, w, b = filled(shape, 5), filled((channels,), 6), filled((channels,), 7)
    mean = filled((channels,), 8, False)
    var = filled((channels,), 10, False).abs() + 0.5
    y = F.batch_norm(x, mean, var, w, b, bool(training))
    y.backward(filled(y.shape, 9, False))
    line(c, [weighted(t) for t in (y, x.grad, w.grad, b.grad, mean, var)])
print("};")
print("// clang-format on")
