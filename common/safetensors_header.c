/* safetensors_header.c -- the rules of the format, each checked before anything points into the data. */
#include "common/safetensors.h"
#include "common/text.h"
#include <cjson/cJSON.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the format's numbers are little-endian");

enum {
    PREFIX = 8,                // the header's length
    MAX_HEADER = 100000000,    // the reference implementation's limit
    HEADER_DEPTH = 3           // {"name": {"shape": [
};

// cJSON is lenient where the format is not: it takes numbers as doubles, control characters in
// strings and a thousand levels. A header needs objects, strings and arrays of unsigned integers
// three levels deep, so that everything else is refused here, before cJSON builds a tree of it.
static bool check_characters(const char *path, const unsigned char *text, size_t length, Error *err)
{
    bool in_string = false;
    int depth = 0, commas = 0;
    const char *wrong = NULL;
    for (size_t i = 0, step; i < length; i += step) {
        unsigned char c = text[i];
        step = text_utf8_length((const char *)text + i, length - i);
        if (step == 0) {
            wrong = "is not UTF-8";
        } else if (in_string) {
            if (c < ' ') wrong = "is a control character";
            if (c == '\\' && length - i >= 6 && memcmp(text + i, "\\u0000", 6) == 0)
                wrong = "hides a zero in a string";
            if (c == '\\') step = 2;    // an escaped quote does not end the string
            in_string = c != '"';
        } else {
            if (c == '\0' || strchr("{}[]:,\" \t\r\n0123456789", c) == NULL)
                wrong = "is no digit, bracket or separator, and not in a string";
            if (c == '0' && i > 0 && i + 1 < length && !isdigit(text[i - 1]) &&
                isdigit(text[i + 1]))
                wrong = "is a leading zero";
            in_string = c == '"';
            depth += (c == '{' || c == '[') - (c == '}' || c == ']');
            commas = c == '[' ? 0 : commas + (c == ',');
            if (depth > HEADER_DEPTH) wrong = "opens a fourth level";
            if (depth == HEADER_DEPTH && commas >= SAFETENSORS_MAX_DIMS)
                wrong = "begins a ninth dimension";
        }
        if (wrong) return error_set(err, "%s: byte %zu of the header %s", path, i, wrong);
    }
    return true;
}
_Static_assert(HEADER_DEPTH == 3 && SAFETENSORS_MAX_DIMS == 8, "the messages above say so");

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

// cJSON keeps both of two equal keys, and finds the first.
static bool check_keys_differ(const char *path, const cJSON *object, Error *err)
{
    size_t count = 0;
    const char **names = malloc(((size_t)cJSON_GetArraySize(object) + 1) * sizeof *names);
    if (names == NULL) return error_set(err, "%s: no memory for its names", path);
    for (const cJSON *item = object->child; item != NULL; item = item->next)
        names[count++] = item->string;
    qsort(names, count, sizeof *names, compare_names);
    const char *twice = NULL;
    for (size_t i = 1; i < count; i++)
        if (strcmp(names[i - 1], names[i]) == 0) twice = names[i];
    if (twice != NULL) error_set(err, "%s: the key '%s' appears twice", path, twice);
    free(names);
    return twice == NULL;
}

// Integers as a double holds them, exact below 2^53.
static bool get_integer(const cJSON *item, uint64_t *value)
{
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0.0 && item->valuedouble < 0x1p53))
        return false;
    *value = (uint64_t)item->valuedouble;
    return true;
}

static bool read_shape(const char *path, const cJSON *shape, SafetensorsEntry *entry,
                       uint64_t *bytes, Error *err)
{
    const DTypeInfo *type = &dtype_info[entry->type];
    entry->count = 1;
    for (const cJSON *size = shape->child; size != NULL; size = size->next)
        if (!get_integer(size, &entry->shape[entry->dims]) ||
            __builtin_mul_overflow(entry->count, entry->shape[entry->dims++], &entry->count))
            return error_set(err, "%s: the shape of '%s' is not one of whole numbers, or too large",
                             path, entry->name);
    *bytes = dtype_bytes(entry->type, entry->count);
    if (*bytes == UINT64_MAX)
        return error_set(err, "%s: the shape of '%s' is too large", path, entry->name);
    if (entry->count % type->block != 0)
        return error_set(err,
                         "%s: '%s' has %" PRIu64 " numbers of %u bits, which do not end at a byte",
                         path, entry->name, entry->count, 8 * type->bytes / type->block);
    return true;
}

// Of data that may not be there: more than any offset that a double holds exactly.
static const uint64_t ANY_SIZE = UINT64_C(1) << 53;

static bool read_entry(const Safetensors *file, const cJSON *item, uint64_t data_size,
                       SafetensorsEntry *entry, Error *err)
{
    const char *path = file->path, *name = item->string;
    const cJSON *type = cJSON_GetObjectItemCaseSensitive(item, "dtype");
    const cJSON *shape = cJSON_GetObjectItemCaseSensitive(item, "shape");
    const cJSON *offsets = cJSON_GetObjectItemCaseSensitive(item, "data_offsets");
    entry->name = name;
    if (!cJSON_IsObject(item) || cJSON_GetArraySize(item) != 3 || !cJSON_IsString(type) ||
        !cJSON_IsArray(shape) || !cJSON_IsArray(offsets))
        return error_set(err, "%s: '%s' is not an object of a dtype, a shape and data_offsets",
                         path, name);

    entry->type = dtype_from_safetensors(type->valuestring);
    if (entry->type == DTYPE_NONE)
        return error_set(err, "%s: '%s' has the unknown dtype '%s'", path, name, type->valuestring);

    uint64_t bytes = 0;
    if (!read_shape(path, shape, entry, &bytes, err)) return false;

    if (cJSON_GetArraySize(offsets) != 2 || !get_integer(offsets->child, &entry->begin) ||
        !get_integer(offsets->child->next, &entry->end) || entry->begin > entry->end ||
        entry->end > data_size)
        return error_set(err,
                         "%s: the data_offsets of '%s' are not [begin, end] within the %" PRIu64
                         " bytes of data",
                         path, name, data_size);
    if (entry->end - entry->begin != bytes)
        return error_set(err, "%s: '%s' has %" PRIu64 " bytes, expected %" PRIu64 " for its shape",
                         path, name, entry->end - entry->begin, bytes);
    return true;
}

