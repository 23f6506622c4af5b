/* gguf_source.h -- a model's GGUF files, in one part or many, and the settings in the first.
 *
 *     GgufSource source;
 *     if (!gguf_source_open(&source, arena, "model-00001-of-00003.gguf", &err)) ...    // all three
 *     uint64_t width;
 *     if (!gguf_source_need(&source, "embedding_length", 0, &width, &err)) ...    // llama.embedding_length
 *     gguf_source_close(&source);
 */
#pragma once
#include "common/arena.h"
#include "common/gguf.h"

// What llama.cpp knows of an architecture beside its files (src/models/: load_arch_hparams() and
// load_arch_tensors()).
typedef struct GgufCustom {
    const char *arch;
    uint64_t period;    // one layer in so many sees all, the others have a window; 0: all have it
    bool first;         // the first of them, not the last
    uint64_t window;    // if the file does not say; 0: none
    bool tied;          // the head is the embedding, though the file may have it twice
    bool encoder;       // sees both ways, though the file does not say so
    bool decoder;       // has a second stack, as many layers unless the file says otherwise
} GgufCustom;

typedef struct GgufSource {
    Arena *arena;
    const char *path;    // for messages
    const char *arch;    // general.architecture: "llama"
    const GgufCustom *custom;
    int count;
    Gguf **files;    // headers alone
} GgufSource;

bool gguf_source_open(GgufSource *source, Arena *arena, const char *path, Error *err);
void gguf_source_close(GgufSource *source);

// Whether its architecture is one of llama.cpp's whose layers are known here.
bool gguf_source_known(const GgufSource *source);

// The setting arch.KEY, a whole number of at most 2^31; where it is a list, its element `layer`. *number stays
// as it is when there is no such setting.
bool gguf_source_get(const GgufSource *source, const char *key, int layer, uint64_t *number,
                     Error *err);
// It must be there, and not 0.
bool gguf_source_need(const GgufSource *source, const char *key, int layer, uint64_t *number,
                      Error *err);
// The setting arch.KEY, or NULL.
const GgufValue *gguf_source_value(const GgufSource *source, const char *key);
