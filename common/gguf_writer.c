#include "common/gguf_writer.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "common/file.h"
#include "common/gguf.h"

enum { VERSION = 3, ALIGNMENT = 32 };

struct GgufWriter {
    NewFile file;
    FILE *values, *tensors;    // the two parts of the header, in memory until the data begins
    char *value_bytes, *tensor_bytes;
    size_t value_size, tensor_size;
    uint64_t value_count, tensor_count;
    uint64_t described, written;    // bytes of data, with what fills them up to the alignment
    uint64_t in_tensor;             // bytes of the one that is being written
};

static void put(FILE *out, const void *bytes, size_t size)
{
    if (size > 0) fwrite(bytes, 1, size, out);
}

static void put_32(FILE *out, uint32_t number)
{
    put(out, &number, sizeof number);
}

static void put_64(FILE *out, uint64_t number)
{
    put(out, &number, sizeof number);
}

static void put_text(FILE *out, const char *text, size_t length)
{
    put_64(out, length);
    put(out, text, length);
}

static uint64_t padding(uint64_t size)
{
    return -size % ALIGNMENT;
}

static void pad(FILE *out, uint64_t bytes)
{
    static const char zeros[ALIGNMENT];
    put(out, zeros, bytes);
}

GgufWriter *gguf_writer_open(const char *path, Error *err)
{
    GgufWriter *out = calloc(1, sizeof *out);
    REQUIRE(out != NULL, "no memory to write %s", path);
    if (!file_begin(&out->file, path, err)) {
        free(out);
        return NULL;
    }
    out->values = open_memstream(&out->value_bytes, &out->value_size);
    out->tensors = open_memstream(&out->tensor_bytes, &out->tensor_size);
    REQUIRE(out->values != NULL && out->tensors != NULL, "no memory to write %s", path);
    return out;
}

// ---- settings ----

static FILE *begin_value(GgufWriter *out, const char *key, GgufKind kind)
{
    REQUIRE(out->values != NULL, "'%s' comes after the data", key);
    out->value_count++;
    put_text(out->values, key, strlen(key));
    put_32(out->values, kind);
    return out->values;
}

void gguf_writer_text(GgufWriter *out, const char *key, const char *text)
{
    put_text(begin_value(out, key, GGUF_STRING), text, strlen(text));
}

void gguf_writer_integer(GgufWriter *out, const char *key, uint32_t number)
{
    put_32(begin_value(out, key, GGUF_UINT32), number);
}

void gguf_writer_real(GgufWriter *out, const char *key, float number)
{
    put(begin_value(out, key, GGUF_FLOAT32), &number, sizeof number);
}

void gguf_writer_bool(GgufWriter *out, const char *key, bool truth)
{
    put(begin_value(out, key, GGUF_BOOL), &(uint8_t){truth}, 1);
}

static FILE *begin_array(GgufWriter *out, const char *key, GgufKind kind, size_t count)
{
    FILE *values = begin_value(out, key, GGUF_ARRAY);
    put_32(values, kind);
    put_64(values, count);
    return values;
}

void gguf_writer_texts(GgufWriter *out, const char *key, const char *const texts[],
                       const size_t lengths[], size_t count)
{
    FILE *values = begin_array(out, key, GGUF_STRING, count);
    for (size_t i = 0; i < count; i++) put_text(values, texts[i], lengths[i]);
}

void gguf_writer_integers(GgufWriter *out, const char *key, const int32_t *numbers, size_t count)
{
    put(begin_array(out, key, GGUF_INT32, count), numbers, count * sizeof *numbers);
}

void gguf_writer_reals(GgufWriter *out, const char *key, const float *numbers, size_t count)
{
    put(begin_array(out, key, GGUF_FLOAT32, count), numbers, count * sizeof *numbers);
}

void gguf_writer_copy(GgufWriter *out, const GgufValue *value)
{
    FILE *values = value->array ? begin_array(out, value->key, value->kind, (size_t)value->count)
                                : begin_value(out, value->key, value->kind);
    put(values, value->data, value->bytes);
}

// ---- tensors ----

void gguf_writer_tensor(GgufWriter *out, const char *name, DType type, int dims,
                        const uint64_t shape[])
{
    REQUIRE(out->tensors != NULL, "'%s' comes after the data", name);
    REQUIRE(dtype_info[type].gguf >= 0, "a GGUF file has no %s", dtype_name(type));
    uint64_t count = 1;
    out->tensor_count++;
    put_text(out->tensors, name, strlen(name));
    put_32(out->tensors, (uint32_t)dims);
    for (int d = 0; d < dims; d++) {
        put_64(out->tensors, shape[d]);
        count *= shape[d];
    }
    put_32(out->tensors, (uint32_t)dtype_info[type].gguf);
    put_64(out->tensors, out->described);
    const uint64_t bytes = dtype_bytes(type, count);
    out->described += bytes + padding(bytes);
}

// Flushes both parts of the header into the file.
static void begin_data(GgufWriter *out)
{
    FILE *file = out->file.stream;
    fclose(out->values);
    fclose(out->tensors);
    out->values = out->tensors = NULL;
    put(file, "GGUF", 4);
    put_32(file, VERSION);
    put_64(file, out->tensor_count);
    put_64(file, out->value_count);
    put(file, out->value_bytes, out->value_size);
    put(file, out->tensor_bytes, out->tensor_size);
    pad(file, padding(4 + 4 + 8 + 8 + out->value_size + out->tensor_size));
}

void gguf_writer_part(GgufWriter *out, const void *bytes, size_t size)
{
    if (out->values != NULL) begin_data(out);
    put(out->file.stream, bytes, size);
    out->in_tensor += size;
}

void gguf_writer_end_data(GgufWriter *out)
{
    pad(out->file.stream, padding(out->in_tensor));
    out->written += out->in_tensor + padding(out->in_tensor);
    out->in_tensor = 0;
}

void gguf_writer_data(GgufWriter *out, const void *bytes, size_t size)
{
    gguf_writer_part(out, bytes, size);
    gguf_writer_end_data(out);
}

uint64_t gguf_writer_bytes(const GgufWriter *out)
{
    if (out->values != NULL) {
        fflush(out->values);
        fflush(out->tensors);
    }
    const uint64_t header = 4 + 4 + 8 + 8 + out->value_size + out->tensor_size;
    return header + padding(header) + out->described;
}

bool gguf_writer_failed(const GgufWriter *out)
{
    return ferror(out->file.stream) != 0;
}

// ---- the end ----

static void release(GgufWriter *out)
{
    if (out->values != NULL) fclose(out->values);
    if (out->tensors != NULL) fclose(out->tensors);
    free(out->value_bytes);
    free(out->tensor_bytes);
    free(out);
}

bool gguf_writer_commit(GgufWriter *out, Error *err)
{
    if (out->values != NULL) begin_data(out);
    REQUIRE(out->written == out->described || gguf_writer_failed(out),
            "%s: has %zu bytes of data, expected %zu for its tensors", out->file.path,
            (size_t)out->written, (size_t)out->described);
    // On the disk before the old file's name is theirs.
    if (fflush(out->file.stream) == 0) fsync(fileno(out->file.stream));
    const bool committed = file_commit(&out->file, err);
    release(out);
    return committed;
}

void gguf_writer_abandon(GgufWriter *out)
{
    if (out == NULL) return;
    file_abandon(&out->file);
    release(out);
}
