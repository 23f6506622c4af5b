/* dtype.h -- the number types that tensors and files are stored in, one list for all of them.
 *
 *     dtype_bytes(DTYPE_F32, 1000);                 // 4000
 *     dtype_bytes(DTYPE_Q4_K, 4096);                // 2304: 16 blocks of 256 numbers in 144 bytes
 *     dtype_info[DTYPE_Q4_K].block;                 // 256
 *     DType type = dtype_from_safetensors("BF16");  // DTYPE_NONE if the format has no such type
 *
 * A type is stored in blocks: `block` numbers in `bytes` bytes. Plain types have blocks of one number;
 * types of four and six bits, whose numbers are packed, have the least block that ends at a byte.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum DTypeKind {
    DTYPE_KIND_FLOAT,
    DTYPE_KIND_INTEGER,
    DTYPE_KIND_QUANTIZED,    // blocks of small numbers with their scales
    DTYPE_KIND_OTHER    // truth values, complex numbers, powers of two that scale other numbers
} DTypeKind;

// Every type, once: its name, the same in every format that has it; its kind; numbers and bytes of a
// block; whether safetensors 0.8.0 has it; its number in GGUF (ggml, include/ggml.h and
// src/ggml-common.h), -1 if it is not in GGUF; numbers that GGUF once gave and withdrew are left out.
// F32 comes first, so that zeroed memory has that type. Its size is float's, because the checks of
// gradients compile the core with doubles (tests/double.h).
// clang-format off
#define DTYPE_LIST(X)                                                   \
    /* name         kind       block bytes safetensors GGUF */          \
    X(F32,         FLOAT,       1, sizeof(float), true, 0)                  \
    X(F16,         FLOAT,       1,   2, true,   1)                      \
    X(BF16,        FLOAT,       1,   2, true,  30)                      \
    X(F64,         FLOAT,       1,   8, true,  28)                      \
    X(F8_E4M3,     FLOAT,       1,   1, true,  -1)                      \
    X(F8_E5M2,     FLOAT,       1,   1, true,  -1)                      \
    X(F8_E4M3FNUZ, FLOAT,       1,   1, true,  -1)                      \
    X(F8_E5M2FNUZ, FLOAT,       1,   1, true,  -1)                      \
    X(F6_E2M3,     FLOAT,       4,   3, true,  -1)                      \
    X(F6_E3M2,     FLOAT,       4,   3, true,  -1)                      \
    X(F4,          FLOAT,       2,   1, true,  -1)                      \
    X(U8,          INTEGER,     1,   1, true,  -1)                      \
    X(I8,          INTEGER,     1,   1, true,  24)                      \
    X(U16,         INTEGER,     1,   2, true,  -1)                      \
    X(I16,         INTEGER,     1,   2, true,  25)                      \
    X(U32,         INTEGER,     1,   4, true,  -1)                      \
    X(I32,         INTEGER,     1,   4, true,  26)                      \
    X(U64,         INTEGER,     1,   8, true,  -1)                      \
    X(I64,         INTEGER,     1,   8, true,  27)                      \
    X(BOOL,        OTHER,       1,   1, true,  -1)                      \
    X(F8_E8M0,     OTHER,       1,   1, true,  -1)                      \
    X(C64,         OTHER,       1,   8, true,  -1)                      \
    /* 32 numbers with a scale (_0), or with a scale and a minimum (_1) */\
    X(Q4_0,        QUANTIZED,  32,  18, false,  2)                      \
    X(Q4_1,        QUANTIZED,  32,  20, false,  3)                      \
    X(Q5_0,        QUANTIZED,  32,  22, false,  6)                      \
    X(Q5_1,        QUANTIZED,  32,  24, false,  7)                      \
    X(Q8_0,        QUANTIZED,  32,  34, false,  8)                      \
    X(Q8_1,        QUANTIZED,  32,  36, false,  9)                      \
    /* 256 numbers in 8 or 16 parts, each with a small scale of its own */\
    X(Q2_K,        QUANTIZED, 256,  84, false, 10)                      \
    X(Q3_K,        QUANTIZED, 256, 110, false, 11)                      \
    X(Q4_K,        QUANTIZED, 256, 144, false, 12)                      \
    X(Q5_K,        QUANTIZED, 256, 176, false, 13)                      \
    X(Q6_K,        QUANTIZED, 256, 210, false, 14)                      \
    X(Q8_K,        QUANTIZED, 256, 292, false, 15)                      \
    /* indices into tables of numbers */                                \
    X(IQ1_S,       QUANTIZED, 256,  50, false, 19)                      \
    X(IQ1_M,       QUANTIZED, 256,  56, false, 29)                      \
    X(IQ2_XXS,     QUANTIZED, 256,  66, false, 16)                      \
    X(IQ2_XS,      QUANTIZED, 256,  74, false, 17)                      \
    X(IQ2_S,       QUANTIZED, 256,  82, false, 22)                      \
    X(IQ3_XXS,     QUANTIZED, 256,  98, false, 18)                      \
    X(IQ3_S,       QUANTIZED, 256, 110, false, 21)                      \
    X(IQ4_NL,      QUANTIZED,  32,  18, false, 20)                      \
    X(IQ4_XS,      QUANTIZED, 256, 136, false, 23)                      \
    /* three values, two values; four-bit floats */                     \
    X(TQ1_0,       QUANTIZED, 256,  54, false, 34)                      \
    X(TQ2_0,       QUANTIZED, 256,  66, false, 35)                      \
    X(Q1_0,        QUANTIZED, 128,  18, false, 41)                      \
    X(MXFP4,       QUANTIZED,  32,  17, false, 39)                      \
    X(NVFP4,       QUANTIZED,  64,  36, false, 40)

