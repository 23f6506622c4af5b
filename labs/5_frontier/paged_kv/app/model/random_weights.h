/* random_weights.h -- a model of a known shape with random numbers, to measure speed without a download.
 *
 *     ModelConfig config;
 *     DType type;
 *     if (!random_weights_parse("random:1.1b:Q4_0", &config, &type, &err)) ...
 *     random_weights_fill(out, type, count, draw_at(1, 0, matrix));    // mean 0, standard deviation 0.02
 *
 * Sizes: 15m, 42m and 110m are those of llama2.c, 135m is SmolLM2's, 1.1b TinyLlama's. Types: F32 (without one),
 * F16, BF16, Q8_0, Q4_0 and Q4_1; those of blocks have random numbers in blocks of one scale. What such a
 * model says is noise.
 */
#pragma once
#include "kernels/draw.h"
#include "kernels/dtype.h"
#include "labs/3_language/transformer/files/model_file.h"

bool random_weights_named(const char *path);    // begins with "random:"
bool random_weights_parse(const char *path, ModelConfig *config, DType *type, Error *err);
void random_weights_fill(void *out, DType type, size_t count, Draw draw);    // count: whole blocks

// A file without data, whose pieces are those of Hugging Face's LLaMA: matrix i is drawn from draw_at(1, 0, i),
// vectors are all 1. It lives in the arena.
bool random_weights_file(ModelFile *file, Arena *arena, const char *path, Error *err);
