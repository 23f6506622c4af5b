#include "labs/3_language/transformer/files/model_file.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "common/text.h"
#include "kernels/device.h"
#include "labs/3_language/transformer/files/sources.h"

// ---- opening ----

static bool begins_with(const char *path, const char *magic)
{
    char start[8] = "";
    FILE *file = fopen(path, "rb");
    if (file == NULL) return false;
    const size_t got = fread(start, 1, strlen(magic), file);
    fclose(file);
    return got == strlen(magic) && memcmp(start, magic, got) == 0;
}

static bool open_any(ModelFile *file, Error *err)
{
    struct stat status;
    if (stat(file->path, &status) != 0) return error_set(err, "%s: does not exist", file->path);
    if (S_ISDIR(status.st_mode) || text_ends(file->path, ".safetensors") ||
        text_ends(file->path, ".json"))
        return source_open_folder(file, err);
    if (begins_with(file->path, "GGUF")) return source_open_gguf(file, err);
    if (text_ends(file->path, ".bin")) return source_open_llama2c(file, err);
    return error_set(err,
                     "%s: is not a model that can be read, expected a folder with config.json and "
                     "safetensors, a GGUF file or a .bin file of llama2.c",
                     file->path);
}

ModelFile *model_file_open(const char *path, Error *err)
{
    Arena *arena = arena_new("model file", (size_t)1 << 30);
    ModelFile *file = arena_zeros(arena, sizeof *file);
    file->arena = arena;
    file->path = arena_print(arena, "%s", path);
    if (open_any(file, err)) return file;
    model_file_close(file);
    return NULL;
}

void model_file_close(ModelFile *file)
{
    if (file == NULL) return;
    shards_close(&file->shards);
    gguf_close(file->gguf);
    file_unmap(file->view);
    arena_free(file->arena);
}

// ---- names, shapes and types ----

static const char *shape_of(char text[96], const Found *found)
{
    size_t used = (size_t)snprintf(text, 96, "[");
    for (int d = 0; d < found->dims && used < 90; d++)
        used += (size_t)snprintf(text + used, 96 - used, "%s%" PRIu64, d > 0 ? "," : "",
                                 found->shape[d]);
    snprintf(text + (used < 94 ? used : 94), 2, "]");
    return text;
}

static bool bind(ModelFile *file, const Source *source, int i, const char *name, bool *used,
                 Error *err)
{
    const Piece *piece = &file->pieces.list[i];
    Found found, wanted = {.dims = 0};
    int shape[2];
    wanted.dims = piece_shape(piece, shape);
    for (int d = 0; d < wanted.dims; d++) wanted.shape[d] = (uint64_t)shape[d];
    char has[96], needs[96];
    if (!source->find(file, name, &found))
        return error_set(err, "%s: lacks '%s' %s%s", source->path, name, shape_of(needs, &wanted),
                         strcmp(piece->param, "head.weight") == 0
                             ? ", and the configuration says that the head is not tied"
                             : "");
    bool same = found.dims == wanted.dims;
    for (int d = 0; d < found.dims && same; d++) same = found.shape[d] == wanted.shape[d];
    if (!same)
        return error_set(err, "%s: '%s' is %s, expected %s", source->path, name,
                         shape_of(has, &found), shape_of(needs, &wanted));
    if (!dtype_to_floats(found.type, NULL, NULL, 0))
        return error_set(err, "%s: '%s' is of %s, which cannot be read as numbers", source->path,
                         name, dtype_name(found.type));
    used[found.index] = true;
    file->stored[i] = (Stored){found.type, found.data};
    return true;
}

// Whether the head that a file has although it is tied is the embedding, byte for byte.
static bool is_embedding(const ModelFile *file, const Found *head)
{
    const Stored *embedding = &file->stored[0];
    const size_t count = piece_count(&file->pieces.list[0]);
    return head->dims == 2 && head->shape[0] == (uint64_t)file->config.vocabulary &&
           head->shape[1] == (uint64_t)file->config.width && head->type == embedding->type &&
           memcmp(head->data, embedding->data, dtype_bytes(head->type, count)) == 0;
}

static bool check_head(const ModelFile *file, const Source *source, bool *used, Error *err)
{
    const char *name = pieces_head(file->family->format);
    Found head;
    if (!file->config.tied || !source->find(file, name, &head)) return true;
    used[head.index] = true;
    return is_embedding(file, &head) ||
           error_set(
               err,
               "%s: '%s' differs from the embedding, and the configuration says that they are "
               "tied (tie_word_embeddings)",
               source->path, name);
}

bool source_bind(ModelFile *file, const Source *source, Error *err)
{
    bool *used = arena_zeros(file->arena, (size_t)source->count + 1);
    file->stored = arena_alloc(file->arena, (size_t)file->pieces.count * sizeof *file->stored);
    // Some files leave out what all names begin with; the embedding, the first piece, shows it.
    Found found;
    size_t prefix = file->gguf == NULL ? pieces_prefix(file->family->format) : 0;
    if (source->find(file, file->pieces.list[0].name, &found) ||
        !source->find(file, file->pieces.list[0].name + prefix, &found))
        prefix = 0;
    for (int i = 0; i < file->pieces.count; i++) {
        const Piece *piece = &file->pieces.list[i];
        const bool is_head = strcmp(piece->param, "head.weight") == 0;
        if (!bind(file, source, i, piece->name + (is_head ? 0 : prefix), used, err)) return false;
    }
    if (file->gguf == NULL && !check_head(file, source, used, err)) return false;
    for (int i = 0; i < source->count; i++) {
        const char *name = source->name(file, i);
        if (!used[i] && !source->needless(name))
            return error_set(err, "%s: holds '%.200s', which a model of this configuration lacks",
                             source->path, name);
    }
    return true;
}

// ---- numbers ----

Model model_file_read(const ModelFile *file, Params *params)
{
    Model model = model_new(params, file->config, NULL);
    size_t most = 1;
    for (int i = 0; i < file->pieces.count; i++)
        if (piece_count(&file->pieces.list[i]) > most) most = piece_count(&file->pieces.list[i]);
    float *stored = malloc(most * sizeof *stored), *moved = malloc(most * sizeof *moved);
    REQUIRE(stored != NULL && moved != NULL, "no memory for the %zu numbers of a tensor", most);
    for (int i = 0; i < file->pieces.count; i++) {
        const Piece *piece = &file->pieces.list[i];
        const size_t count = piece_count(piece), before = piece->cols > 0 ? (size_t)piece->cols : 1;
        dtype_to_floats(file->stored[i].type, stored, file->stored[i].data, count);
        piece_from_file(piece, moved, stored);
        float *to = tensor_floats(params_find(params, piece->param));
        device->put(to + (size_t)piece->first * before, moved, count * sizeof *moved);
    }
    free(stored);
    free(moved);
    return model;
}
