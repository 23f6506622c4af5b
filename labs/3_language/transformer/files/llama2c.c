/* llama2c.c -- the file of Karpathy's llama2.c (export.py, version 0): seven numbers and all weights as
 * floats, each kind for all layers at once. q and k lie as in GGUF: the rows that are turned together are
 * neighbours. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "labs/3_language/transformer/files/sources.h"

enum { BOS = 1 };    // also stands between texts, and ends them

typedef struct Header {
    int32_t width, ff, layers, heads, kv_heads, vocabulary, context;
} Header;

// In the order of the file. NULL: the tables for rotary positions, which are not read.
static const char *const KINDS[] = {"token_embd.weight", "attn_norm.weight",   "attn_q.weight",
                                    "attn_k.weight",     "attn_v.weight",      "attn_output.weight",
                                    "ffn_norm.weight",   "ffn_gate.weight",    "ffn_down.weight",
                                    "ffn_up.weight",     "output_norm.weight", NULL,
                                    "output.weight"};

// What follows "blk.3.".
static const char *kind_of(const char *name)
{
    const char *dot = strncmp(name, "blk.", 4) == 0 ? strchr(name + 4, '.') : NULL;
    return dot != NULL ? dot + 1 : name;
}

static bool read_header(ModelFile *file, Error *err)
{
    Header h;
    if (file->view.size < sizeof h)
        return error_set(err, "%s: has %zu bytes, fewer than the header of a llama2.c file",
                         file->path, file->view.size);
    memcpy(&h, file->view.bytes, sizeof h);
    if (memcmp(&h, "24ka", 4) == 0)
        return error_set(err, "%s: is a llama2.c file of a later version, expected version 0",
                         file->path);
    if (h.vocabulary == INT32_MIN || h.width < 1 || h.heads < 1)
        return error_set(err,
                         "%s: begins with a width of %d and %d heads, which no llama2.c file does",
                         file->path, h.width, h.heads);
    file->config = model_config_llama((ModelSize){.vocabulary = abs(h.vocabulary),
                                                  .context = h.context,
                                                  .width = h.width,
                                                  .layers = h.layers,
                                                  .heads = h.heads,
                                                  .kv_heads = h.kv_heads,
                                                  .ff = h.ff});
    file->config.kv_heads = h.kv_heads;
    file->config.ff = h.ff;
    file->config.tied = h.vocabulary > 0;
    file->config.bos = file->config.stops[0] = BOS;
    file->config.stop_count = 1;
    return model_config_check(&file->config, file->path, err);
}

bool source_open_llama2c(ModelFile *file, Error *err)
{
    file->format = "llama2.c";
    if (!file_map(&file->view, file->path, err) || !read_header(file, err)) return false;
    const ModelConfig *c = &file->config;
    const uint64_t tables = (uint64_t)c->context * (uint64_t)c->head;
    const uint64_t bytes = sizeof(Header) + 4 * (model_config_params(c) + tables);
    if (file->view.size != bytes)
        return error_set(err, "%s: has %zu bytes, expected %" PRIu64 " by its header", file->path,
                         file->view.size, bytes);
    file->family = config_json_family(c, err);
    if (file->family == NULL) return error_wrap(err, "%s", file->path);
    file->pieces = pieces_of(file->arena, c, FORMAT_GGUF_LLAMA);
    file->stored = arena_alloc(file->arena, (size_t)file->pieces.count * sizeof *file->stored);
    const void *numbers = (const char *)file->view.bytes + sizeof(Header);
    const float *at = numbers;
    for (size_t k = 0; k < sizeof KINDS / sizeof *KINDS; k++) {
        if (KINDS[k] == NULL) at += tables;
        for (int i = 0; i < file->pieces.count; i++)
            if (KINDS[k] != NULL && strcmp(kind_of(file->pieces.list[i].name), KINDS[k]) == 0) {
                file->stored[i] = (Stored){DTYPE_F32, at};
                at += piece_count(&file->pieces.list[i]);
            }
    }
    return true;
}
