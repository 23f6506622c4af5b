#!/usr/bin/env python3
"""Makes quantized.inc: 96 numbers and the blocks that ggml's Python package makes of them.

    pip install gguf==0.19.0 && make_quantized.py > quantized.inc

Normal numbers, others that are all positive, and zeros: a block each.
"""
import gguf
import numpy

random = numpy.random.default_rng(2)
x = numpy.concatenate([random.normal(size=32), 3 + random.random(32), numpy.zeros(32)]).astype(numpy.float32)
print("// made by make_quantized.py: three blocks of numbers, and what gguf %s makes of them" % "0.19.0")


def wrap(words):
    line = "        "
    for word in words:
        if len(line) + len(word) > 98:
            print(line)
            line = "        "
        line += word
    print(line)


for name in ["Q8_0", "Q4_0", "Q4_1"]:
    blocks = gguf.quants.quantize(x, gguf.GGMLQuantizationType[name])
    print("    {DTYPE_%s, {" % name)
    wrap("%.9g," % value for value in x)
    print("    }, {")
    wrap("%d," % byte for byte in blocks.ravel())
    print("    }},")
