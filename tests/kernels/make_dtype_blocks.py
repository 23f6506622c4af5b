#!/usr/bin/env python3
"""Makes dtype_blocks.inc: random blocks of each quantized type, and their numbers as ggml's Python package reads them.

    pip install gguf==0.19.0 && make_dtype_blocks.py > dtype_blocks.inc
"""
import gguf
import numpy

random = numpy.random.default_rng(1)
print("// made by make_dtype_blocks.py: random blocks, two or, of 256 numbers, one, and what gguf 0.19.0 makes of them")


def wrap(words):
    line = "        "
    for word in words:
        if len(line) + len(word) > 98:
            print(line)
            line = "        "
        line += word
    print(line)


# Where the halves are in a block, which must be finite and of a moderate size.
for name, halves in {"Q8_0": [0], "Q4_0": [0], "Q4_1": [0, 2], "Q4_K": [0, 2], "Q6_K": [208]}.items():
    kind = gguf.GGMLQuantizationType[name]
    numbers, size = gguf.GGML_QUANT_SIZES[kind]
    blocks = random.integers(0, 256, (2 if numbers == 32 else 1, size), numpy.uint8)
    for at in halves:
        for block in blocks:
            block[at : at + 2] = numpy.frombuffer(numpy.float16(random.normal()).tobytes(), numpy.uint8)
    values = gguf.quants.dequantize(blocks, kind).ravel()
    print("    {DTYPE_%s, {" % name)
    wrap("%d," % byte for byte in blocks.ravel())
    print("    }, {")
    wrap("%.9g," % value for value in values)
    print("    }},")
