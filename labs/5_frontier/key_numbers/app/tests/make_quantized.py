#!/usr/bin/env python3
"""Makes fixtures/quantized.json: folders that libraries of quantization write for a small random model on the CPU.

    make_quantized.py [NAME...]

Of each folder the config.json (what the calculator reads) and what its safetensors hold are kept: name, type,
shape and bytes of each tensor, with '#' for the layer's number. A library that is not installed is left out, and
said so. So far bitsandbytes alone: a further library is a function that writes the folder, and a line of MAKERS.
"""
import collections
import importlib.metadata
import json
import pathlib
import re
import struct
import sys
import tempfile

import torch
import transformers
from transformers import AutoModelForCausalLM

FILE = pathlib.Path(__file__).parent / "fixtures" / "quantized.json"
SHAPES = {
    "llama": dict(architectures=["LlamaForCausalLM"], vocab_size=320, hidden_size=256, intermediate_size=512,
                  num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=64,
                  tie_word_embeddings=False),
    "qwen2": dict(architectures=["Qwen2ForCausalLM"], vocab_size=384, hidden_size=128, intermediate_size=384,
                  num_hidden_layers=3, num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=64,
                  tie_word_embeddings=True),
}


def plain(kind, folder):
    torch.manual_seed(1)
    config = transformers.AutoConfig.for_model(kind, **SHAPES[kind])
    model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    model.save_pretrained(folder)
    return model


def loaded(settings, dtype=torch.bfloat16):
    def make(kind, source, folder):
        model = AutoModelForCausalLM.from_pretrained(source, quantization_config=settings(), dtype=dtype,
                                                     device_map="cpu")
        model.save_pretrained(folder)
    return make


def bnb(**kw):
    return loaded(lambda: transformers.BitsAndBytesConfig(bnb_4bit_compute_dtype=torch.bfloat16, **kw))



MAKERS = {
    "bitsandbytes nf4": bnb(load_in_4bit=True, bnb_4bit_quant_type="nf4"),
    "bitsandbytes nf4 double": bnb(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True),
    "bitsandbytes int8": bnb(load_in_8bit=True),
}


def tensors(folder):
    found = collections.OrderedDict()
    for path in sorted(pathlib.Path(folder).glob("*.safetensors")):
        with path.open("rb") as file:
            size, = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(size))
        header.pop("__metadata__", None)
        for name, one in sorted(header.items()):
            first, last = one["data_offsets"]
            key = (re.sub(r"(?<=layers\.)\d+", "#", name), one["dtype"], tuple(one["shape"]), last - first)
            found[key] = found.get(key, 0) + 1
    return [[name, dtype, list(shape), size, count] for (name, dtype, shape, size), count in found.items()]


def write(fixture):
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(one)}" for name, one in sorted(fixture["folders"].items()))
    FILE.write_text('{"about": "What libraries of quantization write for small random models (make_quantized.py).",\n'
                    f'"folders": {{\n{lines}\n}}}}\n')


def main():
    transformers.logging.set_verbosity_error()
    fixture = json.loads(FILE.read_text()) if FILE.exists() else {"folders": {}}
    wanted = sys.argv[1:]
    for kind in SHAPES:
        for name, make in MAKERS.items():
            if wanted and not any(name.startswith(w) for w in wanted):
                continue
            with tempfile.TemporaryDirectory() as source, tempfile.TemporaryDirectory() as folder:
                plain(kind, source)
                try:
                    make(kind, source, folder)
                    config = json.loads((pathlib.Path(folder) / "config.json").read_text())
                    held = tensors(folder)
                    if not held:
                        raise RuntimeError("no safetensors were written")
                except Exception as problem:    # a library that is missing, or refuses the CPU
                    print(f"{kind} {name}: {type(problem).__name__}: {str(problem)[:300]}", file=sys.stderr)
                    continue
            library = name.split()[0]
            fixture["folders"][f"{kind}, {name}"] = {
                "library": f"{library} {importlib.metadata.version(library)}", "config": config, "tensors": held}
            write(fixture)


if __name__ == "__main__":
    main()
