#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "common/file.h"
#include "common/json.h"
#include "labs/3_language/tokenizer/app/encoder.h"
#include "labs/3_language/tokenizer/app/files/plain.h"
#include "labs/3_language/tokenizer/app/files/tokenizer_json.h"
#include "labs/3_language/tokenizer/app/text/code_point.h"

// ---- by what is in the file ----

static Tokenizer *open_json(const char *path, Error *err)
{
    cJSON *tree = json_load(path, err);
    Tokenizer *t = tree ? tokenizer_json_read(tree, path, err) : NULL;
    cJSON_Delete(tree);
    return t;
}

static Tokenizer *open_mapped(FileView view, const char *path, Error *err)
{
    const char *text = view.bytes;
    size_t blank = 0;
    while (blank < view.size && strchr(" \t\r\n", text[blank]) != NULL && text[blank] != '\0')
        blank++;
    if (view.size == 0) error_set(err, "%s: is empty", path);
    else if (view.size >= 4 && memcmp(text, "GGUF", 4) == 0) return tokenizer_gguf_read(path, err);
    else if (blank < view.size && text[blank] == '{') return open_json(path, err);
    else if (tokenizer_llama2c_fits(view.bytes, view.size))
        return tokenizer_llama2c_read(view.bytes, view.size, path, err);
    else if (memchr(text, '\0', view.size) == NULL && memchr(text, ' ', view.size) != NULL) {
        return tokenizer_merges_read(text, view.size, path, err);
    } else
        error_set(err,
                  "%s: is not a tokenizer: expected a tokenizer.json, a GGUF file, llama2.c's "
                  "tokenizer.bin or a merges.txt",
                  path);
    return NULL;
}

// The names of BOS and EOS, which a folder's tokenizer_config.json knows: a text, or a token with content.
static int named_token(const Tokenizer *t, const cJSON *config, const char *field)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(config, field);
    if (cJSON_IsObject(item)) item = cJSON_GetObjectItemCaseSensitive(item, "content");
    return cJSON_IsString(item) ? tokenizer_token(t, item->valuestring) : -1;
}

static Tokenizer *open_folder(const char *folder, Error *err)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/tokenizer.json", folder);
    Tokenizer *t = tokenizer_open(path, err);
    snprintf(path, sizeof path, "%s/tokenizer_config.json", folder);
    struct stat about;
    if (t == NULL || stat(path, &about) != 0) return t;
    cJSON *config = json_load(path, err);
    if (config == NULL) {
        tokenizer_close(t);
        return NULL;
    }
    int bos = named_token(t, config, "bos_token"), eos = named_token(t, config, "eos_token");
    if (bos >= 0) t->bos = bos;
    if (eos >= 0) t->eos = eos;
    cJSON_Delete(config);
    return t;
}

Tokenizer *tokenizer_open(const char *path, Error *err)
{
    struct stat about;
    if (stat(path, &about) != 0) return error_set(err, "%s: %s", path, strerror(errno)), NULL;
    if (S_ISDIR(about.st_mode)) return open_folder(path, err);
    FileView view;
    if (!file_map(&view, path, err)) return NULL;
    Tokenizer *t = open_mapped(view, path, err);
    file_unmap(view);
    return t;
}

// ---- the small ones ----

// The bytes themselves as ids: byte-level BPE with no merges. A split at nothing is one piece.
Tokenizer *tokenizer_bytes(void)
{
    Error err;
    Tokenizer *t = tokenizer_new(256);
    bool good = tokenizer_set_parts(
        t,
        cJSON_Parse("{\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false,"
                    "\"use_regex\":false},\"decoder\":{\"type\":\"ByteLevel\"}}"),
        "bytes", &err);
    for (int byte = 0; byte < 256; byte++)
        vocabulary_put(&t->bpe.vocabulary, byte, &(uint8_t){(uint8_t)byte}, 1, TOKEN_NORMAL, false);
    tokenizer_find_bytes(t);
    t->about = "the bytes";
    REQUIRE(good && tokenizer_finish(t, "bytes", &err), "%s", err.message);
    return t;
}

Tokenizer *tokenizer_characters(const char *text, size_t bytes, Error *err)
{
    uint8_t *occurs = calloc(CODE_POINTS, 1), one[4];
    REQUIRE(occurs != NULL, "no memory for a table of characters");
    size_t length, count = 0;
    for (size_t at = 0; at < bytes; at += length) {
        uint32_t code = code_point_at((const uint8_t *)text + at, bytes - at, &length);
        if (code == CODE_INVALID) {
            free(occurs);
            return error_set(err, "byte %zu is not UTF-8", at), NULL;
        }
        count += !occurs[code];
        occurs[code] = 1;
    }
    Tokenizer *t = tokenizer_new(count + 1);
    bool good =
        tokenizer_set_parts(t, cJSON_Parse("{\"decoder\":{\"type\":\"Fuse\"}}"), "the text", err);
    for (uint32_t code = 0; code < CODE_INVALID; code++)
        if (occurs[code])
            vocabulary_put(&t->bpe.vocabulary, t->bpe.vocabulary.count, one,
                           code_point_write(code, one), TOKEN_NORMAL, false);
    free(occurs);
    t->about = arena_print(t->keep, "%zu characters", count);
    if (good && tokenizer_finish(t, "the text", err)) return t;
    tokenizer_close(t);
    return NULL;
}
