/* dtype_quantize.h -- floats to blocks of small numbers: what dtype_from_floats does for quantized types. */
#pragma once
#include "kernels/dtype.h"

bool dtype_quantize(DType type, void *out, const float *in, size_t count);
