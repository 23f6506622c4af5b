/* safetensors.c -- the files: mapping one, filling tensors from it, writing tensors to one. */
#include "common/safetensors.h"
#include "kernels/device.h"
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef Safetensors *Parse(const void *bytes, size_t size, const char *name, Error *err);

static Safetensors *map(const char *path, Parse *parse, Error *err)
{
    FileView view;
    if (!file_map(&view, path, err)) return NULL;
    Safetensors *file = parse(view.bytes, view.size, path, err);
    if (file != NULL) file->view = view;
    else file_unmap(view);
    return file;
}

Safetensors *safetensors_open(const char *path, Error *err)
{
    return map(path, safetensors_parse, err);
}

Safetensors *safetensors_open_header(const char *path, Error *err)
{
    return map(path, safetensors_parse_header, err);
}

void safetensors_close(Safetensors *file)
{
    if (file == NULL) return;
    file_unmap(file->view);
    cJSON_Delete(file->header);
    free(file->entries);
    free(file->pairs);
    free(file->path);
    free(file);
}

const SafetensorsEntry *safetensors_find(const Safetensors *file, const char *name)
{
    for (int i = 0; i < file->count; i++)
        if (strcmp(file->entries[i].name, name) == 0) return &file->entries[i];
    return NULL;
}

const char *safetensors_value(const Safetensors *file, const char *key)
{
    for (int i = 0; i < file->pair_count; i++)
        if (strcmp(file->pairs[i].key, key) == 0) return file->pairs[i].value;
    return NULL;
}

static bool same_shape(const SafetensorsEntry *entry, Shape shape)
{
    if (entry->dims != shape.dims) return false;
    for (int d = 0; d < shape.dims; d++)
        if (entry->shape[d] != (uint64_t)shape.size[d]) return false;
    return true;
}

static char *entry_text(char buffer[192], const SafetensorsEntry *entry)
{
    size_t used = (size_t)snprintf(buffer, 192, "[");
    for (int d = 0; d < entry->dims; d++)
        used += (size_t)snprintf(buffer + used, 192 - used, "%s%" PRIu64, d ? "," : "",
                                 entry->shape[d]);
    snprintf(buffer + used, 192 - used, "]");
    return buffer;
}

// Every item has its entry, of its shape and of floats (of its own type where that is not F32), and every entry its item.
static bool check_items(const Safetensors *file, const Param *items, int count, Error *err)
{
    for (int i = 0; i < count; i++) {
        const SafetensorsEntry *entry = safetensors_find(file, items[i].name);
        if (entry == NULL)
            return error_set(err, "%s: lacks '%s' %s", file->path, items[i].name,
                             TENSOR_TEXT(items[i].tensor));
        if (!same_shape(entry, items[i].tensor->shape))
            return error_set(err, "%s: '%s' is %s, expected %s", file->path, entry->name,
                             entry_text((char[192]){0}, entry), TENSOR_TEXT(items[i].tensor));
        if (!dtype_to_floats(entry->type, NULL, NULL, 0))
            return error_set(err, "%s: '%s' does not hold floating-point numbers", file->path,
                             entry->name);
        DType type = items[i].tensor->type;
        if (type != DTYPE_F32 && entry->type != type)
            return error_set(err, "%s: '%s' is of %s, expected %s", file->path, entry->name,
                             dtype_name(entry->type), dtype_name(type));
    }
    for (int e = 0; e < file->count; e++) {
        int i = 0;
        while (i < count && strcmp(items[i].name, file->entries[e].name) != 0) i++;
        if (i == count)
            return error_set(err, "%s: holds '%s' %s, which is not asked for", file->path,
                             file->entries[e].name, entry_text((char[192]){0}, &file->entries[e]));
    }
    return true;
}

// In bytes.
static size_t largest(const Param *items, int count)
{
    size_t most = sizeof(double);
    for (int i = 0; i < count; i++)
        if (tensor_bytes(items[i].tensor) > most) most = tensor_bytes(items[i].tensor);
    return most;
}

