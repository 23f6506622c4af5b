/* gguf.c -- the rules of the format, each checked before anything points into the data. */
#include "common/gguf.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the format's numbers are little-endian");

enum {
    OLDEST = 2,    // version 1 had 32-bit lengths, and was given up within weeks
    NEWEST = 3,
    ALIGNMENT = 32,    // unless general.alignment says otherwise
    MAX_ALIGNMENT = 1 << 30,
    MAX_NAME = 65535,               // of a key, by the format; ggml itself takes 63 for a tensor's
    MAX_VALUES = 1 << 16,           // real files have some dozens of metadata values,
    MAX_TENSORS = 1 << 20,          // and at most some ten thousands of tensors (an expert each)
    VALUE_BYTES = 8 + 1 + 4 + 1,    // the least that one takes: a key of one letter, kind, value
    TENSOR_BYTES = 8 + 1 + 4 + 4 + 8    // name, no dimensions, type, offset
};

static const uint8_t KIND_BYTES[GGUF_KINDS] = {
    [GGUF_UINT8] = 1,  [GGUF_INT8] = 1,   [GGUF_BOOL] = 1,    [GGUF_UINT16] = 2,
    [GGUF_INT16] = 2,  [GGUF_UINT32] = 4, [GGUF_INT32] = 4,   [GGUF_FLOAT32] = 4,
    [GGUF_UINT64] = 8, [GGUF_INT64] = 8,  [GGUF_FLOAT64] = 8,
};

// ---- reading ----

typedef struct Reader {
    const char *path;
    const uint8_t *start, *at, *end;
    const char *what;    // "metadata value", "tensor": for messages
    uint64_t index, count;
    Error *err;
} Reader;

static size_t left(const Reader *reader)
{
    return (size_t)(reader->end - reader->at);
}

static bool ends(const Reader *reader)
{
    return error_set(reader->err, "%s: ends within %s %" PRIu64 " of %" PRIu64 ", after %zu bytes",
                     reader->path, reader->what, reader->index + 1, reader->count,
                     (size_t)(reader->end - reader->start));
}

static bool take(Reader *reader, void *out, size_t size)
{
    if (size > left(reader)) return ends(reader);
    memcpy(out, reader->at, size);
    reader->at += size;
    return true;
}

// A key or a tensor's name. The format wants ASCII of keys; a name goes into messages, so that a
// control character in it is refused as well.
static bool take_name(Reader *reader, const char **name)
{
    uint64_t length = 0;
    if (!take(reader, &length, sizeof length)) return false;
    if (length == 0 || length > MAX_NAME)
        return error_set(reader->err,
                         "%s: the name of %s %" PRIu64 " has %" PRIu64 " bytes, expected 1 to %d",
                         reader->path, reader->what, reader->index + 1, length, MAX_NAME);
    if (length > left(reader)) return ends(reader);
    for (uint64_t i = 0; i < length; i++)
        if (reader->at[i] < ' ' || reader->at[i] > '~')
            return error_set(reader->err, "%s: the name of %s %" PRIu64 " is not ASCII text",
                             reader->path, reader->what, reader->index + 1);
    *name = strndup((const char *)reader->at, length);
    if (*name == NULL) return error_set(reader->err, "%s: no memory for a name", reader->path);
    reader->at += length;
    return true;
}

static bool skip_texts(Reader *reader, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        uint64_t length = 0;
        if (!take(reader, &length, sizeof length)) return false;
        if (length > left(reader)) return ends(reader);
        reader->at += length;
    }
    return true;
}

static bool read_elements(Reader *reader, GgufValue *value)
{
    value->data = reader->at;
    size_t each = value->kind == GGUF_STRING ? 8 : KIND_BYTES[value->kind];
    if (value->count > left(reader) / each) return ends(reader);
    if (value->kind == GGUF_STRING) {
        if (!skip_texts(reader, value->count)) return false;
    } else {
        reader->at += value->count * each;
    }
    value->bytes = (size_t)(reader->at - value->data);
    for (uint64_t i = 0; i < value->count && value->kind == GGUF_BOOL; i++)
        if (value->data[i] > 1)
            return error_set(reader->err, "%s: '%s' has the truth value %d, expected 0 or 1",
                             reader->path, value->key, value->data[i]);
    return true;
}

