#!/usr/bin/env python3
"""Makes fixtures/families.json: what transformers 5 makes of small configurations of many families, and of some
published ones.

    make_families.py [NAME...]

Each is built with its class, saved as its published file would be (save_pretrained() renames and splits tensors
as the hub has them), and its tensors are listed: name, type, shape, layers and experts in which it stands. `total` counts
parameters and the biases of routers. The published ones are built on the meta device, and only counted.
"""
import collections
import json
import math
import pathlib
import re
import struct
import sys
import tempfile

import torch
import transformers

FILE = pathlib.Path(__file__).parent / "fixtures" / "families.json"
# Buffers that are trained, if not by gradients.
TRAINED = re.compile(r"e_score_correction_bias$|expert_bias$|(?<!tid2eid)gate\.bias$")


# Where save_pretrained() does not come back to the names of the published file (conversion_mapping.py).
PUBLISHED = {
    "deepseek_v4": [(r"^model\.embed_tokens\.", "embed."), (r"^model\.hc_head\.hc_", "hc_head_")],
    "kimi_linear": [(r"block_sparse_moe\.(gate|up|down)_proj", r"mlp.\1_proj")],
    "kimi_k25": [(r"^model\.mm_projector", "mm_projector"), (r"^language_model\.model\.blocks", "language_model.model.layers"),
                 (r"^vision_tower\.encoder\.patch_embed", "vision_tower.patch_embed")],
}


def published_name(model, name):
    for pattern, name_instead in PUBLISHED.get(model.config.model_type, []):
        name = re.sub(pattern, name_instead, name)
    return name


def saved(model):
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        data = next(pathlib.Path(folder).glob("*.safetensors")).read_bytes()
    size, = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + size])
    header.pop("__metadata__", None)
    return {published_name(model, name): (tensor["dtype"], tensor["shape"]) for name, tensor in header.items()}


def listed(tensors):
    """[pattern, dtype, shape, [layers], experts]; '#' stands for the first number, '@' for the second."""
    found = collections.OrderedDict()
    for name, (dtype, shape) in sorted(tensors.items()):
        numbers = [int(n) for n in re.findall(r"(?<=\.)\d+(?=\.)", name)]
        marks = iter("#@")
        pattern = re.sub(r"(?<=\.)\d+(?=\.)", lambda _: next(marks), name)
        found.setdefault((pattern, dtype, tuple(shape)), []).append(numbers)
    result = []
    for (pattern, dtype, shape), numbers in found.items():
        layers = sorted({n[0] for n in numbers if n})
        experts = len({n[1] for n in numbers if len(n) > 1})
        result.append([pattern, dtype, list(shape), layers, experts])
    return result


def build(config):
    config = dict(config)
    settings = transformers.AutoConfig.for_model(config.pop("model_type"), **config)
    return getattr(transformers, config["architectures"][0].replace("KimiK25", "Kimi_K25"))(settings)


def total(model):
    return (sum(p.numel() for p in model.parameters())
            + sum(b.numel() for n, b in model.named_buffers() if TRAINED.search(n)))


def main():
    transformers.logging.set_verbosity_error()
    fixture = json.loads(FILE.read_text())
    for section in ("published", "variants"):
        for name, entry in fixture[section].items():
            if sys.argv[1:] and name not in sys.argv[1:]:
                continue
            with torch.device("meta" if section == "published" else "cpu"):
                model = build(entry["config"])
            entry["total"] = total(model)
            if section == "variants":
                entry["tensors"] = listed(saved(model))
    fixture["transformers"] = transformers.__version__
    parts = []
    for key, value in fixture.items():
        if isinstance(value, dict):    # a model a line
            lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(entry)}" for name, entry in value.items())
            parts.append(f"{json.dumps(key)}: {{\n{lines}\n}}")
        else:
            parts.append(f"{json.dumps(key)}: {json.dumps(value)}")
    FILE.write_text("{\n" + ",\n".join(parts) + "\n}\n")


if __name__ == "__main__":
    main()
