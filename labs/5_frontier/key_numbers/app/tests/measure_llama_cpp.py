#!/usr/bin/env python3
"""What llama.cpp reserves for its computations, for models of some shapes without weights.

    measure_llama_cpp.py SOURCE BUILD      (llama.cpp's source, and where `ninja llama ggml` has built it statically)

A GGUF file is only a header and a hole here: its tensors are mapped, and none is read. Printed are MiB for a
micro-batch of 512 tokens by context and flash attention, as llama.cpp logs them ("compute buffer size").
plan/runtime.c has the formula, and test_runtime.c some of the figures.
"""
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

PROBE = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "llama.h"

static void say(enum ggml_log_level level, const char *text, void *data)
{
    (void)level, (void)data;
    if (strstr(text, "compute buffer size =") != NULL) fputs(text, stdout);
}

int main(int count, char **words)
{
    llama_log_set(say, NULL);
    struct llama_model *model = llama_model_load_from_file(words[1], llama_model_default_params());
    if (model == NULL) return 1;
    for (int i = 2; i + 1 < count; i += 2) {
        struct llama_context_params params = llama_context_default_params();
        params.n_ctx = (uint32_t)atoi(words[i]);
        params.n_ubatch = 512;
        params.flash_attn_type = atoi(words[i + 1]) ? LLAMA_FLASH_ATTN_TYPE_ENABLED : LLAMA_FLASH_ATTN_TYPE_DISABLED;
        struct llama_context *context = llama_init_from_model(model, params);
        if (context != NULL) llama_free(context);
    }
    return 0;
}
"""

F32, F16 = 0, 1


def text(word):
    data = word.encode()
    return struct.pack("<Q", len(data)) + data


def field(name, value):
    if isinstance(value, str):
        return text(name) + struct.pack("<I", 8) + text(value)
    return text(name) + (struct.pack("<If", 6, value) if isinstance(value, float) else struct.pack("<II", 4, value))


def write(path, arch, h, a, k, d, f, vocabulary, tied, layers=2):
    fields = {"general.architecture": arch, "tokenizer.ggml.model": "no_vocab", f"{arch}.vocab_size": vocabulary,
              f"{arch}.context_length": 131072, f"{arch}.embedding_length": h, f"{arch}.block_count": layers,
              f"{arch}.feed_forward_length": f, f"{arch}.attention.head_count": a,
              f"{arch}.attention.head_count_kv": k, f"{arch}.attention.key_length": d,
              f"{arch}.attention.value_length": d, f"{arch}.rope.dimension_count": d,
              f"{arch}.attention.layer_norm_rms_epsilon": 1e-5}
    tensors = [("token_embd.weight", [h, vocabulary], F16), ("output_norm.weight", [h], F32)]
    if not tied:
        tensors.append(("output.weight", [h, vocabulary], F16))
    matrices = {"attn_q": [h, a * d], "attn_k": [h, k * d], "attn_v": [h, k * d], "attn_output": [a * d, h],
                "ffn_gate": [h, f], "ffn_up": [h, f], "ffn_down": [f, h]}
    vectors = {"attn_norm.weight": h, "ffn_norm.weight": h}
    if arch == "qwen3":
        vectors |= {"attn_q_norm.weight": d, "attn_k_norm.weight": d}
    if arch == "qwen2":
        vectors |= {"attn_q.bias": a * d, "attn_k.bias": k * d, "attn_v.bias": k * d}
    for layer in range(layers):
        tensors += [(f"blk.{layer}.{name}.weight", shape, F16) for name, shape in matrices.items()]
        tensors += [(f"blk.{layer}.{name}", [size], F32) for name, size in vectors.items()]
    data = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(fields))
    data += b"".join(field(name, value) for name, value in fields.items())
    offset = 0
    for name, shape, kind in tensors:
        size = 2 if kind == F16 else 4
        for dim in shape:
            size *= dim
        data += text(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *shape)
        data += struct.pack("<IQ", kind, offset)
        offset += -(-size // 32) * 32
    with open(path, "wb") as file:
        file.write(data)
        file.truncate(-(-len(data) // 32) * 32 + offset)


SHAPES = {    # arch, h, a, k, d, f, vocabulary, tied
    "Llama-3.1-8B": ("llama", 4096, 32, 8, 128, 14336, 128256, False),
    "Llama-3.2-3B": ("llama", 3072, 24, 8, 128, 8192, 128256, True),
    "llama-7b": ("llama", 4096, 32, 32, 128, 11008, 32000, False),
    "SmolLM2-135M": ("llama", 576, 9, 3, 64, 1536, 49152, True),
    "Qwen2.5-7B": ("qwen2", 3584, 28, 4, 128, 18944, 152064, False),
    "Qwen3-0.6B": ("qwen3", 1024, 16, 8, 128, 3072, 151936, True),
    "a wide MLP": ("llama", 2048, 16, 16, 128, 16384, 8000, False),
}
ASKED = [(512, 0), (8192, 0), (8192, 1), (32768, 0), (32768, 1)]


def main():
    source, build = (pathlib.Path(word) for word in sys.argv[1:3])
    with tempfile.TemporaryDirectory() as folder:
        probe, model = f"{folder}/probe", f"{folder}/model.gguf"
        pathlib.Path(f"{probe}.c").write_text(PROBE)
        subprocess.run(["gcc", "-c", f"-I{source}/include", f"-I{source}/ggml/include", f"{probe}.c", "-o", f"{probe}.o"],
                       check=True)
        archives = [build / "src/libllama.a"] + [build / f"ggml/src/libggml{end}.a" for end in ("", "-cpu", "-base")]
        subprocess.run(["g++", "-fopenmp", f"{probe}.o", *archives, "-lpthread", "-ldl", "-o", probe], check=True)
        for name, shape in SHAPES.items():
            write(model, *shape)
            words = [str(word) for pair in ASKED for word in pair]
            out = subprocess.run([probe, model, *words], check=True, capture_output=True, text=True).stdout
            for (context, flash), size in zip(ASKED, re.findall(r"= *([0-9.]+) MiB", out), strict=True):
                print(f"{name:14} {context:6} tokens, {'with   ' if flash else 'without'} flash attention {size:>9} MiB")


if __name__ == "__main__":
    main()
