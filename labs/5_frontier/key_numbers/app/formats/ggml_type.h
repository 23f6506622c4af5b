/* ggml_type.h -- what a tensor takes in the block formats of ggml, and which format takes its place
 * where a row does not come out in whole blocks.
 *
 *     ggml_bytes(DTYPE_Q4_K, 4096, 4096);       // 9437184: rows of 16 blocks of 144 bytes
 *     DType type = DTYPE_Q4_K;
 *     ggml_fit(&type, 896, &err);              // type is Q5_0: 896 is 28 blocks of 32, not 3.5 of 256
 */
#pragma once
#include "common/error.h"
#include "common/gguf.h"
#include "labs/5_frontier/key_numbers/key_numbers.h"

KnFormat ggml_format(DType type);    // as kn_format_bytes() wants it
uint64_t ggml_bytes(DType type, uint64_t rows, uint64_t cols);
// Makes *type one that rows of `cols` numbers can take. False, and why, when llama.cpp has none either.
bool ggml_fit(DType *type, uint64_t cols, Error *err);
