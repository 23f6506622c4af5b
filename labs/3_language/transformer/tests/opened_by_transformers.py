#!/usr/bin/env python3
"""Opens with transformers, and with gguf-py, what rewrite_model wrote, and compares logits and numbers.

    REWRITE=build/tests/rewrite_model opened_by_transformers.py

rewrite_model NAME FOLDER GGUF reads a fixture and writes it as a folder and as a GGUF file. A Python without
transformers skips (status 77); LAB_PYTHON names another.
"""
import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile

if os.environ.get("LAB_PYTHON", sys.executable) != sys.executable and "LAB_AGAIN" not in os.environ:
    os.environ["LAB_AGAIN"] = "1"
    os.execvp(os.environ["LAB_PYTHON"], [os.environ["LAB_PYTHON"]] + sys.argv)
try:
    import torch
    import transformers
    from safetensors import safe_open
    from safetensors.torch import load_file
except ImportError as missing:
    print(f"skipped: {missing}: LAB_PYTHON=python that has transformers")
    sys.exit(77)

FIXTURES = pathlib.Path(__file__).parent / "fixtures"
TOLERANCE = 1e-4


def logits_of(folder, ids, **how):
    model, report = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32,
                                                                      output_loading_info=True, **how)
    for what in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        assert not report[what], f"{folder.name}: {what}: {report[what]}"
    with torch.inference_mode():
        return model.eval()(ids).logits


def compare(name, what, got, want):
    difference = (got - want).abs().max().item()
    print(f"{name}: {what}: largest difference {difference:.2g}")
    assert difference <= TOLERANCE, f"{name}: {what}: {difference}"


def check_folder(name, folder, expected):
    compare(name, "logits of the folder", logits_of(folder, expected["ids"].long()), expected["logits"])
    for file in folder.glob("*.safetensors"):
        with safe_open(file, "pt") as opened:
            assert opened.metadata() == {"format": "pt"}, file


def check_gguf(name, path, expected):
    """gguf-py reads every tensor: the same numbers as in the folder, with llama's rows of q and k in their order."""
    from gguf import GGUFReader
    reader = GGUFReader(path)
    architecture = reader.get_field("general.architecture").contents()
    assert architecture in ("gpt2", "llama", "qwen2", "qwen3"), architecture
    tensors = {tensor.name: torch.from_numpy(tensor.data.copy()) for tensor in reader.tensors}
    fixture = {}
    for file in (FIXTURES / name).glob("model*.safetensors"):
        fixture |= {key: value.float() for key, value in load_file(file).items()}
    embedding = fixture.get("model.embed_tokens.weight", fixture.get("transformer.wte.weight"))
    assert torch.equal(tensors["token_embd.weight"], embedding)
    assert sum(t.numel() for t in tensors.values()) == sum(t.numel() for t in fixture.values())
    if architecture == "llama":
        # As llama.cpp's convert_hf_to_gguf.py permutes them.
        q = fixture["model.layers.0.self_attn.q_proj.weight"]
        heads = reader.get_field("llama.attention.head_count").contents()
        permuted = q.reshape(heads, 2, q.shape[0] // heads // 2, q.shape[1]).swapaxes(1, 2).reshape(q.shape)
        assert torch.equal(tensors["blk.0.attn_q.weight"], permuted)
    print(f"{name}: {len(tensors)} tensors of the GGUF file, architecture {architecture}")
    if importlib.util.find_spec("accelerate") is None:
        print("skipped: transformers opens GGUF files with accelerate only")
        return
    # With the folder's configuration, since transformers does not read all of it from GGUF (head_dim of qwen3).
    got = logits_of(path.parent, expected["ids"].long(), gguf_file=path.name,
                    config=transformers.AutoConfig.from_pretrained(path.parent / "folder"))
    compare(name, "logits of the GGUF file", got, expected["logits"])


def main():
    transformers.logging.set_verbosity_error()
    for fixture in sorted(path.parent for path in FIXTURES.glob("*/config.json")):
        name = fixture.name
        expected = load_file(fixture / "expected.safetensors")
        with tempfile.TemporaryDirectory() as scratch:
            folder, gguf = pathlib.Path(scratch) / "folder", pathlib.Path(scratch) / "model.gguf"
            for shards in ("0", "7000"):
                subprocess.run([os.environ["REWRITE"], fixture, folder, gguf, shards], check=True)
                check_folder(name, folder, expected)
            if gguf.exists():
                try:
                    check_gguf(name, gguf, expected)
                except ModuleNotFoundError as missing:
                    print(f"skipped the GGUF file: {missing}")


if __name__ == "__main__":
    main()