typedef enum DType {
#define X(name, kind, block, bytes, safetensors, gguf) DTYPE_##name,
    DTYPE_LIST(X)
#undef X
    DTYPE_COUNT,
    DTYPE_NONE = DTYPE_COUNT    // what a lookup returns when there is no such type
} DType;
// clang-format on

typedef struct DTypeInfo {
    const char *name;    // "Q4_K"
    DTypeKind kind;
    uint32_t block, bytes;    // 256 numbers in 144 bytes
    bool safetensors;
    int gguf;    // its number, or -1
} DTypeInfo;

extern const DTypeInfo dtype_info[DTYPE_COUNT];

const char *dtype_name(DType type);    // "F32"

// The bytes of `count` numbers in whole blocks: one that is only begun counts whole. UINT64_MAX where
// they are more.
uint64_t dtype_bytes(DType type, uint64_t count);

// The type of this name in a safetensors file, of this number in a GGUF file. DTYPE_NONE where the
// format has none.
DType dtype_from_safetensors(const char *name);
DType dtype_from_gguf(uint32_t number);

// Converts `count` numbers to floats. F64 is rounded to the nearest float, ties to even; F16, BF16, F8_E4M3
// and F8_E5M2 are exact, and a NaN keeps its sign. Of the quantized types it knows Q8_0, Q4_0, Q4_1,
// Q4_K and Q6_K; `count` is then a multiple of the block. `in` may be unaligned.
// Returns false and writes nothing for all other types, also when count is 0: a way to ask.
bool dtype_to_floats(DType type, float *out, const void *in, size_t count);

// Converts floats to F32, F16, BF16, F8_E4M3 or F8_E5M2, rounded to nearest, ties to even, subnormal
// results included. What rounds past the largest finite number becomes infinity, as in IEEE 754.
// F8_E4M3 has no infinity: what rounds past 448 (from above 464) becomes NaN, the OCP specification's
// non-saturating mode, because an overflow should show; clamp first to saturate. (PyTorch saturates since
// 2.12, infinity too; before it gave NaN.)
// A NaN becomes a quiet NaN of the same sign.
// Of the quantized types it writes Q8_0, Q4_0 and Q4_1, block for block as ggml does, and Q4_K, whose
// scales and minima are chosen by least squares; `count` is then a multiple of the block. All numbers of a
// block are finite and smaller than 65504 times the type's largest code, for the scale is a half.
// Returns false for all other types, as above.
bool dtype_from_floats(DType type, void *out, const float *in, size_t count);
