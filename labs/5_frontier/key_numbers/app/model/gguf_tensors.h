/* gguf_tensors.h -- what the tensors of a GGUF say alone: the types in which they are stored, and a model whose
 * architecture is not known.
 *
 *     Model *model = gguf_by_tensors(&source, "what is not known", &err);    // NULL and why
 *
 * The header is the truth: parameters, bytes, and the rows that are cached. How it attends is not in it.
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/model/build.h"
#include "labs/5_frontier/key_numbers/app/model/gguf_source.h"

enum { GGUF_LAYERS_MOST = 4096 };
#define GGUF_ELEMENTS_MOST                                                                         \
    (UINT64_C(1) << 53)    // of a tensor: a thousand times the largest there is

Model *gguf_by_tensors(GgufSource *source, const char *why, Error *err);

// model->stored: those of `types` that have a name, in the order of their bytes.
void gguf_add_types(const GgufSource *source, Model *model, const StoredType types[DTYPE_COUNT]);
// What general.file_type says; else of the type that most bytes have.
const char *gguf_file_type(const GgufSource *source, const Model *model);
// The sentence that `key` says more than GGUF_LAYERS_MOST; false.
bool gguf_too_many(const GgufSource *source, const char *key, uint64_t layers, Error *err);
