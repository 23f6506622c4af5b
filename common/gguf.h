/* gguf.h -- weights and metadata in one file, in the format of ggml and llama.cpp.
 *
 *     Gguf    *file = gguf_open("model-Q4_K_M.gguf", &err);
 *     uint64_t layers;
 *     if (!gguf_integer(file, "llama.block_count", 0, &layers, &err)) ...
 *     const GgufTensor *q = gguf_tensor(file, "blk.0.attn_q.weight");    // NULL if there is none
 *     // q->shape is {in, out}, q->data has q->bytes bytes in blocks of dtype_info[q->type]
 *     gguf_close(file);
 *
 *     GgufText token = {NULL, 0};    // texts one after the other: a vocabulary
 *     while (gguf_next_text(gguf_value(file, "tokenizer.ggml.tokens"), &token)) ...
 *
 * The format (ggml, docs/gguf.md), all little-endian: "GGUF", a version (2 and 3 are read); the numbers
 * of tensors and of metadata values; the values, each with a key, a type and a value; the tensors, each a name,
 * dimensions, a type and an offset; from the next multiple of general.alignment on, the data. Every
 * rule is checked before a pointer is handed out: no damaged file is read past its end. An open
 * file is mapped, not copied: all that is handed out lives until gguf_close(), and the file must not
 * be cut meanwhile.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/error.h"
#include "common/file.h"
#include "kernels/dtype.h"

enum { GGUF_MAX_DIMS = 4 };

// The type of a metadata value, by its number in a file.
typedef enum GgufKind {
    // clang-format off
    GGUF_UINT8, GGUF_INT8, GGUF_UINT16, GGUF_INT16, GGUF_UINT32, GGUF_INT32, GGUF_FLOAT32, GGUF_BOOL,
    GGUF_STRING, GGUF_ARRAY, GGUF_UINT64, GGUF_INT64, GGUF_FLOAT64,
    // clang-format on
    GGUF_KINDS
} GgufKind;

typedef struct GgufValue {
    const char *key;
    GgufKind kind;    // of an array: of its elements
    bool array;
    uint64_t count;         // 1, or an array's length
    const uint8_t *data;    // perhaps not aligned: to be read by the functions below
    size_t bytes;
} GgufValue;

// A text in the file: any bytes, not ended by a zero, perhaps not UTF-8 (a token may be a part of a letter).
typedef struct GgufText {
    const char *bytes;
    size_t length;
} GgufText;

typedef struct GgufTensor {
    const char *name;
    DType type;
    int dims;
    uint64_t shape[GGUF_MAX_DIMS];    // innermost first; 1 where there is no dimension
    uint64_t count, bytes;            // numbers, and the bytes that they take
    uint64_t offset;                  // of the data, from the file's start
    const void *data;                 // aligned as the file says (32 bytes, mostly)
} GgufTensor;

typedef struct Gguf {
    char *path;    // for messages
    uint32_t version;
    uint64_t alignment;
    int value_count;
    GgufValue *values;    // in the order of the file
    int tensor_count;
    GgufTensor *tensors;           // in the order of the file
    const GgufTensor **by_name;    // sorted
    FileView view;                 // of no bytes when they are the caller's
} Gguf;

// NULL and a message when the file cannot be read or breaks a rule.
Gguf *gguf_open(const char *path, Error *err);
Gguf *gguf_parse(const void *bytes, size_t size, const char *name, Error *err);
void gguf_close(Gguf *file);    // NULL is fine

// The same for a file that may end anywhere after its header: every tensor's data is NULL.
Gguf *gguf_open_header(const char *path, Error *err);
Gguf *gguf_parse_header(const void *bytes, size_t size, const char *name, Error *err);

const GgufTensor *gguf_tensor(const Gguf *file, const char *name);    // NULL if there is none
const GgufValue *gguf_value(const Gguf *file, const char *key);       // NULL if there is none

// Element `index` of an array; 0 of a single value. False when the value is NULL, of another kind
// (an integer takes all whole numbers that are not negative, a real takes any number) or shorter.
bool gguf_integer_at(const GgufValue *value, uint64_t index, uint64_t *number);
bool gguf_real_at(const GgufValue *value, uint64_t index, double *number);
bool gguf_bool_at(const GgufValue *value, uint64_t index, bool *truth);
// The next text of an array (or the only one) after *text, which begins as {NULL, 0}.
bool gguf_next_text(const GgufValue *value, GgufText *text);

// The same by key, with a sentence when it is missing or of another kind.
bool gguf_integer(const Gguf *file, const char *key, uint64_t index, uint64_t *number, Error *err);
bool gguf_real(const Gguf *file, const char *key, uint64_t index, double *number, Error *err);
bool gguf_text(const Gguf *file, const char *key, GgufText *text, Error *err);    // a single one
