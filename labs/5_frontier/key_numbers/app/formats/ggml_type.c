#include "labs/5_frontier/key_numbers/app/formats/ggml_type.h"
#include <inttypes.h>

// The whole bits of each number, and what a block has beyond them: its scales, however they are nested.
KnFormat ggml_format(DType type)
{
    uint64_t block = dtype_info[type].block, bits = 8 * dtype_info[type].bytes;
    if (block == 1) return (KnFormat){.bits = bits};
    uint64_t each = (bits - 1) / block;
    return (KnFormat){.bits = each, .block = block, .block_bits = bits - each * block};
}

uint64_t ggml_bytes(DType type, uint64_t rows, uint64_t cols)
{
    KnFormat format = ggml_format(type);
    return rows * kn_format_bytes(&format, cols);
}

static bool whole_blocks(DType type, uint64_t cols)
{
    return cols % dtype_info[type].block == 0;
}

// llama.cpp, src/llama-quant.cpp: tensor_type_fallback().
bool ggml_fit(DType *type, uint64_t cols, Error *err)
{
    // clang-format off
    static const DType smaller[] = {
        [DTYPE_IQ1_S]   = DTYPE_IQ4_NL, [DTYPE_IQ1_M]   = DTYPE_IQ4_NL, [DTYPE_IQ2_XXS] = DTYPE_IQ4_NL,
        [DTYPE_IQ2_XS]  = DTYPE_IQ4_NL, [DTYPE_IQ2_S]   = DTYPE_IQ4_NL, [DTYPE_IQ3_XXS] = DTYPE_IQ4_NL,
        [DTYPE_IQ3_S]   = DTYPE_IQ4_NL, [DTYPE_IQ4_XS]  = DTYPE_IQ4_NL, [DTYPE_Q2_K]    = DTYPE_Q4_0,
        [DTYPE_Q3_K]    = DTYPE_Q4_0,   [DTYPE_TQ1_0]   = DTYPE_Q4_0,   [DTYPE_TQ2_0]   = DTYPE_Q4_0,
        [DTYPE_Q4_K]    = DTYPE_Q5_0,   [DTYPE_Q5_K]    = DTYPE_Q5_1,   [DTYPE_Q6_K]    = DTYPE_Q8_0,
    };
    // clang-format on
    if (whole_blocks(*type, cols)) return true;
    if (dtype_info[*type].block != 256)
        return error_set(
            err, "a row of %" PRIu64 " numbers is not a multiple of the %u of a block of %s", cols,
            dtype_info[*type].block, dtype_name(*type));
    *type = whole_blocks(smaller[*type], cols) ? smaller[*type] : DTYPE_F16;
    return true;
}
