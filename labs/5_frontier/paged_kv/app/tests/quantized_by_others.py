#!/usr/bin/env python3
"""Files of `lab quantize` in the hands of others: gguf-py reads the same numbers, llama.cpp goes on with the same text.

    QUANTIZE=build/labs/quantize GENERATE=build/labs/generate quantized_by_others.py

Without the Python package gguf, status 77 (LAB_PYTHON names another Python); LAB_LLAMACPP names a program that
bench/peers/llamacpp.c is built to, without which that half is left out.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

if os.environ.get("LAB_PYTHON", sys.executable) != sys.executable and "LAB_AGAIN" not in os.environ:
    os.environ["LAB_AGAIN"] = "1"
    os.execvp(os.environ["LAB_PYTHON"], [os.environ["LAB_PYTHON"]] + sys.argv)
try:
    import gguf
    import numpy
except ImportError as missing:
    print(f"skipped: {missing}: LAB_PYTHON=python that has gguf")
    sys.exit(77)

ROOT = pathlib.Path(__file__).resolve().parents[5]
FIXTURES = ROOT / "labs/3_language/transformer/tests/fixtures"
BLOCKS = {"q8_0": "Q8_0", "q4_0": "Q4_0", "q4_1": "Q4_1", "f16": "F16", "bf16": "BF16"}


def quantize(model, out, *options):
    subprocess.run([os.environ["QUANTIZE"], str(model), str(out), *options], check=True, stdout=subprocess.DEVNULL)


def floats(tensor):
    return gguf.quants.dequantize(tensor.data, tensor.tensor_type)


def read(path):
    return {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}


def check_types(folder):
    """Each type against gguf-py's own quantization of the same numbers, where it has one that rounds as ggml does."""
    plain = folder / "plain.gguf"
    quantize("random:15m", plain, "--type", "f32")
    want = read(plain)
    for option, name in BLOCKS.items():
        path = folder / f"{option}.gguf"
        quantize("random:15m", path, "--type", option, "--head", option)
        kind = gguf.GGMLQuantizationType[name]
        for tensor in gguf.GGUFReader(path).tensors:
            if len(tensor.shape) < 2:
                assert tensor.tensor_type == gguf.GGMLQuantizationType.F32, tensor.name
                continue
            assert tensor.tensor_type == kind, (tensor.name, tensor.tensor_type)
            theirs = gguf.quants.quantize(floats(want[tensor.name]), kind)
            ours = numpy.asarray(tensor.data).view(numpy.uint8).reshape(-1)
            different = (ours != theirs.view(numpy.uint8).reshape(-1)).mean()
            off = numpy.abs(floats(tensor) - gguf.quants.dequantize(theirs, kind)).max()
            assert different == 0, f"{option} {tensor.name}: {different:.2%} of the bytes differ, by {off:.3g}"
        print(f"{option}: the bytes that gguf-py writes")


def check_q4_k(folder):
    """gguf-py writes no Q4_K: it reads ours as numbers near those that they were made of."""
    path = folder / "q4_k.gguf"
    quantize("random:15m", path, "--type", "q4_k")
    want, worst = read(folder / "plain.gguf"), 0
    for tensor in gguf.GGUFReader(path).tensors:
        if tensor.tensor_type != gguf.GGMLQuantizationType.Q4_K:
            continue
        x = floats(want[tensor.name])
        worst = max(worst, numpy.sqrt(((floats(tensor) - x) ** 2).mean() / (x**2).mean()))
    print(f"q4_k: read by gguf-py, off by {worst:.2%}")
    assert 0 < worst < 0.1


def check_settings(folder):
    """Names and shapes of a Hugging Face folder are those that llama.cpp's own converter gives."""
    for name, architecture in (("llama", "llama"), ("qwen2", "qwen2"), ("qwen3", "qwen3"), ("gpt2", "gpt2")):
        path = folder / f"{name}.gguf"
        quantize(FIXTURES / name, path, "--type", "f16", "--tokenizer", "none")
        reader = gguf.GGUFReader(path)
        assert reader.get_field("general.architecture").contents() == architecture
        layers = reader.get_field(f"{architecture}.block_count").contents()
        names = gguf.get_tensor_name_map(gguf.MODEL_ARCH[architecture.upper()], layers)
        known = {value for _, value in names.mapping.values()}
        for tensor in reader.tensors:
            assert tensor.name.rsplit(".", 1)[0] in known, tensor.name
    print("the names of tensors are llama.cpp's")


# ---- llama.cpp ----

def stories():
    for data in (os.environ.get("LAB_DATA", ROOT / "data"), ROOT.parent / "shared/data"):
        path = pathlib.Path(data) / "stories260k/stories260K.bin"
        if path.exists():
            return path
    return None


def ask(path, prompt, tokens):
    request = {"model": str(path), "work": "text", "threads": 1, "batch": 1, "prompt": 64, "steps": tokens,
               "calls": 1, "text": prompt}
    done = subprocess.run([os.environ["LAB_LLAMACPP"]], input=json.dumps(request) + "\n", capture_output=True,
                          text=True, check=True)
    answer = json.loads(done.stdout.splitlines()[-1])
    assert "error" not in answer, answer
    return answer["text"]


def check_llamacpp(folder):
    prompt, tokens = "Once upon a time", 60
    for option in ("f32", "f16", "q8_0"):
        path = folder / f"stories_{option}.gguf"
        quantize(stories(), path, "--type", option)
        theirs = prompt + ask(path, prompt, tokens)
        run = [os.environ["GENERATE"], str(path), "--prompt", prompt, "--tokens", str(tokens), "--temperature", "0",
               "--activations", "f32", "--cache", "f32"]
        ours = subprocess.run(run, capture_output=True, text=True, check=True).stdout.rstrip("\n")
        same = len(os.path.commonprefix([ours, theirs]))
        print(f"{option}: llama.cpp: {theirs!r}")
        least = len(theirs) if option == "f32" else 40    # its activations are rounded, and one token tips over
        assert same >= min(least, len(theirs)), f"{option}: ours: {ours!r}"


with tempfile.TemporaryDirectory() as scratch:
    check_types(pathlib.Path(scratch))
    check_settings(pathlib.Path(scratch))
    check_q4_k(pathlib.Path(scratch))
    if "LAB_LLAMACPP" in os.environ and stories() is not None:
        check_llamacpp(pathlib.Path(scratch))
    else:
        print("left out: llama.cpp (LAB_LLAMACPP, stories260k)")
