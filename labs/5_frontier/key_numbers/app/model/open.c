#include "labs/5_frontier/key_numbers/app/model/open.h"
#include "labs/5_frontier/key_numbers/app/model/published.h"
#include "labs/5_frontier/key_numbers/app/model/repeats.h"
#include "common/text.h"
#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "common/file.h"
#include "common/json.h"

// The folder of a config.json, which is named as its model is; of other files the path.
static const char *name_of(Arena *arena, const char *path)
{
    static const char file[] = "/config.json";
    if (!text_ends(path, file)) return path;
    size_t length = strlen(path) - strlen(file);
    while (length > 0 && path[length - 1] == '/') length--;
    const char *folder = arena_print(arena, "%.*s", (int)length, path);
    return length == 0 || text_ends(folder, ".") ? path : folder;
}

// What else is a file of JSON beside a model; NULL: nothing that is known.
static const char *other_json(const cJSON *tree)
{
    if (cJSON_GetObjectItemCaseSensitive(tree, "model_type") != NULL) return NULL;
    if (cJSON_GetObjectItemCaseSensitive(tree, "peft_type") != NULL)
        return "is of an adapter, not a model: ask about the base model, with --method lora";
    if (cJSON_GetObjectItemCaseSensitive(tree, "_diffusers_version") != NULL)
        return "is of a diffusion pipeline, expected a language model";
    return NULL;
}

static Model *open_json(Arena *arena, const char *path, Error *err)
{
    cJSON *tree = json_load_edited(path, repeats_drop, err);
    if (tree == NULL) return NULL;
    const char *other = other_json(tree);
    if (other != NULL) {
        error_set(err, "%s: %s", path, other);
        cJSON_Delete(tree);
        return NULL;
    }
    // An index says which tensor is in which file.
    bool index = cJSON_GetObjectItemCaseSensitive(tree, "weight_map") != NULL;
    Model *model = NULL;
    if (index) model = checkpoint_model(arena, path, err);
    else if (published_beside(arena, tree, path, err))
        model = config_model(arena, tree, name_of(arena, path), path, err);
    if (model != NULL && !index && !catalogue_recognise(model, tree, err)) model = NULL;
    cJSON_Delete(tree);
    return model;
}

enum { START = 24 };    // bytes that tell what a file is

// What lies in place of weights; NULL: nothing that is known.
static const char *other_file(const char start[START])
{
    if (memcmp(start, "version https://git-lfs", 23) == 0)
        return "is a Git LFS pointer, not the file itself: git lfs pull brings that";
    if (memcmp(start, "PK\3\4", 4) == 0 || memcmp(start, "\x80\2", 2) == 0)
        return "holds pickled weights (PyTorch), expected safetensors or GGUF";
    return NULL;
}

// A GGUF begins with its name, JSON with a bracket, and safetensors with a length and a bracket.
static Model *open_weights(Arena *arena, const char *path, Error *err)
{
    char start[START] = "";
    FILE *file = file_open(path, err);
    if (file == NULL) return NULL;
    bool named = text_ends(path, ".gguf") || text_ends(path, ".safetensors");
    size_t bytes = fread(start, 1, sizeof start, file);
    fclose(file);
    const char *other = other_file(start);
    bool safetensors = bytes > 8 && start[8] == '{';
    if (other == NULL && bytes > 0 && !named && !safetensors && start[0] != '{' &&
        memcmp(start, "GGUF", 4) != 0)
        other = "is neither JSON, nor safetensors, nor GGUF";
    if (other != NULL) {
        error_set(err, "%s: %s", path, other);
        return NULL;
    }
    if (text_ends(path, ".gguf") || memcmp(start, "GGUF", 4) == 0)
        return gguf_model(arena, path, err);
    if (!named && start[0] == '{') return open_json(arena, path, err);
    return checkpoint_model(arena, path, err);
}

static Model *open_file(Arena *arena, const char *path, Error *err)
{
    return text_ends(path, ".json") ? open_json(arena, path, err) : open_weights(arena, path, err);
}

typedef struct Folder {
    int safetensors, ggufs, pickled;
    bool config, index, adapter;
    const char *gguf;    // path of the last one
} Folder;

static bool look_into(Arena *arena, const char *path, Folder *folder, Error *err)
{
    DIR *entries = opendir(path);
    if (entries == NULL) return error_set(err, "%s: %s", path, strerror(errno));
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        const char *name = entry->d_name;
        if (strcmp(name, "config.json") == 0) folder->config = true;
        if (strcmp(name, "adapter_config.json") == 0) folder->adapter = true;
        if (strcmp(name, "model.safetensors.index.json") == 0) folder->index = true;
        if (text_ends(name, ".safetensors")) folder->safetensors++;
        folder->pickled +=
            text_ends(name, ".bin") || text_ends(name, ".pt") || text_ends(name, ".pth");
        if (!text_ends(name, ".gguf")) continue;
        folder->gguf = arena_print(arena, "%s/%s", path, name);
        folder->ggufs++;
    }
    closedir(entries);
    return true;
}

static Model *open_folder(Arena *arena, const char *path, Error *err)
{
    Folder folder = {0};
    if (!look_into(arena, path, &folder, err)) return NULL;
    // An index whose files are not there is no hindrance where a configuration tells the same.
    bool weights = folder.safetensors > 0 || (folder.index && !folder.config);
    if (weights) return checkpoint_model(arena, path, err);
    if (folder.config) return open_json(arena, arena_print(arena, "%s/config.json", path), err);
    if (folder.adapter) return checkpoint_model(arena, path, err);    // says what it is of
    if (folder.ggufs == 1) return gguf_model(arena, folder.gguf, err);
    if (folder.ggufs > 1)
        error_set(err, "%s: holds %d .gguf files, expected the name of one", path, folder.ggufs);
    else
        error_set(err, "%s: holds no config.json, .safetensors or .gguf%s", path,
                  folder.pickled > 0 ? ", only pickled weights (PyTorch)" : "");
    return NULL;
}

// A name of the catalogue has one slash at most, in its midst.
static bool is_path(const char *what)
{
    return what[0] == '/' || what[0] == '.' || what[0] == '~' || text_ends(what, "/") ||
           text_ends(what, ".json") || text_ends(what, ".gguf") || text_ends(what, ".safetensors");
}

Model *model_open(Arena *arena, const char *what, Error *err)
{
    struct stat status;
    if (stat(what, &status) == 0) {
        if (S_ISDIR(status.st_mode)) return open_folder(arena, what, err);
        if (S_ISREG(status.st_mode)) return open_file(arena, what, err);
        error_set(err, "%s: is neither a file nor a folder", what);
        return NULL;
    }
    if (!is_path(what)) return catalogue_model(arena, what, err);
    error_set(err, "%s: %s", what, strerror(errno));
    return NULL;
}
