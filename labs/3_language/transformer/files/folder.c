/* folder.c -- Hugging Face's folders: config.json and safetensors, in one file or in shards. */
#include "labs/3_language/transformer/files/folder.h"
#include <cjson/cJSON.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "common/json.h"
#include "common/text.h"
#include "kernels/device.h"
#include "labs/3_language/transformer/files/sources.h"

// ---- reading ----

static bool find(const ModelFile *file, const char *name, Found *found)
{
    const ShardTensor *tensor = shards_find(&file->shards, name);
    if (tensor == NULL) return false;
    const SafetensorsEntry *entry = tensor->entry;
    *found = (Found){.type = entry->type,
                     .dims = entry->dims,
                     .data = entry->data,
                     .index = (int)(tensor - file->shards.tensors)};
    memcpy(found->shape, entry->shape, sizeof found->shape);
    return true;
}

static const char *name_at(const ModelFile *file, int index)
{
    return file->shards.tensors[index].entry->name;
}

// Constants that older versions of transformers saved.
static bool needless(const char *name)
{
    return text_ends(name, ".attn.bias") || text_ends(name, ".attn.masked_bias") ||
           text_ends(name, ".rotary_emb.inv_freq");
}

bool source_open_folder(ModelFile *file, Error *err)
{
    file->format = "safetensors";
    if (!shards_open(&file->shards, file->arena, file->path, err)) return false;
    const Shards *shards = &file->shards;
    if (shards->config == NULL)
        return error_set(err, "%s: has no config.json beside it", file->path);
    if (shards->adapter != NULL)
        return error_set(err, "%s: is an adapter (LoRA), expected a whole model", shards->adapter);
    if (shards->file_count == 0) return error_set(err, "%s: has no safetensors files", file->path);
    cJSON *tree = json_load(shards->config, err);
    const bool read =
        tree != NULL && config_json_read(&file->config, file->arena, tree, shards->config, err);
    cJSON_Delete(tree);
    if (!read) return false;
    file->family = config_json_family(&file->config, err);
    if (file->family == NULL) return error_wrap(err, "%s", shards->config);
    file->pieces = pieces_of(file->arena, &file->config, file->family->format);
    const Source source = {.path = shards->index != NULL ? shards->index : shards->paths[0],
                           .count = shards->count,
                           .find = find,
                           .name = name_at,
                           .needless = needless};
    return source_bind(file, &source, err);
}

// ---- writing ----

// What a file holds of a parameter: its own rows where they lie, or a copy where the file wants them
// otherwise.
static Tensor *to_write(Arena *scratch, const Piece *piece, const Params *params, DType type)
{
    Tensor *param = params_find(params, piece->param);
    REQUIRE(param != NULL, "there is no parameter '%s'", piece->param);
    Tensor *rows = tensor_rows(scratch, param, piece->first, piece->rows);
    if (piece->layout == LAYOUT_PLAIN && type == DTYPE_F32) return rows;
    int shape[2];
    const int dims = piece_shape(piece, shape);
    const size_t count = piece_count(piece);
    Tensor *out = tensor_of(scratch, type, dims == 2 ? SHAPE(shape[0], shape[1]) : SHAPE(shape[0]));
    const ArenaMark mark = arena_mark(scratch);
    float *moved = arena_alloc(scratch, count * sizeof *moved);
    void *stored = arena_alloc(scratch, count * sizeof *moved);
    piece_to_file(piece, moved, tensor_values(scratch, rows));
    dtype_from_floats(type, stored, moved, count);
    device->put(out->data, stored, tensor_bytes(out));
    arena_rewind(scratch, mark);
    return out;
}

typedef struct Shard {
    int first, end;    // of the items
} Shard;

// As many items in each as fit, and at least one.
static int split(Shard *shards, const Param *items, int count, uint64_t most)
{
    int used = 0;
    uint64_t bytes = 0;
    for (int i = 0; i < count; i++) {
        bytes += tensor_bytes(items[i].tensor);
        if (i == 0 || (most > 0 && bytes > most)) {
            shards[used++] = (Shard){i, i};
            bytes = tensor_bytes(items[i].tensor);
        }
        shards[used - 1].end = i + 1;
    }
    return used;
}

