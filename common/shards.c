#include "common/shards.h"
#include "common/text.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "common/json.h"

enum { MAX_FILES = 1000 };

static const char ENDING[] = ".safetensors";

static bool exists(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0;
}

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

// With its slash; "" for the one we are in.
static const char *folder_of(Arena *arena, const char *path)
{
    return arena_print(arena, "%.*s", (int)(name_of(path) - path), path);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int compare_tensors(const void *a, const void *b)
{
    return strcmp(((const ShardTensor *)a)->entry->name, ((const ShardTensor *)b)->entry->name);
}

// ---- which files ----

static bool add_file(Shards *shards, const char *path, const char *where, Error *err)
{
    if (shards->file_count == MAX_FILES)
        return error_set(err, "%s: has over %d safetensors files", where, MAX_FILES);
    shards->paths[shards->file_count++] = path;
    return true;
}

// The files of an index, each once; weight_map names one for each tensor.
static bool read_index(Shards *shards, Arena *arena, const cJSON *map, const char *folder,
                       Error *err)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, map)
    {
        const char *name = cJSON_IsString(item) ? item->valuestring : "";
        if (strchr(name, '/') != NULL || !text_ends(name, ENDING))
            return error_set(
                err,
                "%s: weight_map has '%.200s' for '%.100s', expected a .safetensors file beside it",
                shards->index, name, item->string);
        int i = shards->file_count - 1;    // most tensors stand in the file of the one before
        while (i >= 0 && strcmp(name_of(shards->paths[i]), name) != 0) i--;
        if (i < 0 &&
            !add_file(shards, arena_print(arena, "%s%s", folder, name), shards->index, err))
            return false;
    }
    return shards->file_count > 0 || error_set(err, "%s: weight_map names no files", shards->index);
}

// All .safetensors of a folder, which is no error when there are none.
static bool read_folder(Shards *shards, Arena *arena, const char *folder, Error *err)
{
    DIR *entries = opendir(folder);
    if (entries == NULL) return error_set(err, "%s: cannot be read: %s", folder, strerror(errno));
    bool read = true;
    for (const struct dirent *entry; read && (entry = readdir(entries)) != NULL;)
        if (text_ends(entry->d_name, ENDING))
            read = add_file(shards, arena_print(arena, "%s%s", folder, entry->d_name), folder, err);
    closedir(entries);
    qsort(shards->paths, (size_t)shards->file_count, sizeof *shards->paths, compare_texts);
    return read;
}

// "model-00002-of-00005.safetensors" is one of five. 1 for any other name.
static int parts_of(const char *path, size_t *stem)
{
    static const char form[] = "-00002-of-00005.safetensors";
    size_t length = strlen(path);
    if (length < sizeof form - 1) return 1;
    *stem = length - (sizeof form - 1);
    const char *end = path + *stem;
    int part, count, used = 0;
    bool is =
        sscanf(end, "-%5d-of-%5d.safetensors%n", &part, &count, &used) == 2 && end[used] == '\0';
    return is && used == (int)sizeof form - 1 && part >= 1 && part <= count && count <= MAX_FILES
               ? count
               : 1;
}

// Of a folder: its index, or its model.safetensors, or all there are.
static bool find_in_folder(Shards *shards, Arena *arena, const char *folder, Error *err)
{
    const char *index = arena_print(arena, "%smodel.safetensors.index.json", folder);
    const char *whole = arena_print(arena, "%smodel%s", folder, ENDING);
    if (exists(index)) {
        shards->index = index;
        return true;
    }
    if (exists(whole)) return add_file(shards, whole, folder, err);
    if (!read_folder(shards, arena, folder, err)) return false;
    return shards->file_count > 0 || shards->config != NULL || shards->adapter != NULL ||
           error_set(err, "%s: has neither a config.json nor safetensors files", folder);
}

static bool find_parts(Shards *shards, Arena *arena, const char *path, Error *err)
{
    size_t stem = 0;
    int count = parts_of(path, &stem);
    if (count == 1) return add_file(shards, arena_print(arena, "%s", path), path, err);
    for (int i = 1; i <= count; i++)
        add_file(shards,
                 arena_print(arena, "%.*s-%05d-of-%05d%s", (int)stem, path, i, count, ENDING), path,
                 err);
    return true;
}

