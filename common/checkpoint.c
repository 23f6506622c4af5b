#include "common/checkpoint.h"
#include "common/safetensors.h"
#include "kernels/device.h"
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

// Of this layout of the metadata, for whoever must change it.
#define FORMAT "training checkpoint 3"

// The parameters, the optimizer's moments and the records in a row; the records as tensors in scratch.
static Param *all_items(Arena *scratch, const Checkpoint *point, int *count)
{
    const Optimizer *optimizer = point->optimizer;
    int params = point->params->count, moments = optimizer ? optimizer->state_count : 0;
    *count = params + moments + point->record_count;
    Param *items = arena_alloc(scratch, (size_t)*count * sizeof *items);
    for (int i = 0; i < params; i++) items[i] = point->params->items[i];
    for (int i = 0; i < moments; i++) items[params + i] = optimizer->state[i];
    for (int i = 0; i < point->record_count; i++) {
        const Record *record = &point->records[i];
        Tensor *copy = tensor_of(scratch, record->type, SHAPE(record->count));
        device->put(copy->data, record->values, tensor_bytes(copy));
        items[params + moments + i] = (Param){.name = record->name, .tensor = copy};
    }
    return items;
}

// ---- the checksum ----

static uLong crc_of_text(uLong crc, const char *text)
{
    return crc32_z(crc, (const Bytef *)text,
                   strlen(text) + 1);    // with its end: "ab","c" is not "a","bc"
}

static uLong crc_of_pairs(const SafetensorsPair *pairs, int count)
{
    uLong crc = crc32_z(0, NULL, 0);
    for (int i = 0; i < count; i++)
        if (strcmp(pairs[i].key, "crc32") != 0)
            crc = crc_of_text(crc_of_text(crc, pairs[i].key), pairs[i].value);
    return crc;
}

// Of the names and numbers about to be written.
static uLong crc_of_items(Arena *scratch, uLong crc, const Param *items, int count)
{
    for (int i = 0; i < count; i++) {
        ArenaMark mark = arena_mark(scratch);
        size_t bytes = tensor_bytes(items[i].tensor);
        void *values = arena_alloc(scratch, bytes);
        device->get(values, items[i].tensor->data, bytes);
        crc = crc_of_text(crc, items[i].name);
        crc = crc32_z(crc, values, bytes);
        arena_rewind(scratch, mark);
    }
    return crc;
}

// Of those that a file holds, in the order in which they were written.
static bool check_crc(const Safetensors *file, Error *err)
{
    uLong crc = crc_of_pairs(file->pairs, file->pair_count);
    for (int i = 0; i < file->count; i++) {
        const SafetensorsEntry *entry = &file->entries[i];
        crc = crc_of_text(crc, entry->name);
        crc = crc32_z(crc, entry->data, entry->end - entry->begin);
    }
    const char *text = safetensors_value(file, "crc32");
    char wanted[16];
    snprintf(wanted, sizeof wanted, "%08lx", crc);
    if (text != NULL && strcmp(text, wanted) == 0) return true;
    return error_set(err, "%s: is damaged: its CRC-32 is %s, expected %s", file->path, wanted,
                     text ? text : "one in its metadata");
}

// ---- saving ----

// Addresses for the records and, one at a time, each tensor.
static Arena *new_scratch(const Checkpoint *point)
{
    size_t room = 64u << 20, largest = 0;
    for (int i = 0; i < point->params->count; i++) {
        const size_t bytes = tensor_bytes(point->params->items[i].tensor);
        if (bytes > largest) largest = bytes;
    }
    for (int i = 0; i < point->record_count; i++)
        room += 3 * ((size_t)point->records[i].count * sizeof(double) + 4096);
    return arena_new("checkpoint", room + largest);
}

bool checkpoint_save(const char *path, const Checkpoint *point, Error *err)
{
    Arena *scratch = new_scratch(point);
    int count;
    Param *items = all_items(scratch, point, &count);

    SafetensorsPair pairs[6] = {{"format", FORMAT}, {"config", point->config ? point->config : ""}};
    int used = 2;
    pairs[used++] = (SafetensorsPair){"step", arena_print(scratch, "%ld", point->step)};
    if (point->optimizer != NULL) {
        const char *step = arena_print(scratch, "%ld", point->optimizer->step);
        pairs[used++] = (SafetensorsPair){"optimizer_step", step};
    }
    if (point->rng != NULL) {
        const char *numbers =
            arena_print(scratch, "%" PRIu64 " %" PRIu64, point->rng->state, point->rng->increment);
        pairs[used++] = (SafetensorsPair){"rng", numbers};
    }
    uLong crc = crc_of_items(scratch, crc_of_pairs(pairs, used), items, count);
    pairs[used++] = (SafetensorsPair){"crc32", arena_print(scratch, "%08lx", crc)};
    bool saved = safetensors_write(path, items, count, pairs, used, err);
    arena_free(scratch);
    return saved;
}

