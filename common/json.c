#include "common/json.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "common/file.h"
#include "common/nearest.h"

// An index of a model's tensors has some megabytes; what is far larger is some other file. Copying MAPPED_LEAST bytes
// shows in the time of a small program.
enum { MAX_BYTES = 64 << 20, MAPPED_LEAST = 256 << 10 };

// A file's text, of which at[bytes] is 0.
typedef struct Text {
    char *at;
    size_t bytes;
    bool mapped;    // changes stay here; the file is as it was
} Text;

// What follows a file in its last page is 0; where there is none, the file is copied.
static bool map_whole(Text *text, FILE *file)
{
    struct stat status;
    long page = sysconf(_SC_PAGESIZE);
    if (page <= 0 || fstat(fileno(file), &status) != 0 || !S_ISREG(status.st_mode) ||
        status.st_size < MAPPED_LEAST || status.st_size >= MAX_BYTES || status.st_size % page == 0)
        return false;
    size_t bytes = (size_t)status.st_size;
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, fileno(file), 0);
    if (at == MAP_FAILED) return false;
    *text = (Text){at, bytes, true};
    return true;
}

static bool copy_whole(Text *text, const char *path, FILE *file, Error *err)
{
    *text = (Text){.at = calloc(1, MAX_BYTES + 1)};    // only what is touched is memory
    if (text->at == NULL) return error_set(err, "%s: no memory to read it", path);
    text->bytes = fread(text->at, 1, MAX_BYTES, file);
    if (ferror(file)) return error_set(err, "%s: %s", path, strerror(errno));
    if (text->bytes == MAX_BYTES) return error_set(err, "%s: is over %d bytes", path, MAX_BYTES);
    text->at[text->bytes] = '\0';
    return true;
}

static bool read_whole(Text *text, const char *path, Error *err)
{
    FILE *file = file_open(path, err);
    if (file == NULL) return false;
    bool read = map_whole(text, file) || copy_whole(text, path, file, err);
    fclose(file);
    return read;
}

static void text_free(Text *text, size_t bytes)
{
    if (text->mapped) munmap(text->at, bytes);
    else free(text->at);
}

// What Python writes for numbers that JSON does not have, where `at` begins with one.
static const char *not_finite(const char *at)
{
    static const char *const words[] = {"Infinity", "-Infinity", "NaN"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strncmp(at, words[i], strlen(words[i])) == 0) return words[i];
    return NULL;
}

cJSON *json_parse(const char *text, size_t bytes, const char *where, Error *err)
{
    const char *end = text;
    cJSON *tree = cJSON_ParseWithLengthOpts(text, bytes + 1, &end, true);
    if (tree != NULL) return tree;
    int line = 1;
    for (const char *at = text; at < end; at++) line += *at == '\n';
    if (not_finite(end) != NULL)
        error_set(err, "%s:%d: %s is not valid JSON, expected a finite number", where, line,
                  not_finite(end));
    else error_set(err, "%s:%d: is not JSON from here on", where, line);
    return NULL;
}

// In place: both stay as long as they were.
static void replace_not_finite(char *text)
{
    bool quoted = false;
    for (char *at = text; *(at += strcspn(at, quoted ? "\"\\" : "\"IN-")) != '\0'; at++) {
        const char *word = quoted ? NULL : not_finite(at);
        if (quoted && *at == '\\' && at[1] != '\0') at++;
        else if (*at == '"') quoted = !quoted;
        if (word == NULL) continue;
        size_t length = strlen(word);
        memset(at, ' ', length);
        memcpy(at, length > 3 ? "null" : "\"?\"", length > 3 ? 4 : 3);
        at += length - 1;
    }
}

static cJSON *load(const char *path, bool python, size_t (*edit)(char *text, size_t bytes),
                   Error *err)
{
    Text text = {0};
    cJSON *tree = NULL;
    bool read = read_whole(&text, path, err);
    size_t bytes = text.bytes;
    if (read) {
        if (edit != NULL) text.bytes = edit(text.at, bytes);
        if (python) replace_not_finite(text.at);
        tree = json_parse(text.at, text.bytes, path, err);
        if (tree != NULL && !cJSON_IsObject(tree))
            error_set(err, "%s: holds no object, expected { ... }", path);
    }
    text_free(&text, bytes);
    if (cJSON_IsObject(tree)) return tree;
    cJSON_Delete(tree);
    return NULL;
}

