/* gguf_writer.h -- writes a GGUF file (gguf.h): the settings, the tensors' descriptions, their data.
 *
 *     GgufWriter *out = gguf_writer_open("model.gguf", &err);
 *     gguf_writer_text(out, "general.architecture", "llama");
 *     gguf_writer_integer(out, "llama.block_count", 5);
 *     gguf_writer_tensor(out, "token_embd.weight", DTYPE_F32, 2, (uint64_t[]){64, 512});
 *     gguf_writer_data(out, numbers, 64 * 512 * 4);    // in the order of the tensors, each whole
 *     if (!gguf_writer_commit(out, &err)) ...          // until here nothing is seen of the file
 *
 * Settings and tensors come in any order, all before the first data.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/error.h"
#include "common/gguf.h"
#include "kernels/dtype.h"

typedef struct GgufWriter GgufWriter;

GgufWriter *gguf_writer_open(const char *path, Error *err);    // NULL and why

void gguf_writer_text(GgufWriter *out, const char *key, const char *text);
void gguf_writer_integer(GgufWriter *out, const char *key, uint32_t number);
void gguf_writer_real(GgufWriter *out, const char *key, float number);
void gguf_writer_bool(GgufWriter *out, const char *key, bool truth);
// Arrays: of texts with their lengths, of INT32, of FLOAT32.
void gguf_writer_texts(GgufWriter *out, const char *key, const char *const texts[],
                       const size_t lengths[], size_t count);
void gguf_writer_integers(GgufWriter *out, const char *key, const int32_t *numbers, size_t count);
void gguf_writer_reals(GgufWriter *out, const char *key, const float *numbers, size_t count);
void gguf_writer_copy(GgufWriter *out, const GgufValue *value);    // as another file has it

// shape: innermost first, as the format has it.
void gguf_writer_tensor(GgufWriter *out, const char *name, DType type, int dims,
                        const uint64_t shape[]);
void gguf_writer_data(GgufWriter *out, const void *bytes, size_t size);
// The same in parts, where a tensor is larger than memory should be.
void gguf_writer_part(GgufWriter *out, const void *bytes, size_t size);
void gguf_writer_end_data(GgufWriter *out);

uint64_t gguf_writer_bytes(const GgufWriter *out);    // of the whole file, once all is described
// Whether a write has failed, so that there is no use in going on; gguf_writer_commit() says why.
bool gguf_writer_failed(const GgufWriter *out);

bool gguf_writer_commit(GgufWriter *out, Error *err);    // closes it, whatever happens
void gguf_writer_abandon(GgufWriter *out);               // leaves no file; NULL is fine
