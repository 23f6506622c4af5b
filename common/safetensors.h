/* safetensors.h -- named arrays in one file, in Hugging Face's format: weights travel to Python.
 *
 *     if (!safetensors_save("out/autoencoder/model.safetensors", params, &err)) ...
 *     if (!safetensors_load("out/autoencoder/model.safetensors", params, &err)) ...
 *
 *     Safetensors *file = safetensors_open("model.safetensors", &err);     // to look inside
 *     for (int i = 0; i < file->count; i++) printf("%s\n", file->entries[i].name);
 *     safetensors_close(file);
 *
 * The format: 8 bytes with the header's length, little-endian; the header, a JSON object
 * {"name": {"dtype": "F32", "shape": [256,784], "data_offsets": [begin, end]}, ...} with strings of
 * any kind under "__metadata__"; the data without holes. Every rule is checked before a pointer is
 * handed out: no damaged file is read past its end. An open file is mapped, not copied: entries and
 * strings live until safetensors_close(), and the file must not be cut meanwhile (ours are replaced
 * as a whole, so that readers keep the old one).
 */
#pragma once
#include <stdint.h>
#include "common/error.h"
#include "common/file.h"
#include "common/params.h"
#include "kernels/dtype.h"

enum { SAFETENSORS_MAX_DIMS = 8 };

typedef struct SafetensorsEntry {
    const char *name;
    DType type;
    int dims;
    uint64_t shape[SAFETENSORS_MAX_DIMS];    // outermost first
    uint64_t count;                          // numbers
    uint64_t begin, end;                     // bytes of the data
    const void *data;                        // [shape], of the type; perhaps not aligned
} SafetensorsEntry;

typedef struct SafetensorsPair {
    const char *key, *value;
} SafetensorsPair;

typedef struct Safetensors {
    char *path;    // for messages
    int count;
    SafetensorsEntry *entries;    // in the order of the data
    int pair_count;
    SafetensorsPair *pairs;    // of __metadata__
    struct cJSON *header;      // owns the strings
    FileView view;             // of no bytes when they are the caller's
} Safetensors;

// NULL and a message when the file cannot be read or breaks a rule.
Safetensors *safetensors_open(const char *path, Error *err);
Safetensors *safetensors_parse(const void *bytes, size_t size, const char *name, Error *err);
void safetensors_close(Safetensors *file);    // NULL is fine

// The same for a file that may end anywhere after its header: every entry's data is NULL. Not for
// safetensors_read().
Safetensors *safetensors_open_header(const char *path, Error *err);
Safetensors *safetensors_parse_header(const void *bytes, size_t size, const char *name, Error *err);

const SafetensorsEntry *safetensors_find(const Safetensors *file, const char *name);
const char *safetensors_value(const Safetensors *file, const char *key);    // of metadata

// Fills the tensors by name. For a tensor of F32, F16, BF16, F64, F8_E4M3 and F8_E5M2 become float; one
// of another type takes its own only. The names must be the file's, none missing and none left over,
// and so must the shapes: otherwise no tensor is touched.
bool safetensors_read(const Safetensors *file, const Param *items, int count, Error *err);

// Writes the tensors in their types, whole or not at all. Metadata may be NULL when there is none.
bool safetensors_write(const char *path, const Param *items, int count,
                       const SafetensorsPair *metadata, int pair_count, Error *err);

// A model's parameters alone.
bool safetensors_load(const char *path, const Params *params, Error *err);
bool safetensors_save(const char *path, const Params *params, Error *err);