bool safetensors_read(const Safetensors *file, const Param *items, int count, Error *err)
{
    if (!check_items(file, items, count, err)) return false;
    REQUIRE(file->count == 0 || file->entries[0].data != NULL, "%s: only its header was opened",
            file->path);
    size_t room = largest(items, count);
    Arena *scratch = arena_new("safetensors", room);
    float *values = arena_alloc(scratch, room);
    for (int i = 0; i < count; i++) {
        const SafetensorsEntry *entry = safetensors_find(file, items[i].name);
        const Tensor *x = items[i].tensor;
        bool same = entry->type == x->type;
        if (!same) dtype_to_floats(entry->type, values, entry->data, entry->count);
        device->put(x->data, same ? (const void *)entry->data : values, tensor_bytes(x));
    }
    arena_free(scratch);
    return true;
}

// {"__metadata__":{...},"name":{"dtype":"F32","shape":[...],"data_offsets":[...]},...}
static char *header_text(const Param *items, int count, const SafetensorsPair *metadata,
                         int pair_count)
{
    cJSON *header = cJSON_CreateObject();
    if (pair_count > 0) {
        cJSON *object = cJSON_AddObjectToObject(header, "__metadata__");
        for (int i = 0; i < pair_count; i++)
            cJSON_AddStringToObject(object, metadata[i].key, metadata[i].value);
    }
    double begin = 0.0;    // cJSON's numbers; exact to 2^53
    for (int i = 0; i < count; i++) {
        const Tensor *x = items[i].tensor;
        double end = begin + (double)tensor_bytes(x);
        cJSON *entry = cJSON_AddObjectToObject(header, items[i].name);
        cJSON_AddStringToObject(entry, "dtype", dtype_name(x->type));
        cJSON_AddItemToObject(entry, "shape", cJSON_CreateIntArray(x->shape.size, x->shape.dims));
        cJSON_AddItemToObject(entry, "data_offsets",
                              cJSON_CreateDoubleArray((double[]){begin, end}, 2));
        begin = end;
    }
    char *text = cJSON_PrintUnformatted(header);
    cJSON_Delete(header);
    REQUIRE(text != NULL, "no memory for a header of %d tensors", count);
    return text;
}

bool safetensors_write(const char *path, const Param *items, int count,
                       const SafetensorsPair *metadata, int pair_count, Error *err)
{
    NewFile file;
    if (!file_begin(&file, path, err)) return false;
    char *header = header_text(items, count, metadata, pair_count);
    int spaces = (int)(-strlen(header) % 8);    // the data begins at a multiple of 8
    uint64_t length = strlen(header) + (size_t)spaces;
    fwrite(&length, sizeof length, 1, file.stream);
    fprintf(file.stream, "%s%*s", header, spaces, "");
    cJSON_free(header);

    size_t room = largest(items, count);
    Arena *scratch = arena_new("safetensors", room);
    void *values = arena_alloc(scratch, room);
    for (int i = 0; i < count; i++) {
        const Tensor *x = items[i].tensor;
        device->get(values, x->data, tensor_bytes(x));
        fwrite(values, 1, tensor_bytes(x), file.stream);
    }
    arena_free(scratch);
    // Weights take long to make: they are on the disk before the old file's name is theirs.
    if (fflush(file.stream) == 0) fsync(fileno(file.stream));
    return file_commit(&file, err);
}

bool safetensors_save(const char *path, const Params *params, Error *err)
{
    return safetensors_write(path, params->items, params->count, NULL, 0, err);
}

bool safetensors_load(const char *path, const Params *params, Error *err)
{
    Safetensors *file = safetensors_open(path, err);
    bool loaded = file != NULL && safetensors_read(file, params->items, params->count, err);
    safetensors_close(file);
    return loaded;
}
