/* bench_models.h -- the same weights in files for every side: a GGUF file of each type, and what peers want else.
 *
 *     BenchModels *models = bench_models_open(keep, &err);          // in a folder of their own
 *     const char *path = bench_models_gguf(models, "SmolLM2", DTYPE_Q8_0, &err);
 *     bench_models_llama2c(models, path, &err);                      // of an F32 one: llama2.c's .bin
 *     bench_models_close(models);                                    // and the files are gone
 *
 * SmolLM2 comes from the data folder (`lab data get smollm2`); without it, its shape with random weights.
 */
#pragma once
#include "common/arena.h"
#include "common/error.h"
#include "kernels/dtype.h"

typedef struct BenchModels BenchModels;

BenchModels *bench_models_open(Arena *keep, Error *err);    // NULL and why
void bench_models_close(BenchModels *models);               // NULL is fine

const char *bench_models_source(const BenchModels *models);    // where SmolLM2's weights are from

// model: "SmolLM2" or random weights by name, "random:1.1b:Q4_0". NULL and why.
const char *bench_models_gguf(BenchModels *models, const char *model, DType type, Error *err);
const char *bench_models_llama2c(BenchModels *models, const char *gguf, Error *err);
const char *bench_models_folder(BenchModels *models, const char *gguf, Error *err);
