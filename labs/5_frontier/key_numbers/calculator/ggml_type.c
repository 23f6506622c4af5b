#include "labs/5_frontier/key_numbers/calculator/ggml_type.h"
#include <stddef.h>

// The blocks of ggml (src/ggml-common.h), taken apart as kn_format_bytes() wants them. Where small
// blocks stand in one of 256 numbers, `super` puts them together.
static const KnFormat formats[] = {
    [GGUF_F32]  = {.bits = 32},
    [GGUF_F16]  = {.bits = 16},
    [GGUF_BF16] = {.bits = 16},
    // a half for 32 numbers, and with _1 another for their minimum
    [GGUF_Q4_0] = {4, 32, 16, 0, 0},
    [GGUF_Q4_1] = {4, 32, 32, 0, 0},
    [GGUF_Q5_0] = {5, 32, 16, 0, 0},
    [GGUF_Q5_1] = {5, 32, 32, 0, 0},
    [GGUF_Q8_0] = {8, 32, 16, 0, 0},
    // a half for 256; scales of 4, 6 or 8 bits for 16 or 32, and in Q2, Q4 and Q5 as large a minimum
    [GGUF_Q2_K] = {2, 16, 4 + 4, 16, 16 + 16},
    [GGUF_Q3_K] = {3, 16, 6, 16, 16},
    [GGUF_Q4_K] = {4, 32, 6 + 6, 8, 16 + 16},
    [GGUF_Q5_K] = {5, 32, 6 + 6, 8, 16 + 16},
    [GGUF_Q6_K] = {6, 16, 8, 16, 16},
    // Signs and places in a table of points for 4 or 8 numbers. Bits that are not a whole number for
    // each are counted with the block: 3 more of IQ1's 11 for 8 numbers, the fourth sign bit of IQ3_S.
    [GGUF_IQ1_S]   = {1, 32, 4 * 3 + 3 + 1, 8, 16},
    [GGUF_IQ1_M]   = {1, 32, 4 * 4 + 2 * 3 + 2, 0, 0},    // the half is in the last 2 of each
    [GGUF_IQ2_XXS] = {2, 256, 16, 0, 0},
    [GGUF_IQ2_XS]  = {2, 16, 4, 16, 16},
    [GGUF_IQ2_S]   = {2, 16, 2 * 2 + 4, 16, 16},
    [GGUF_IQ3_XXS] = {3, 256, 16, 0, 0},
    [GGUF_IQ3_S]   = {3, 32, 8 + 4, 8, 16},
    [GGUF_IQ4_NL]  = {4, 32, 16, 0, 0},
    [GGUF_IQ4_XS]  = {4, 32, 6, 8, 16},
    // five numbers of three values in a byte (3^5 < 256), the last 16 four in a byte
    [GGUF_TQ1_0] = {1, 256, 48 * 8 + 4 * 8 - 256 + 16, 0, 0},
    [GGUF_TQ2_0] = {2, 256, 16, 0, 0},
    [GGUF_MXFP4] = {4, 32, 8, 0, 0},
};

const KnFormat *ggml_format(GgufType type)
{
    bool known = (size_t)type < sizeof formats / sizeof *formats && formats[type].bits > 0;
    return known ? &formats[type] : NULL;
}

uint64_t ggml_bytes(GgufType type, uint64_t rows, uint64_t cols)
{
    return rows * kn_format_bytes(ggml_format(type), cols);
}

static bool whole_blocks(GgufType type, uint64_t cols)
{
    return cols % gguf_type(type)->block == 0;
}

// llama.cpp, src/llama-quant.cpp: tensor_type_fallback().
bool ggml_fit(GgufType *type, uint64_t cols, Error *err)
{
    // clang-format off
    static const GgufType smaller[] = {
        [GGUF_IQ1_S]   = GGUF_IQ4_NL, [GGUF_IQ1_M]   = GGUF_IQ4_NL, [GGUF_IQ2_XXS] = GGUF_IQ4_NL,
        [GGUF_IQ2_XS]  = GGUF_IQ4_NL, [GGUF_IQ2_S]   = GGUF_IQ4_NL, [GGUF_IQ3_XXS] = GGUF_IQ4_NL,
        [GGUF_IQ3_S]   = GGUF_IQ4_NL, [GGUF_IQ4_XS]  = GGUF_IQ4_NL, [GGUF_Q2_K]    = GGUF_Q4_0,
        [GGUF_Q3_K]    = GGUF_Q4_0,   [GGUF_TQ1_0]   = GGUF_Q4_0,   [GGUF_TQ2_0]   = GGUF_Q4_0,
        [GGUF_Q4_K]    = GGUF_Q5_0,   [GGUF_Q5_K]    = GGUF_Q5_1,   [GGUF_Q6_K]    = GGUF_Q8_0,
    };
    // clang-format on
    if (whole_blocks(*type, cols)) return true;
    if (gguf_type(*type)->block != 256)
        return error_set(err, "a row of %llu numbers is not a multiple of the %u of a block of %s",
                         (unsigned long long)cols, gguf_type(*type)->block, gguf_type(*type)->name);
    *type = whole_blocks(smaller[*type], cols) ? smaller[*type] : GGUF_F16;
    return true;
}
