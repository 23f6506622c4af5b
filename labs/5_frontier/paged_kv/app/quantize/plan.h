/* plan.h -- the tensors of a GGUF file to be: where each comes from, and the type that it gets.
 *
 *     Plan plan = plan_of(arena, file, (TypeChoice){.type = DTYPE_Q4_K, .head = DTYPE_NONE, ...});
 *     for (int i = 0; i < plan.count; i++) ... plan.tensors[i].name, plan.tensors[i].type
 *
 * Types are chosen as llama.cpp's quantize does, but for those that are not written here:
 *   - norms, biases and learned positions are F32;
 *   - the output head, and the embedding where it is also the head, is Q8_0 in a quantized file (llama.cpp:
 *     Q6_K where rows are whole blocks of that);
 *   - a matrix whose rows are no whole blocks of the type falls back: Q4_K to Q8_0 (llama.cpp: Q5_0), what is
 *     no multiple of 32 to F16.
 */
#pragma once
#include "labs/3_language/transformer/files/model_file.h"

typedef struct TypeChoice {
    DType type;
    DType head, embedding;    // instead; DTYPE_NONE: as above
} TypeChoice;

typedef struct PlanTensor {
    const char *name;    // in the new file
    int dims;
    uint64_t shape[GGUF_MAX_DIMS];    // innermost first
    uint64_t rows, cols;
    DType from, type;
    bool falls_back;     // the type is not the one that was asked for
    const void *data;    // of type `from`; NULL: drawn at random
    const Piece
        *piece;    // where the rows lie otherwise than in the file that is read; NULL: as there
    bool transposed;    // [cols,rows] there
    int index;          // of random weights' draws
} PlanTensor;

typedef struct Plan {
    int count;
    PlanTensor *tensors;
} Plan;

// Names and data are the file's. `gguf`: the family's format.
Plan plan_of(Arena *arena, const ModelFile *file, Format gguf, TypeChoice choice);
