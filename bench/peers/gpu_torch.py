"""What PyTorch reaches on a GPU: matrix products, attention, norms, and training steps.

    python3 gpu_torch.py --out torch.json              on a machine with a GPU
    python3 gpu_torch.py --device cpu --quick          that the script itself works

Every figure is the median of at least 10 samples of at least 10 ms each, taken after as long a
warm-up and timed on the host between two synchronisations. The report holds each one's quartiles.
"""
import argparse
import datetime
import json
import statistics
import sys
import time

import torch
import torch.nn.functional as F

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
arguments.add_argument("--quick", action="store_true", help="small sizes, few samples")
arguments.add_argument("--out", help="also write the report there, as JSON")
args = arguments.parse_args()
device, cuda = args.device, args.device == "cuda"
if cuda and not torch.cuda.is_available():
    sys.exit(f"gpu_torch.py: PyTorch {torch.__version__} finds no GPU; try --device cpu")
if not hasattr(F, "scaled_dot_product_attention"):
    sys.exit(f"gpu_torch.py: PyTorch {torch.__version__} is too old, expected 2.0 or later")
BF16, F32 = torch.bfloat16, torch.float32
results = []


def sync():
    if cuda:
        torch.cuda.synchronize()


def sample(work, calls):
    sync()
    start = time.perf_counter()
    for _ in range(calls):
        work()
    sync()
    return (time.perf_counter() - start) / calls


def measure(name, work, flop=0, byte=0, **fields):
    """flop and byte: what the work needs by its formula, for TFLOP/s and GB/s."""
    samples, length = (3, 1e-3) if args.quick else (10, 10e-3)
    work()
    calls = max(1, int(length / max(sample(work, 3), 1e-9)))
    sample(work, calls)
    seconds = sorted(sample(work, calls) for _ in range(samples))
    low, median, high = statistics.quantiles(seconds, n=4)
    row = {"name": name, **fields, "seconds": median, "quartile1": low, "quartile3": high}
    row.update({"tflops": flop / median * 1e-12} if flop else {})
    row.update({"gbs": byte / median * 1e-9} if byte else {})
    results.append(row)
    shape = " ".join(f"{key}={value}" for key, value in fields.items())
    rate = f"{row['tflops']:9.2f} TFLOP/s" if flop else f"{row['gbs']:9.1f} GB/s" if byte else ""
    print(f"{name:16} {shape:44} {median * 1e6:11.1f} us {rate}", flush=True)


def products():
    for kind, dtype, tf32 in (("f32", F32, False), ("tf32", F32, True), ("bf16", BF16, False)):
        if tf32 and not cuda:
            continue
        torch.backends.cuda.matmul.allow_tf32 = tf32
        for n in (64, 256) if args.quick else (256, 1024, 2048, 4096, 8192):
            a, b = (torch.randn(n, n, device=device, dtype=dtype) for _ in range(2))
            measure("matmul", lambda: torch.mm(a, b), 2 * n**3, type=kind, n=n)
    torch.backends.cuda.matmul.allow_tf32 = False


def attention():
    heads, width = 16, 64    # causal: half of the T x T products count
    for batch, time_ in ((1, 64),) if args.quick else ((32, 256), (8, 1024), (4, 4096), (1, 16384)):
        shape = (batch, heads, time_, width)
        q, k, v = (torch.randn(shape, device=device, dtype=BF16, requires_grad=True)
                   for _ in range(3))
        grad, flop = torch.randn_like(q), 2 * batch * heads * time_ * time_ * width
        fields = {"type": "bf16", "B": batch, "H": heads, "T": time_, "D": width}

        def forward():
            return F.scaled_dot_product_attention(q, k, v, is_causal=True)

        with torch.no_grad():
            measure("attention", forward, flop, **fields)
        # Forward is 2 products of this size, backward 5.
        measure("attention+grad", lambda: torch.autograd.grad(forward(), (q, k, v), grad),
                3.5 * flop, **fields)


def norms():
    rows, width = (64, 256) if args.quick else (8192, 4096)
    for kind, dtype in (("f32", F32), ("bf16", BF16)):
        x = torch.randn(rows, width, device=device, dtype=dtype)
        w = torch.ones(width, device=device, dtype=dtype)
        for name, work in (("layer_norm", lambda: F.layer_norm(x, (width,), w, w)),
                           ("softmax", lambda: F.softmax(x, dim=-1)),
                           ("gelu", lambda: F.gelu(x))):
            byte = 2 * x.numel() * x.element_size()    # read once, written once
            measure(name, work, byte=byte, type=kind, rows=rows, width=width)


def autoencoder():
    widths = (784, 256, 64, 256, 784)    # the network of train_autoencoder.py
    for batch in (128,) if args.quick else (128, 1024, 8192):
        layers = []
        for i in range(4):
            layers += [torch.nn.Linear(widths[i], widths[i + 1]), torch.nn.ReLU()]
        model = torch.nn.Sequential(*layers[:-1], torch.nn.Sigmoid()).to(device)
        x = torch.rand(batch, widths[0], device=device)
        adam = torch.optim.Adam(model.parameters(), lr=1e-3, **({"fused": True} if cuda else {}))

        def step():
            adam.zero_grad(set_to_none=True)
            F.mse_loss(model(x), x).backward()
            adam.step()
        products_ = sum((2 if i == 0 else 3) * widths[i] * widths[i + 1] for i in range(4))
        measure("train_autoencoder", step, 2 * batch * products_, type="f32", batch=batch)


for part in (products, attention, norms, autoencoder):
    part()
report = {
    "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
    "torch": torch.__version__, "device": torch.cuda.get_device_name() if cuda else "cpu",
    "cuda": torch.version.cuda, "results": results,
}
if args.out:
    with open(args.out, "w") as out:
        json.dump(report, out, indent=1)
