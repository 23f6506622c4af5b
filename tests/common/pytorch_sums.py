"""What the scripts that write *_pytorch.inc share: tensors filled by a formula, results kept as weighted sums.

The weights are also the gradient that arrives at an output. tests/common/pytorch_sums.h does the same in C.
"""
import torch


def filled(shape, seed, grad=True):
    n = torch.Size(shape).numel()
    x = ((torch.arange(n, dtype=torch.float64) * 37 + seed * 101) % 97 - 48) / 32
    return x.reshape(shape).requires_grad_(grad)


def weighted(x):
    return (filled(x.shape, 9, False) * x.detach()).sum().item()


def line(numbers, results):
    print("    {{" + ", ".join(map(str, numbers)) + "}, {" + ", ".join("%.17g" % r for r in results) + "}},")


def head(script):
    print("// By " + script + " with PyTorch " + torch.__version__.split("+")[0] + ".")
    print("// clang-format off")
