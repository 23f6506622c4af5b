/* requantize.h -- a model's weights written as a GGUF file of another type, whole or not at all.
 *
 *     ModelFile *file = model_file_open("model", &err);
 *     Requantized made;
 *     Requantize how = {.choice = {DTYPE_Q8_0, DTYPE_NONE, DTYPE_NONE}, .vocabulary = "model"};
 *     if (!requantize(keep, file, "model.gguf", &how, &made, &err)) ...
 *
 * Tensor by tensor, in parts of some megabytes: a model that is larger than memory goes too.
 */
#pragma once
#include <signal.h>
#include "labs/5_frontier/paged_kv/app/quantize/convert.h"

typedef struct Requantize {
    TypeChoice choice;
    const char *vocabulary;               // of a file that is not GGUF; NULL: none
    const volatile sig_atomic_t *stop;    // it ends, without a file, when this is not 0; or NULL
} Requantize;

typedef struct Requantized {
    Plan plan;
    Loss *losses;      // [plan.count]
    uint64_t bytes;    // of the file
} Requantized;

// False also where *stop ended it.
bool requantize(Arena *keep, const ModelFile *file, const char *out, const Requantize *how,
                Requantized *made, Error *err);