cJSON *json_load(const char *path, Error *err)
{
    return load(path, false, NULL, err);
}

cJSON *json_load_python(const char *path, Error *err)
{
    return load(path, true, NULL, err);
}

cJSON *json_load_edited(const char *path, size_t (*edit)(char *text, size_t bytes), Error *err)
{
    return load(path, true, edit, err);
}

void json_print(cJSON *tree)
{
    char *text = cJSON_Print(tree);
    REQUIRE(text != NULL, "no memory to print JSON");
    puts(text);
    cJSON_free(text);
    cJSON_Delete(tree);
}

// The field, or NULL and the sentence that says what stands there instead.
static const cJSON *get(const cJSON *object, const char *where, const char *field,
                        cJSON_bool (*is_kind)(const cJSON *), const char *kind, Error *err)
{
    const cJSON *node = cJSON_GetObjectItemCaseSensitive(object, field);
    if (node == NULL) error_set(err, "%s: \"%s\" is missing, expected %s", where, field, kind);
    else if (!is_kind(node)) error_set(err, "%s: \"%s\" is not %s", where, field, kind);
    else return node;
    return NULL;
}

// The name that was meant: also in other letters, "Reward".
static const char *meant(const char *field, const char *const *names, int count)
{
    for (int i = 0; i < count; i++)
        if (strcasecmp(field, names[i]) == 0) return names[i];
    return nearest(field, names, count);
}

bool json_fields(const cJSON *object, const char *where, const char *const *names, int count,
                 Error *err)
{
    const cJSON *node;
    cJSON_ArrayForEach(node, object)
    {
        char list[200] = "";
        int at = 0;
        while (at < count && strcmp(node->string, names[at]) != 0) at++;
        if (at < count && cJSON_GetObjectItemCaseSensitive(object, node->string) == node) continue;
        if (at < count)
            return error_set(err, "%s: has \"%s\" twice, expected it once", where, names[at]);
        const char *near = meant(node->string, names, count);
        if (near != NULL)
            return error_set(err, "%s: \"%.40s\" is no field; did you mean \"%s\"?", where,
                             node->string, near);
        for (int i = 0, used = 0; i < count && used < (int)sizeof list; i++)
            used += snprintf(list + used, sizeof list - (size_t)used, "%s%s",
                             i == 0           ? ""
                             : i == count - 1 ? " or "
                                              : ", ",
                             names[i]);
        return error_set(err, "%s: \"%.40s\" is no field, expected %s", where, node->string, list);
    }
    return true;
}

static bool copy_text(Arena *arena, const cJSON *node, const char **text)
{
    if (!cJSON_IsString(node) || node->valuestring[0] == '\0') return false;
    *text = arena_print(arena, "%s", node->valuestring);
    return true;
}

bool json_text(Arena *arena, const cJSON *object, const char *where, const char *field,
               const char **text, Error *err)
{
    const cJSON *node = get(object, where, field, cJSON_IsString, "a text", err);
    if (node == NULL) return false;
    return copy_text(arena, node, text) || error_set(err, "%s: \"%s\" is empty", where, field);
}

bool json_number(const cJSON *object, const char *where, const char *field, double least,
                 double most, double *number, Error *err)
{
    const cJSON *node = get(object, where, field, cJSON_IsNumber, "a number", err);
    if (node == NULL) return false;
    *number = node->valuedouble;
    return (*number >= least && *number <= most) ||
           error_set(err, "%s: \"%s\" is %g, expected %g to %g", where, field, *number, least,
                     most);
}

const cJSON *json_array(const cJSON *object, const char *where, const char *field, Error *err)
{
    return get(object, where, field, cJSON_IsArray, "a list", err);
}

bool json_texts(Arena *arena, const cJSON *object, const char *where, const char *field,
                const char ***texts, int *count, Error *err)
{
    const cJSON *array = json_array(object, where, field, err), *node;
    if (array == NULL) return false;
    *count = 0;
    *texts = arena_alloc(arena, (size_t)cJSON_GetArraySize(array) * sizeof **texts);
    cJSON_ArrayForEach(node, array)
    {
        if (!copy_text(arena, node, &(*texts)[*count]))
            return error_set(err, "%s: \"%s\"[%d] is %s", where, field, *count,
                             cJSON_IsString(node) ? "empty" : "not a text");
        ++*count;
    }
    return true;
}