static bool find_files(Shards *shards, Arena *arena, const char *path, Error *err)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return error_set(err, "%s: cannot be read: %s", path, strerror(errno));
    bool is_folder = S_ISDIR(status.st_mode);
    const char *folder = !is_folder             ? folder_of(arena, path)
                         : text_ends(path, "/") ? path
                                                : arena_print(arena, "%s/", path);
    const char *config = arena_print(arena, "%sconfig.json", folder);
    const char *adapter = arena_print(arena, "%sadapter_config.json", folder);
    if (exists(config)) shards->config = config;
    if (exists(adapter)) shards->adapter = adapter;
    if (is_folder) return find_in_folder(shards, arena, folder, err);
    if (!text_ends(path, ".json")) return find_parts(shards, arena, path, err);
    shards->index = arena_print(arena, "%s", path);
    return true;
}

// ---- their tensors ----

typedef Safetensors *Open(const char *path, Error *err);

static bool open_files(Shards *shards, Arena *arena, Open *open, Error *err)
{
    shards->files = arena_zeros(arena, (size_t)(shards->file_count + 1) * sizeof *shards->files);
    for (int f = 0; f < shards->file_count; f++) {
        shards->files[f] = open(shards->paths[f], err);
        if (shards->files[f] == NULL)
            return shards->index != NULL ? error_wrap(err, "%s", shards->index) : false;
        shards->count += shards->files[f]->count;
    }
    shards->tensors = arena_alloc(arena, (size_t)(shards->count + 1) * sizeof *shards->tensors);
    ShardTensor *next = shards->tensors;
    for (int f = 0; f < shards->file_count; f++)
        for (int i = 0; i < shards->files[f]->count; i++)
            *next++ = (ShardTensor){&shards->files[f]->entries[i], f};
    qsort(shards->tensors, (size_t)shards->count, sizeof *shards->tensors, compare_tensors);
    for (int i = 1; i < shards->count; i++) {
        const ShardTensor *a = &shards->tensors[i - 1], *b = &shards->tensors[i];
        if (compare_tensors(a, b) == 0)
            return error_set(err, "%s: holds '%s', as %s does", shards->paths[b->file],
                             b->entry->name, shards->paths[a->file]);
    }
    return true;
}

const ShardTensor *shards_find(const Shards *shards, const char *name)
{
    ShardTensor sought = {&(SafetensorsEntry){.name = name}, 0};
    return shards->count == 0 ? NULL
                              : bsearch(&sought, shards->tensors, (size_t)shards->count,
                                        sizeof *shards->tensors, compare_tensors);
}

// Each tensor that the index names stands in the file that it names.
static bool check_index(const Shards *shards, const cJSON *map, Error *err)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, map)
    {
        const ShardTensor *found = shards_find(shards, item->string);
        if (found == NULL || strcmp(name_of(shards->paths[found->file]), item->valuestring) != 0)
            return error_set(err, "%s: names '%s' in %s, which does not hold it", shards->index,
                             item->string, item->valuestring);
    }
    return true;
}

static bool open_index(Shards *shards, Arena *arena, Open *open, Error *err)
{
    cJSON *tree = json_load(shards->index, err);
    if (tree == NULL) return false;
    const cJSON *map = cJSON_GetObjectItemCaseSensitive(tree, "weight_map");
    bool opened = false;
    if (!cJSON_IsObject(map)) error_set(err, "%s: has no object \"weight_map\"", shards->index);
    else
        opened = read_index(shards, arena, map, folder_of(arena, shards->index), err) &&
                 open_files(shards, arena, open, err) && check_index(shards, map, err);
    cJSON_Delete(tree);
    return opened;
}

static bool open_all(Shards *shards, Arena *arena, const char *path, Open *open, Error *err)
{
    *shards = (Shards){.config = NULL};
    shards->paths = arena_alloc(arena, MAX_FILES * sizeof *shards->paths);
    if (find_files(shards, arena, path, err) &&
        (shards->index != NULL ? open_index(shards, arena, open, err)
                               : open_files(shards, arena, open, err)))
        return true;
    shards_close(shards);
    return false;
}

bool shards_open(Shards *shards, Arena *arena, const char *path, Error *err)
{
    return open_all(shards, arena, path, safetensors_open, err);
}

bool shards_open_headers(Shards *shards, Arena *arena, const char *path, Error *err)
{
    return open_all(shards, arena, path, safetensors_open_header, err);
}

void shards_close(Shards *shards)
{
    for (int f = 0; f < shards->file_count && shards->files != NULL; f++)
        safetensors_close(shards->files[f]);
    shards->file_count = 0;
}