static bool read_value(Reader *reader, GgufValue *value)
{
    uint32_t kind = 0;
    if (!take_name(reader, &value->key) || !take(reader, &kind, sizeof kind)) return false;
    value->count = 1;
    value->array = kind == GGUF_ARRAY;
    if (value->array &&
        (!take(reader, &kind, sizeof kind) || !take(reader, &value->count, sizeof value->count)))
        return false;
    if (kind == GGUF_ARRAY)    // the format has them, and no program that writes or reads them
        return error_set(reader->err, "%s: '%s' is an array of arrays", reader->path, value->key);
    if (kind >= GGUF_KINDS)
        return error_set(reader->err, "%s: '%s' is of the unknown kind %lu", reader->path,
                         value->key, (unsigned long)kind);
    value->kind = (GgufKind)kind;
    return read_elements(reader, value);
}

static bool read_shape(Reader *reader, GgufTensor *tensor, Error *err)
{
    uint32_t dims = 0;
    if (!take(reader, &dims, sizeof dims)) return false;
    if (dims > GGUF_MAX_DIMS)
        return error_set(err, "%s: '%s' has %lu dimensions, expected at most %d", reader->path,
                         tensor->name, (unsigned long)dims, GGUF_MAX_DIMS);
    tensor->dims = (int)dims;
    tensor->count = 1;
    for (int d = 0; d < GGUF_MAX_DIMS; d++) tensor->shape[d] = 1;
    if (!take(reader, tensor->shape, dims * sizeof *tensor->shape)) return false;
    for (int d = 0; d < GGUF_MAX_DIMS; d++)
        if (__builtin_mul_overflow(tensor->count, tensor->shape[d], &tensor->count))
            return error_set(err, "%s: '%s' has over 2^64 numbers", reader->path, tensor->name);
    return true;
}

static bool read_tensor(Reader *reader, GgufTensor *tensor, Error *err)
{
    uint32_t number = 0;
    if (!take_name(reader, &tensor->name) || !read_shape(reader, tensor, err) ||
        !take(reader, &number, sizeof number) ||
        !take(reader, &tensor->offset, sizeof tensor->offset))
        return false;
    tensor->type = dtype_from_gguf(number);
    if (tensor->type == DTYPE_NONE)
        return error_set(err, "%s: '%s' is of the ggml type %lu, which is not known", reader->path,
                         tensor->name, (unsigned long)number);
    const DTypeInfo *type = &dtype_info[tensor->type];
    if (tensor->shape[0] % type->block != 0)
        return error_set(
            err, "%s: '%s' has rows of %" PRIu64 " numbers, expected a multiple of %lu for %s",
            reader->path, tensor->name, tensor->shape[0], (unsigned long)type->block, type->name);
    tensor->bytes = dtype_bytes(tensor->type, tensor->count);
    return tensor->bytes < UINT64_MAX ||
           error_set(err, "%s: '%s' has over 2^64 bytes", reader->path, tensor->name);
}

// ---- the rules that hold between them ----

static int compare_names(const void *a, const void *b)
{
    return strcmp((*(const GgufTensor *const *)a)->name, (*(const GgufTensor *const *)b)->name);
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp((*(const GgufValue *const *)a)->key, (*(const GgufValue *const *)b)->key);
}

