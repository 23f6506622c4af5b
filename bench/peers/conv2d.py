"""Convolutions by torch.nn.functional.conv2d, asked for by bench/conv2d.c."""
import time

from serve_torch import serve_torch, torch

operands = {}    # the last shape's: made once, not once a round


def convolve(request):
    shape = tuple(request["shape"])
    batch, channels, height, width, out, kernel, stride, pad, groups = shape
    torch.set_num_threads(request["threads"])
    if operands.get("shape") != shape:
        x = torch.rand(batch, channels, height, width) - 0.5
        w = torch.rand(out, channels // groups, kernel, kernel) - 0.5
        operands.update(shape=shape, x=x.requires_grad_(), w=w.requires_grad_(),
                        b=torch.zeros(out, requires_grad=True), dy=None)
    x, w, b = (operands[name] for name in "xwb")

    def forward():
        return torch.nn.functional.conv2d(x, w, b, stride, pad, groups=groups)

    if operands["dy"] is None:
        operands["dy"] = torch.rand_like(forward()) - 0.5
    start = time.perf_counter()
    for _ in range(request["calls"]):
        if request["backward"]:
            x.grad = w.grad = b.grad = None
            forward().backward(operands["dy"])
        else:
            with torch.no_grad():
                forward()
    return time.perf_counter() - start


serve_torch(convolve)
