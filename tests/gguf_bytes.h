/* gguf_bytes.h -- GGUF files put together byte by byte, right or wrong, for the tests.
 *
 *     GgufBytes file = {0};
 *     gguf_bytes_begin(&file, 3, 1, 1);    // version 3, one tensor, one setting
 *     gguf_bytes_put_integer(&file, "llama.block_count", 32);
 *     gguf_bytes_put_tensor(&file, "token_embd.weight", GGML_F16, 2, (uint64_t[]){64, 100}, 0);
 *     gguf_bytes_pad(&file, 32, 64 * 100 * 2);    // the data: zeros
 */
#pragma once
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "common/gguf.h"

// The types' numbers in a file.
enum {
#define X(name, kind, block, bytes, safetensors, gguf) GGML_##name = (gguf),
    DTYPE_LIST(X)
#undef X
};

typedef struct GgufBytes {
    size_t size;
    uint8_t data[1 << 18];
} GgufBytes;

static inline void gguf_bytes_put(GgufBytes *file, const void *bytes, size_t size)
{
    if (size > sizeof file->data - file->size) abort();
    if (size > 0) memcpy(file->data + file->size, bytes, size);
    file->size += size;
}

static inline void gguf_bytes_put_32(GgufBytes *file, uint32_t number)
{
    gguf_bytes_put(file, &number, sizeof number);
}

static inline void gguf_bytes_put_64(GgufBytes *file, uint64_t number)
{
    gguf_bytes_put(file, &number, sizeof number);
}

static inline void gguf_bytes_put_text(GgufBytes *file, const char *text)
{
    gguf_bytes_put_64(file, strlen(text));
    gguf_bytes_put(file, text, strlen(text));
}

static inline void gguf_bytes_begin(GgufBytes *file, uint32_t version, uint64_t tensors,
                                    uint64_t values)
{
    file->size = 0;
    gguf_bytes_put(file, "GGUF", 4);
    gguf_bytes_put_32(file, version);
    gguf_bytes_put_64(file, tensors);
    gguf_bytes_put_64(file, values);
}

// A setting of one number, or the head of an array: the elements follow.
static inline void gguf_bytes_put_value(GgufBytes *file, const char *key, GgufKind kind,
                                        const void *bytes, size_t size)
{
    gguf_bytes_put_text(file, key);
    gguf_bytes_put_32(file, kind);
    gguf_bytes_put(file, bytes, size);
}

static inline void gguf_bytes_put_integer(GgufBytes *file, const char *key, uint32_t number)
{
    gguf_bytes_put_value(file, key, GGUF_UINT32, &number, sizeof number);
}

static inline void gguf_bytes_put_string(GgufBytes *file, const char *key, const char *text)
{
    gguf_bytes_put_value(file, key, GGUF_STRING, NULL, 0);
    gguf_bytes_put_text(file, text);
}

static inline void gguf_bytes_put_array(GgufBytes *file, const char *key, GgufKind kind,
                                        uint64_t count, const void *bytes, size_t size)
{
    gguf_bytes_put_value(file, key, GGUF_ARRAY, NULL, 0);
    gguf_bytes_put_32(file, kind);
    gguf_bytes_put_64(file, count);
    gguf_bytes_put(file, bytes, size);
}

static inline void gguf_bytes_put_tensor(GgufBytes *file, const char *name, uint32_t type,
                                         uint32_t dims, const uint64_t *shape, uint64_t offset)
{
    gguf_bytes_put_text(file, name);
    gguf_bytes_put_32(file, dims);
    gguf_bytes_put(file, shape, dims * sizeof *shape);
    gguf_bytes_put_32(file, type);
    gguf_bytes_put_64(file, offset);
}

// Zeros to the next multiple, and `more` after it.
static inline void gguf_bytes_pad(GgufBytes *file, size_t multiple, size_t more)
{
    size_t end = (file->size + multiple - 1) / multiple * multiple + more;
    if (end > sizeof file->data) abort();
    memset(file->data + file->size, 0, end - file->size);
    file->size = end;
}
