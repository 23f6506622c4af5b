#!/usr/bin/env python3
"""Makes fixtures/quantized.json: folders that libraries of quantization write for a small random model on the CPU.

    make_quantized.py [NAME...]

Of each folder the config.json (what the calculator reads) and what its safetensors hold are kept: name, type,
shape and bytes of each tensor, with '#' for the layer's number. A library that is not installed is left out, and
said so: a further one is a function that writes the folder, and a line of MAKERS. HQQ needs transformers 4, mlx its
CPU package (mlx-cpu). GPTQModel and llm-compressor did not install here; auto-round writes GPTQ's and AWQ's formats.
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


def torchao(name, **kw):
    from torchao import quantization
    return loaded(lambda: transformers.TorchAoConfig(quant_type=getattr(quantization, name)(**kw)))


def hqq(**kw):
    return loaded(lambda: transformers.HqqConfig(**kw))


def quanto(weights):
    """As optimum-quanto saves a model itself: transformers' own save_pretrained() refuses."""
    def make(kind, source, folder):
        from optimum.quanto import QuantizedModelForCausalLM, qtypes
        model = AutoModelForCausalLM.from_pretrained(source, dtype=torch.bfloat16)
        QuantizedModelForCausalLM.quantize(model, weights=qtypes[weights], exclude="lm_head").save_pretrained(folder)
    return make


def compressed(scheme):
    """compressed-tensors' own compressor, on schemes that vLLM's users name."""
    def make(kind, source, folder):
        from compressed_tensors.compressors import ModelCompressor
        from compressed_tensors.quantization import (QuantizationConfig, QuantizationStatus, apply_quantization_config,
                                                     preset_name_to_scheme)
        model = AutoModelForCausalLM.from_pretrained(source, dtype=torch.bfloat16)
        config = QuantizationConfig(config_groups={"group_0": preset_name_to_scheme(scheme, ["Linear"])},
                                    ignore=["lm_head"], quantization_status=QuantizationStatus.COMPRESSED)
        apply_quantization_config(model, config)
        for module in model.modules():
            for name, value in list(module.named_parameters(recurse=False)):
                if name == "weight_scale":
                    value.data.fill_(0.01)
                if name == "weight_zero_point":
                    value.data.zero_()
                if name.endswith("global_scale"):
                    value.data.fill_(1.0)
        compressor = ModelCompressor.from_pretrained_model(model)
        compressor.compress_model(model)
        model.save_pretrained(folder)
        compressor.update_config(folder)
    return make


def auto_round(form="auto_round", **kw):
    def make(kind, source, folder):
        from auto_round import AutoRound
        from transformers import PreTrainedTokenizerFast
        from tokenizers import Tokenizer, models
        words = {f"w{i}": i for i in range(SHAPES[kind]["vocab_size"])}
        tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.WordLevel(words, unk_token="w0")))
        model = AutoModelForCausalLM.from_pretrained(source, dtype=torch.bfloat16)
        AutoRound(model, tokenizer, iters=0, device_map="cpu", disable_opt_rtn=True, **kw).quantize_and_save(folder, format=form)
        for written in pathlib.Path(folder).rglob("*.*"):    # into a folder of its own
            written.replace(pathlib.Path(folder) / written.name)
    return make


def mlx(**kw):
    """mlx_lm.convert() without a tokenizer, which it would load."""
    def make(kind, source, folder):
        from mlx_lm.utils import load_model, quantize_model, save_config, save_model
        model, config = load_model(pathlib.Path(source))
        model, config = quantize_model(model, config, **kw)
        save_model(folder, model)
        save_config(config, pathlib.Path(folder) / "config.json")
    return make


MAKERS = {
    "bitsandbytes nf4": bnb(load_in_4bit=True, bnb_4bit_quant_type="nf4"),
    "bitsandbytes nf4 double": bnb(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True),
    "bitsandbytes int8": bnb(load_in_8bit=True),
    "torchao int8": torchao("Int8WeightOnlyConfig", version=2),
    "torchao int8 dynamic": torchao("Int8DynamicActivationInt8WeightConfig", version=2),
    "torchao float8": torchao("Float8WeightOnlyConfig"),
    "torchao int4": torchao("IntxWeightOnlyConfig", weight_dtype=torch.int4),
    "hqq 4 bits": hqq(nbits=4, group_size=64),
    "hqq 8 bits": hqq(nbits=8, group_size=128),
    "optimum-quanto int8": quanto("qint8"),
    "optimum-quanto int4": quanto("qint4"),
    "optimum-quanto float8": quanto("qfloat8"),
    "compressed-tensors W8A8": compressed("W8A8"),
    "compressed-tensors W4A16": compressed("W4A16"),
    "compressed-tensors W4A16 asymmetric": compressed("W4A16_ASYM"),
    "compressed-tensors W8A16": compressed("W8A16"),
    "compressed-tensors FP8": compressed("FP8"),
    "compressed-tensors FP8 dynamic": compressed("FP8_DYNAMIC"),
    "compressed-tensors FP8 block": compressed("FP8_BLOCK"),
    "compressed-tensors NVFP4": compressed("NVFP4A16"),
    "compressed-tensors MXFP4": compressed("MXFP4A16"),
    "auto-round 4 bits": auto_round(bits=4, group_size=128),
    "auto-round 2 bits": auto_round(bits=2, group_size=32),
    "auto-round GPTQ": auto_round(bits=4, group_size=128, form="auto_gptq"),
    "auto-round AWQ": auto_round(bits=4, group_size=128, form="auto_awq"),
    "mlx 4 bits": mlx(bits=4, group_size=64),
    "mlx 8 bits": mlx(bits=8, group_size=32),
    "mlx mxfp4": mlx(bits=4, group_size=32, mode="mxfp4"),
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
                    beside = pathlib.Path(folder) / "quanto_qmap.json"
                    if not held:
                        raise RuntimeError("no safetensors were written")
                except Exception as problem:    # a library that is missing, or refuses the CPU
                    print(f"{kind} {name}: {type(problem).__name__}: {str(problem)[:300]}", file=sys.stderr)
                    continue
                library = name.split()[0]
                one = {"library": f"{library} {importlib.metadata.version(library)}", "config": config, "tensors": held}
                if beside.exists():
                    one["beside"] = {beside.name: json.loads(beside.read_text())}
            fixture["folders"][f"{kind}, {name}"] = one
            write(fixture)


if __name__ == "__main__":
    main()