static int compare_offsets(const void *a, const void *b)
{
    const GgufTensor *x = *(const GgufTensor *const *)a, *y = *(const GgufTensor *const *)b;
    if (x->offset != y->offset) return x->offset < y->offset ? -1 : 1;
    return (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

static bool check_keys_differ(const Gguf *file, Error *err)
{
    const GgufValue **sorted = malloc(((size_t)file->value_count + 1) * sizeof *sorted);
    if (sorted == NULL) return error_set(err, "%s: no memory for its keys", file->path);
    for (int i = 0; i < file->value_count; i++) sorted[i] = &file->values[i];
    qsort(sorted, (size_t)file->value_count, sizeof *sorted, compare_keys);
    const char *twice = NULL;
    for (int i = 1; i < file->value_count; i++)
        if (compare_keys(&sorted[i - 1], &sorted[i]) == 0) twice = sorted[i]->key;
    free(sorted);
    return twice == NULL || error_set(err, "%s: the key '%s' appears twice", file->path, twice);
}

static bool read_alignment(Gguf *file, Error *err)
{
    if (gguf_value(file, "general.alignment") == NULL) return true;
    if (!gguf_integer(file, "general.alignment", 0, &file->alignment, err)) return false;
    uint64_t a = file->alignment;
    return (a >= 8 && a <= MAX_ALIGNMENT && (a & (a - 1)) == 0) ||
           error_set(err, "%s: general.alignment is %" PRIu64 ", expected a power of two from 8 on",
                     file->path, a);
}

// From the offset within the data to the one within the file; the end must be there when the data is.
static bool place(const Gguf *file, GgufTensor *tensor, uint64_t data, const uint8_t *bytes,
                  size_t size, Error *err)
{
    uint64_t offset = tensor->offset, end;
    if (offset % file->alignment != 0)
        return error_set(
            err, "%s: '%s' begins at byte %" PRIu64 " of the data, expected a multiple of %" PRIu64,
            file->path, tensor->name, offset, file->alignment);
    if (__builtin_add_overflow(data, offset, &tensor->offset) ||
        __builtin_add_overflow(tensor->offset, tensor->bytes, &end))
        return error_set(err, "%s: '%s' ends past 2^64 bytes", file->path, tensor->name);
    if (bytes == NULL) return true;
    if (end > size)
        return error_set(err, "%s: '%s' ends at byte %" PRIu64 " of a file of %zu", file->path,
                         tensor->name, end, size);
    tensor->data = bytes + tensor->offset;
    return true;
}

// `bytes` is NULL when the data is not there, or not asked for.
static bool check_tensors(Gguf *file, uint64_t header, const uint8_t *bytes, size_t size,
                          Error *err)
{
    uint64_t data = (header + file->alignment - 1) / file->alignment * file->alignment;
    size_t count = (size_t)file->tensor_count;
    file->by_name = malloc((count + 1) * sizeof *file->by_name);
    if (file->by_name == NULL) return error_set(err, "%s: no memory for its tensors", file->path);
    for (size_t i = 0; i < count; i++) {
        file->by_name[i] = &file->tensors[i];
        if (!place(file, &file->tensors[i], data, bytes, size, err)) return false;
    }
    qsort(file->by_name, count, sizeof *file->by_name, compare_offsets);
    for (size_t i = 1; i < count; i++) {
        const GgufTensor *before = file->by_name[i - 1], *tensor = file->by_name[i];
        if (tensor->offset < before->offset + before->bytes)
            return error_set(err,
                             "%s: '%s' begins at byte %" PRIu64 ", before '%s' ends at %" PRIu64,
                             file->path, tensor->name, tensor->offset, before->name,
                             before->offset + before->bytes);
    }
    qsort(file->by_name, count, sizeof *file->by_name, compare_names);
    for (size_t i = 1; i < count; i++)
        if (compare_names(&file->by_name[i - 1], &file->by_name[i]) == 0)
            return error_set(err, "%s: the tensor '%s' appears twice", file->path,
                             file->by_name[i]->name);
    return true;
}

// ---- the file ----

static bool check_version(Reader *reader, uint32_t *version, Error *err)
{
    char magic[4];
    if (left(reader) < sizeof magic + sizeof *version || !take(reader, magic, sizeof magic) ||
        memcmp(magic, "GGUF", sizeof magic) != 0)
        return error_set(err, "%s: is not a GGUF file: does not begin with \"GGUF\" and a version",
                         reader->path);
    if (!take(reader, version, sizeof *version)) return false;
    if ((*version & 0xFFFF) == 0 && *version != 0)    // the bytes of a small number, turned round
        return error_set(err, "%s: is a big-endian GGUF file, expected little-endian",
                         reader->path);
    return (*version >= OLDEST && *version <= NEWEST) ||
           error_set(err, "%s: is GGUF version %lu, expected %d or %d", reader->path,
                     (unsigned long)*version, OLDEST, NEWEST);
}

// How many metadata values or tensors there are: as many as fit into the rest of the file, each of `least` bytes.
static bool check_count(const Reader *reader, const char *what, uint64_t count, uint64_t most,
                        size_t least, Error *err)
{
    return (count <= most && count <= left(reader) / least) ||
           error_set(err,
                     "%s: %" PRIu64 " %ss in %zu bytes, expected at most %" PRIu64
                     ", of %zu bytes or more",
                     reader->path, count, what, left(reader), most, least);
}

static bool read_values(Gguf *file, Reader *reader, uint64_t count, Error *err)
{
    file->values = calloc(count + 1, sizeof *file->values);
    if (file->values == NULL)
        return error_set(err, "%s: no memory for its metadata values", file->path);
    reader->what = "metadata value", reader->count = count;
    for (reader->index = 0; reader->index < count; reader->index++) {
        file->value_count++;
        if (!read_value(reader, &file->values[reader->index])) return false;
    }
    return check_keys_differ(file, err) && read_alignment(file, err);
}

static bool read_tensors(Gguf *file, Reader *reader, uint64_t count, Error *err)
{
    file->tensors = calloc(count + 1, sizeof *file->tensors);
    if (file->tensors == NULL) return error_set(err, "%s: no memory for its tensors", file->path);
    reader->what = "tensor", reader->count = count;
    for (reader->index = 0; reader->index < count; reader->index++) {
        file->tensor_count++;
        if (!read_tensor(reader, &file->tensors[reader->index], err)) return false;
    }
    return true;
}

static bool read_header(Gguf *file, const uint8_t *bytes, size_t size, bool whole, Error *err)
{
    Reader reader = {.path = file->path,
                     .start = bytes,
                     .at = bytes,
                     .end = bytes + size,
                     .what = "count",
                     .count = 2,
                     .err = err};
    uint64_t tensors = 0, values = 0;
    file->alignment = ALIGNMENT;
    if (!check_version(&reader, &file->version, err) || !take(&reader, &tensors, sizeof tensors) ||
        !take(&reader, &values, sizeof values))
        return false;
    if (!check_count(&reader, "metadata value", values, MAX_VALUES, VALUE_BYTES, err) ||
        !check_count(&reader, "tensor", tensors, MAX_TENSORS, TENSOR_BYTES, err))
        return false;
    if (!read_values(file, &reader, values, err) || !read_tensors(file, &reader, tensors, err))
        return false;
    uint64_t header = (uint64_t)(reader.at - bytes);
    return check_tensors(file, header, whole ? bytes : NULL, size, err);
}

static Gguf *parse(const void *bytes, size_t size, const char *name, bool whole, Error *err)
{
    Gguf *file = calloc(1, sizeof *file);
    if (file == NULL || (file->path = strdup(name)) == NULL)
        error_set(err, "%s: no memory to open it", name);
    else if (read_header(file, bytes, size, whole, err)) return file;
    gguf_close(file);
    return NULL;
}

static Gguf *map(const char *path, bool whole, Error *err)
{
    FileView view;
    if (!file_map(&view, path, err)) return NULL;
    if (view.size == 0) return error_set(err, "%s: is empty", path), NULL;
    Gguf *file = parse(view.bytes, view.size, path, whole, err);
    if (file != NULL) file->view = view;
    else file_unmap(view);
    return file;
}

Gguf *gguf_open(const char *path, Error *err)
{
    return map(path, true, err);
}

Gguf *gguf_open_header(const char *path, Error *err)
{
    return map(path, false, err);
}

Gguf *gguf_parse(const void *bytes, size_t size, const char *name, Error *err)
{
    return parse(bytes, size, name, true, err);
}

Gguf *gguf_parse_header(const void *bytes, size_t size, const char *name, Error *err)
{
    return parse(bytes, size, name, false, err);
}

void gguf_close(Gguf *file)
{
    if (file == NULL) return;
    file_unmap(file->view);
    for (int i = 0; i < file->value_count; i++) free((void *)file->values[i].key);
    for (int i = 0; i < file->tensor_count; i++) free((void *)file->tensors[i].name);
    free(file->values);
    free(file->tensors);
    free(file->by_name);
    free(file->path);
    free(file);
}

// ---- what stands there ----

const GgufTensor *gguf_tensor(const Gguf *file, const char *name)
{
    int low = 0, high = file->tensor_count;
    while (low < high) {
        int middle = low + (high - low) / 2;
        int order = strcmp(name, file->by_name[middle]->name);
        if (order == 0) return file->by_name[middle];
        if (order < 0) high = middle;
        else low = middle + 1;
    }
    return NULL;
}

const GgufValue *gguf_value(const Gguf *file, const char *key)
{
    for (int i = 0; i < file->value_count; i++)
        if (strcmp(file->values[i].key, key) == 0) return &file->values[i];
    return NULL;
}

static bool is_signed(GgufKind kind)
{
    return kind == GGUF_INT8 || kind == GGUF_INT16 || kind == GGUF_INT32 || kind == GGUF_INT64;
}

static bool is_whole(GgufKind kind)
{
    return is_signed(kind) || kind == GGUF_UINT8 || kind == GGUF_UINT16 || kind == GGUF_UINT32 ||
           kind == GGUF_UINT64;
}

bool gguf_integer_at(const GgufValue *value, uint64_t index, uint64_t *number)
{
    if (value == NULL || index >= value->count || !is_whole(value->kind)) return false;
    size_t bytes = KIND_BYTES[value->kind];
    const uint8_t *at = value->data + index * bytes;
    if (is_signed(value->kind) && at[bytes - 1] >> 7 != 0) return false;    // negative
    *number = 0;
    memcpy(number, at, bytes);    // little-endian: the low bytes come first
    return true;
}

bool gguf_real_at(const GgufValue *value, uint64_t index, double *number)
{
    if (value == NULL || index >= value->count) return false;
    size_t bytes = KIND_BYTES[value->kind];
    const uint8_t *at = value->data + index * bytes;
    if (value->kind == GGUF_FLOAT64) {
        memcpy(number, at, sizeof *number);
    } else if (value->kind == GGUF_FLOAT32) {
        float single;
        memcpy(&single, at, sizeof single);
        *number = (double)single;
    } else if (is_whole(value->kind)) {
        uint64_t whole = 0;
        memcpy(&whole, at, bytes);
        uint64_t negative = is_signed(value->kind) ? whole >> (8 * bytes - 1) : 0;
        // 2^64 - whole, where the bits above the sign count as ones
        if (negative && bytes < sizeof whole) whole |= ~UINT64_C(0) << 8 * bytes;
        *number = negative ? -(double)(0 - whole) : (double)whole;
    } else {
        return false;
    }
    return true;
}

bool gguf_bool_at(const GgufValue *value, uint64_t index, bool *truth)
{
    if (value == NULL || index >= value->count || value->kind != GGUF_BOOL) return false;
    *truth = value->data[index] != 0;
    return true;
}

bool gguf_next_text(const GgufValue *value, GgufText *text)
{
    if (value == NULL || value->kind != GGUF_STRING) return false;
    const char *begin = (const char *)value->data, *end = begin + value->bytes;
    const char *at = text->bytes == NULL ? begin : text->bytes + text->length;
    if (at == end) return false;
    uint64_t length;
    memcpy(&length, at, sizeof length);    // it and the bytes are there: read_elements() looked
    *text = (GgufText){at + sizeof length, length};
    return true;
}

static bool missing(const Gguf *file, const char *key, const char *expected, Error *err)
{
    const GgufValue *value = gguf_value(file, key);
    if (value == NULL)
        return error_set(err, "%s: '%s' is missing, expected %s", file->path, key, expected);
    return error_set(err, "%s: '%s' is not %s", file->path, key, expected);
}

bool gguf_integer(const Gguf *file, const char *key, uint64_t index, uint64_t *number, Error *err)
{
    return gguf_integer_at(gguf_value(file, key), index, number) ||
           missing(file, key, "a whole number, not negative", err);
}

bool gguf_real(const Gguf *file, const char *key, uint64_t index, double *number, Error *err)
{
    return gguf_real_at(gguf_value(file, key), index, number) ||
           missing(file, key, "a number", err);
}

bool gguf_text(const Gguf *file, const char *key, GgufText *text, Error *err)
{
    const GgufValue *value = gguf_value(file, key);
    *text = (GgufText){NULL, 0};
    return (value != NULL && !value->array && gguf_next_text(value, text)) ||
           missing(file, key, "a text", err);
}
