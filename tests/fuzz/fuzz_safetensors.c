/* fuzz_safetensors.c -- whatever the bytes are, parsing them reads nothing outside of them, and what
 * it takes has every entry inside the data.
 */
#include "common/safetensors.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { DATA = 16, MAX_ELEMENTS = 64 };

// Fills tensors from the entries that are small enough to be made.
static void read_all(const Safetensors *file)
{
    Arena *arena = arena_new("fuzz", 1u << 20);
    Params *params = params_new(arena);
    for (int i = 0; i < file->count && i < 16; i++) {
        const SafetensorsEntry *entry = &file->entries[i];
        Shape shape = {.dims = entry->dims};
        size_t count = 1;
        bool small = entry->dims <= TENSOR_MAX_DIMS;
        for (int d = 0; d < entry->dims && small; d++) {
            small = entry->shape[d] <= MAX_ELEMENTS;
            shape.size[d] = (int)entry->shape[d];
            count *= small ? (size_t)entry->shape[d] : 1;
        }
        if (small && count <= MAX_ELEMENTS && strlen(entry->name) < 100)
            params_add(params, entry->name, shape);
    }
    safetensors_read(file, params->items, params->count, NULL);
    arena_free(arena);
}

static void parse(const uint8_t *bytes, size_t size)
{
    Error err;
    Safetensors *head = safetensors_parse_header(bytes, size, "fuzz", &err);
    Safetensors *file = safetensors_parse(bytes, size, "fuzz", &err);
    if (file != NULL && head == NULL) abort();    // the header of what is whole is right
    safetensors_close(head);
    if (file == NULL) {
        if (strlen(err.message) < 10) abort();    // a refusal has its sentence
        return;
    }
    volatile uint8_t touched = 0;
    for (int i = 0; i < file->count; i++) {
        const SafetensorsEntry *entry = &file->entries[i];
        const uint8_t *data = entry->data;
        for (uint64_t b = 0; b < entry->end - entry->begin; b++)
            touched = (uint8_t)(touched ^ data[b]);
        if (safetensors_find(file, entry->name) != entry) abort();    // names are unique
    }
    read_all(file);
    safetensors_close(file);
}

// Twice: as a whole file, and as a header to which the right length and a little data are given.
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    parse(bytes, size);
    uint64_t length = size;
    uint8_t *file = calloc(1, 8 + size + DATA);
    if (file == NULL) abort();
    memcpy(file, &length, 8);
    if (size > 0) memcpy(file + 8, bytes, size);
    parse(file, 8 + size + DATA);
    free(file);
    return 0;
}