static const char *shard_name(Arena *arena, int i, int count)
{
    return count == 1 ? "model.safetensors"
                      : arena_print(arena, "model-%05d-of-%05d.safetensors", i + 1, count);
}

static bool write_index(const char *folder, Arena *arena, const Param *items, const Shard *shards,
                        int count, Error *err)
{
    cJSON *tree = cJSON_CreateObject(), *metadata = cJSON_AddObjectToObject(tree, "metadata");
    cJSON *map = cJSON_AddObjectToObject(tree, "weight_map");
    double bytes = 0;
    for (int s = 0; s < count; s++)
        for (int i = shards[s].first; i < shards[s].end; i++) {
            bytes += (double)tensor_bytes(items[i].tensor);
            cJSON_AddStringToObject(map, items[i].name, shard_name(arena, s, count));
        }
    cJSON_AddNumberToObject(metadata, "total_size", bytes);
    char *text = cJSON_Print(tree);
    REQUIRE(text != NULL, "no memory for an index");
    const bool written =
        file_write(arena_print(arena, "%s/model.safetensors.index.json", folder), text, err);
    cJSON_free(text);
    cJSON_Delete(tree);
    return written;
}

// Of an earlier model in this folder: what would be read in place of the new files.
static bool remove_old(const char *path, Error *err)
{
    return unlink(path) == 0 || errno == ENOENT ||
           error_set(err, "%s: cannot be removed: %s", path, strerror(errno));
}

static bool write_weights(const char *folder, Arena *arena, const Param *items, int count,
                          uint64_t most, Error *err)
{
    // transformers reads no file without it.
    static const SafetensorsPair FORMAT = {"format", "pt"};
    Shard *shards = arena_alloc(arena, (size_t)count * sizeof *shards);
    const int used = split(shards, items, count, most);
    for (int s = 0; s < used; s++) {
        const char *path = arena_print(arena, "%s/%s", folder, shard_name(arena, s, used));
        if (!safetensors_write(path, items + shards[s].first, shards[s].end - shards[s].first,
                               &FORMAT, 1, err))
            return false;
    }
    if (used == 1)
        return remove_old(arena_print(arena, "%s/model.safetensors.index.json", folder), err);
    return write_index(folder, arena, items, shards, used, err) &&
           remove_old(arena_print(arena, "%s/model.safetensors", folder), err);
}

static bool write_config(const char *path, const ModelConfig *config, const ModelFamily *family,
                         DType type, Error *err)
{
    cJSON *tree = config_json_write(config, family, type);
    char *text = cJSON_Print(tree);
    REQUIRE(text != NULL, "no memory for a configuration");
    const bool written = file_write(path, text, err);
    cJSON_free(text);
    cJSON_Delete(tree);
    return written;
}

bool folder_write(const char *folder, const ModelConfig *config, const Params *params,
                  FolderOptions options, Error *err)
{
    const ModelFamily *family = config_json_family(config, err);
    if (family == NULL) return error_wrap(err, "%s", folder);
    if (!file_make_folder(folder, err)) return false;
    const size_t room = (size_t)model_config_params(config) * sizeof(float);
    Arena *scratch = arena_new("folder", 3 * room + ((size_t)64 << 20));
    const Pieces pieces = pieces_of(scratch, config, family->format);
    Param *items = arena_zeros(scratch, (size_t)pieces.count * sizeof *items);
    for (int i = 0; i < pieces.count; i++)
        items[i] = (Param){.name = pieces.list[i].name,
                           .tensor = to_write(scratch, &pieces.list[i], params, options.type)};
    const bool written =
        write_weights(folder, scratch, items, pieces.count, options.shard_bytes, err) &&
        write_config(arena_print(scratch, "%s/config.json", folder), config, family, options.type,
                     err);
    arena_free(scratch);
    return written;
}