// ---- loading ----

// A number of steps: digits and nothing else.
static bool read_steps(const Safetensors *file, const char *key, long *steps, Error *err)
{
    const char *text = safetensors_value(file, key);
    if (text == NULL || text[strspn(text, "0123456789")] != '\0' || strlen(text) > 18 ||
        sscanf(text, "%ld", steps) != 1)
        return error_set(err, "%s: its %s is '%s', expected a number", file->path, key,
                         text ? text : "missing");
    return true;
}

static bool read_u64(const char **text, uint64_t *value)
{
    char *end;
    if (**text < '0' || **text > '9') return false;
    errno = 0;
    *value = strtoull(*text, &end, 10);
    *text = end;
    return errno == 0;
}

static bool read_rng(const Safetensors *file, Rng *rng, Error *err)
{
    const char *text = safetensors_value(file, "rng"), *at = text;
    if (text == NULL || !read_u64(&at, &rng->state) || *at++ != ' ' ||
        !read_u64(&at, &rng->increment) || *at != '\0' || rng->increment % 2 == 0)
        return error_set(err,
                         "%s: its rng is '%s', expected two numbers of 64 bits, the second odd",
                         file->path, text ? text : "missing");
    return true;
}

static bool check_kind(const Safetensors *file, Error *err)
{
    const char *format = safetensors_value(file, "format");
    if (format != NULL && strcmp(format, FORMAT) == 0) return true;
    return error_set(err, "%s: its format is '%s', expected '%s'", file->path,
                     format ? format : "missing", FORMAT);
}

// From the first setting in which they differ: "epochs 3, batch 128".
static int common_settings(const char *a, const char *b)
{
    int same = 0;
    for (int i = 0; a[i] != '\0' && a[i] == b[i]; i++)
        if (a[i] == ' ' && i > 0 && a[i - 1] == ',') same = i + 1;
    return same;
}

static bool check_config(const Safetensors *file, const char *expected, Error *err)
{
    const char *config = safetensors_value(file, "config");
    if (expected == NULL) expected = "";
    if (config != NULL && strcmp(config, expected) == 0) return true;
    if (config == NULL) config = "no configuration";
    int same = common_settings(config, expected);
    return error_set(err, "%s: was written by a run with '%.160s', this one has '%.160s'",
                     file->path, config + same, expected + same);
}

// Nothing that goes on training may begin from a number that is not finite.
static bool check_finite(const Safetensors *file, const Param *items, int count, Error *err)
{
    for (int i = 0; i < count; i++) {
        const SafetensorsEntry *entry = safetensors_find(file, items[i].name);
        for (uint64_t n = 0; entry != NULL && entry->type == DTYPE_F32 && n < entry->count; n++) {
            float value;
            memcpy(&value, (const char *)entry->data + n * sizeof value, sizeof value);
            if (!isfinite(value))
                return error_set(err, "%s: '%s' holds %g at %" PRIu64 ", expected finite numbers",
                                 file->path, entry->name, (double)value, n);
        }
    }
    return true;
}

// All is read aside first and handed over once nothing can fail.
static bool load(const Safetensors *file, Checkpoint *point, Arena *scratch, Error *err)
{
    long step = 0, taken = 0;    // the run's steps, and the optimizer's
    Rng rng = {0};
    int count;
    if (!check_kind(file, err) || !check_config(file, point->config, err)) return false;
    if (!read_steps(file, "step", &step, err)) return false;
    if (point->optimizer && !read_steps(file, "optimizer_step", &taken, err)) return false;
    if (taken > step)
        return error_set(err, "%s: its optimizer is at step %ld, after the run's %ld", file->path,
                         taken, step);
    if (point->rng && !read_rng(file, &rng, err)) return false;
    if (!check_crc(file, err)) return false;
    Param *items = all_items(scratch, point, &count);
    if (!check_finite(file, items, count - point->record_count, err) ||
        !safetensors_read(file, items, count, err))
        return false;
    for (int i = 0; i < point->record_count; i++) {
        const Tensor *copy = items[count - point->record_count + i].tensor;
        device->get(point->records[i].values, copy->data, tensor_bytes(copy));
    }
    point->step = step;
    if (point->optimizer) point->optimizer->step = taken;
    if (point->rng) *point->rng = rng;
    return true;
}

bool checkpoint_load(const char *path, Checkpoint *point, Error *err)
{
    Safetensors *file = safetensors_open(path, err);
    if (file == NULL) return false;
    Arena *scratch = new_scratch(point);
    bool loaded = load(file, point, scratch, err);
    arena_free(scratch);
    safetensors_close(file);
    return loaded;
}

bool checkpoint_step(const char *path, const char *config, long *step, Error *err)
{
    Safetensors *file = safetensors_open(path, err);
    bool found = file != NULL && check_kind(file, err) && check_config(file, config, err) &&
                 read_steps(file, "step", step, err);
    safetensors_close(file);
    return found;
}