static bool read_metadata(Safetensors *file, const cJSON *object, Error *err)
{
    if (!cJSON_IsObject(object))
        return error_set(err, "%s: __metadata__ is not an object", file->path);
    if (!check_keys_differ(file->path, object, err)) return false;
    file->pairs = calloc((size_t)cJSON_GetArraySize(object) + 1, sizeof *file->pairs);
    if (file->pairs == NULL) return error_set(err, "%s: no memory for its metadata", file->path);
    for (const cJSON *item = object->child; item != NULL; item = item->next) {
        if (!cJSON_IsString(item))
            return error_set(err, "%s: the value of '%s' in __metadata__ is not a string",
                             file->path, item->string);
        file->pairs[file->pair_count++] = (SafetensorsPair){item->string, item->valuestring};
    }
    return true;
}

static int compare_offsets(const void *a, const void *b)
{
    const SafetensorsEntry *x = a, *y = b;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    if (x->end != y->end) return x->end < y->end ? -1 : 1;
    return strcmp(x->name, y->name);
}

// Each begins where the one before ends, and the last ends the data.
static bool check_coverage(Safetensors *file, uint64_t data_size, Error *err)
{
    qsort(file->entries, (size_t)file->count, sizeof *file->entries, compare_offsets);
    uint64_t end = 0;
    for (int i = 0; i < file->count; i++) {
        const SafetensorsEntry *entry = &file->entries[i];
        if (entry->begin != end)
            return error_set(err,
                             "%s: '%s' begins at byte %" PRIu64 " of the data, expected %" PRIu64,
                             file->path, entry->name, entry->begin, end);
        end = entry->end;
    }
    if (end != data_size && data_size != ANY_SIZE)
        return error_set(err,
                         "%s: the tensors end at byte %" PRIu64 " of the data, which has %" PRIu64,
                         file->path, end, data_size);
    return true;
}

static bool read_header(Safetensors *file, const unsigned char *bytes, size_t size, bool with_data,
                        Error *err)
{
    const char *path = file->path;
    uint64_t length = 0;
    if (size < PREFIX)
        return error_set(err, "%s: has %zu bytes, expected at least %d", path, size, PREFIX);
    memcpy(&length, bytes, PREFIX);
    if (length > MAX_HEADER || length > size - PREFIX)
        return error_set(err,
                         "%s: a header of %" PRIu64 " bytes in a file of %zu (the limit is %d)",
                         path, length, size, MAX_HEADER);
    if (length == 0 || bytes[PREFIX] != '{')
        return error_set(err, "%s: the header does not begin with '{'", path);
    if (!check_characters(path, bytes + PREFIX, length, err)) return false;

    char *text = strndup((const char *)bytes + PREFIX, length);    // cJSON likes a zero at the end
    if (text == NULL) return error_set(err, "%s: no memory for its header", path);
    const char *end = NULL;
    file->header = cJSON_ParseWithOpts(text, &end, false);
    bool whole = file->header != NULL && end[strspn(end, " \t\r\n")] == '\0';
    free(text);
    if (!whole) return error_set(err, "%s: the header is not a JSON object", path);
    if (!check_keys_differ(path, file->header, err)) return false;

    uint64_t data_size = with_data ? size - PREFIX - length : ANY_SIZE;
    file->entries = calloc((size_t)cJSON_GetArraySize(file->header) + 1, sizeof *file->entries);
    if (file->entries == NULL) return error_set(err, "%s: no memory for its entries", path);
    for (const cJSON *item = file->header->child; item != NULL; item = item->next) {
        if (strcmp(item->string, "__metadata__") == 0) {
            if (!read_metadata(file, item, err)) return false;
            continue;
        }
        SafetensorsEntry *entry = &file->entries[file->count];
        if (!read_entry(file, item, data_size, entry, err)) return false;
        if (with_data) entry->data = bytes + PREFIX + length + entry->begin;
        file->count++;
    }
    return check_coverage(file, data_size, err);
}

static Safetensors *parse(const void *bytes, size_t size, const char *name, bool with_data,
                          Error *err)
{
    Safetensors *file = calloc(1, sizeof *file);
    if (file == NULL || (file->path = strdup(name)) == NULL)
        error_set(err, "%s: no memory to open it", name);
    else if (read_header(file, bytes, size, with_data, err)) return file;
    safetensors_close(file);
    return NULL;
}

Safetensors *safetensors_parse(const void *bytes, size_t size, const char *name, Error *err)
{
    return parse(bytes, size, name, true, err);
}

Safetensors *safetensors_parse_header(const void *bytes, size_t size, const char *name, Error *err)
{
    return parse(bytes, size, name, false, err);
}
