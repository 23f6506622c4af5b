#include "datasets/catalogue.h"
#include "datasets/checksum.h"
#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "common/file.h"

// Where in the file we are: "catalogue.json: datasets[0].files[2]". A field's name is added to it.
typedef struct Reader {
    Arena *keep;
    char where[160];
    Error *err;
} Reader;

static bool is_shown(const char *text)    // nothing that would move a terminal's cursor
{
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++)
        if (*c < 0x20 || *c == 0x7f) return false;
    return text[0] != '\0';
}

static bool is_name(const char *text)    // one step of a path, and neither hidden nor ".."
{
    size_t length =
        strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");
    return length > 0 && length <= 64 && text[length] == '\0' && text[0] != '.' && text[0] != '-';
}

static bool is_folder(const char *text)
{
    return text[0] == '\0' || is_name(text);
}

static bool is_address(const char *text)
{
    bool web = strncmp(text, "https://", 8) == 0 || strncmp(text, "http://", 7) == 0;
    return web && strpbrk(text, " \"\\") == NULL && is_shown(text) && text[strlen(text) - 1] == '/';
}

// "name==version": never an option, a path or an address of pip's.
static bool is_package(const char *text)
{
    const char *version = strstr(text, "==");
    char name[65] = "";
    if (version == NULL || version - text > 64) return false;
    memcpy(name, text, (size_t)(version - text));
    return is_name(name) && is_name(version + 2);
}

static bool is_sha256(const char *text)
{
    return strspn(text, "0123456789abcdef") == 64 && text[64] == '\0';
}

// A kind of string: what it must satisfy, and the words for it.
typedef struct Kind {
    bool (*holds)(const char *text);
    const char *words;
} Kind;
static const Kind SHOWN = {is_shown, "a line of text"};
static const Kind NAME = {is_name, "a file name of A-Z a-z 0-9 . _ -"};
static const Kind FOLDER = {is_folder, "a folder name of A-Z a-z 0-9 . _ - or \"\""};
static const Kind ADDRESS = {is_address, "an http(s) address that ends in /"};
static const Kind PACKAGE = {is_package, "a package of PyPI and its version, as in a==1.0"};
static const Kind SHA256 = {is_sha256, "64 lower-case hexadecimal digits"};

// What stands in the field, for a message: "is missing", "is 12.5", "is \"abc\"", "is a list".
static const char *found(char text[64], const cJSON *item)
{
    if (item == NULL) return "is missing";
    if (cJSON_IsNull(item)) return "is null";
    if (cJSON_IsBool(item)) return "is true or false";
    if (cJSON_IsObject(item)) return "is an object";
    if (cJSON_IsArray(item)) snprintf(text, 64, "is a list of %d", cJSON_GetArraySize(item));
    if (cJSON_IsNumber(item)) snprintf(text, 64, "is %.17g", item->valuedouble);
    if (cJSON_IsString(item)) {
        if (!is_shown(item->valuestring)) return "is empty or unprintable text";
        snprintf(text, 64, "is \"%.40s\"", item->valuestring);
    }
    return text;
}

static bool check_string(const Reader *r, const cJSON *item, const char *field, Kind kind)
{
    if (!cJSON_IsString(item) || !kind.holds(item->valuestring))
        return error_set(r->err, "%s.%s: %s, expected %s", r->where, field,
                         found((char[64]){0}, item), kind.words);
    return true;
}

static bool read_string(const Reader *r, const cJSON *object, const char *field, Kind kind,
                        const char **value)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, field);
    if (!check_string(r, item, field, kind)) return false;
    *value = arena_print(r->keep, "%s", item->valuestring);
    return true;
}

static bool read_bytes(const Reader *r, const cJSON *object, uint64_t *value)
{
    const double most = 0x1p40;    // a terabyte: far above any set here, far below an overflow
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, "bytes");
    double number = cJSON_IsNumber(item) ? item->valuedouble : 0.0;
    if (!(number >= 1.0 && number <= most && number == (double)(uint64_t)number))
        return error_set(r->err, "%s.bytes: %s, expected a whole number from 1 to 2^40", r->where,
                         found((char[64]){0}, item));
    *value = (uint64_t)number;
    return true;
}

static bool read_array(const Reader *r, const cJSON *object, const char *field, int least,
                       const cJSON **array, int *count)
{
    *array = cJSON_GetObjectItemCaseSensitive(object, field);
    *count = cJSON_IsArray(*array) ? cJSON_GetArraySize(*array) : -1;
    if (*count < least)
        return error_set(r->err, "%s.%s: %s, expected a list of at least %d", r->where, field,
                         found((char[64]){0}, *array), least);
    return true;
}

static bool read_strings(const Reader *r, const cJSON *object, const char *field, Kind kind,
                         int least, const char ***values, int *count)
{
    const cJSON *array, *item;
    if (!read_array(r, object, field, least, &array, count)) return false;
    *values = arena_alloc(r->keep, (size_t)*count * sizeof **values);
    int i = 0;
    cJSON_ArrayForEach(item, array)
    {
        if (!check_string(r, item, field, kind)) return false;
        (*values)[i++] = arena_print(r->keep, "%s", item->valuestring);
    }
    return true;
}

// A misspelt optional field, or a field given twice, would otherwise pass unseen.
static bool check_fields(const Reader *r, const cJSON *object, const char *const *known)
{
    if (!cJSON_IsObject(object)) return error_set(r->err, "%s: expected an object", r->where);
    const cJSON *item;
    cJSON_ArrayForEach(item, object)
    {
        int i = 0;
        while (known[i] != NULL && strcmp(known[i], item->string) != 0) i++;
        if (known[i] == NULL)
            return error_set(r->err, "%s: has an unknown field \"%.40s\"", r->where,
                             is_shown(item->string) ? item->string : "?");
        if (cJSON_GetObjectItemCaseSensitive(object, known[i]) != item)
            return error_set(r->err, "%s.%s: is given twice", r->where, known[i]);
    }
    return true;
}

static bool read_file(const Reader *r, const cJSON *item, CatalogueFile *file)
{
    static const char *const fields[] = {"name", "remote", "bytes", "sha256", NULL};
    if (!check_fields(r, item, fields)) return false;
    if (!read_string(r, item, "name", NAME, &file->name)) return false;
    file->remote = file->name;
    if (cJSON_HasObjectItem(item, "remote") && !read_string(r, item, "remote", NAME, &file->remote))
        return false;
    return read_bytes(r, item, &file->bytes) &&
           read_string(r, item, "sha256", SHA256, &file->sha256);
}

static bool read_set(const Reader *r, const cJSON *item, CatalogueSet *set)
{
    static const char *const fields[] = {"name",    "title",   "licence", "folder", "labs",
                                         "sources", "package", "files",   NULL};
    const bool packed = cJSON_HasObjectItem(item, "package");
    const cJSON *files, *file;
    if (!check_fields(r, item, fields) || !read_string(r, item, "name", NAME, &set->name) ||
        !read_string(r, item, "title", SHOWN, &set->title) ||
        !read_string(r, item, "licence", SHOWN, &set->licence) ||
        !read_string(r, item, "folder", FOLDER, &set->folder) ||
        !read_strings(r, item, "labs", NAME, 0, &set->labs, &set->lab_count) ||
        (packed && !read_string(r, item, "package", PACKAGE, &set->package)) ||
        ((!packed || cJSON_HasObjectItem(item, "sources")) &&
         !read_strings(r, item, "sources", ADDRESS, 1, &set->sources, &set->source_count)) ||
        !read_array(r, item, "files", 1, &files, &set->file_count))
        return false;
    set->files = arena_zeros(r->keep, (size_t)set->file_count * sizeof *set->files);
    int i = 0;
    cJSON_ArrayForEach(file, files)
    {
        Reader inner = *r;
        snprintf(inner.where, sizeof inner.where, "%.120s.files[%d]", r->where, i);
        if (!read_file(&inner, file, &set->files[i++])) return false;
    }
    return true;
}

static bool read_catalogue(const Reader *r, const cJSON *root, Catalogue *catalogue)
{
    static const char *const fields[] = {"datasets", NULL};
    const cJSON *sets, *set;
    if (!check_fields(r, root, fields)) return false;
    if (!read_array(r, root, "datasets", 1, &sets, &catalogue->count)) return false;
    catalogue->sets = arena_zeros(r->keep, (size_t)catalogue->count * sizeof *catalogue->sets);
    int i = 0;
    cJSON_ArrayForEach(set, sets)
    {
        Reader inner = *r;
        snprintf(inner.where, sizeof inner.where, "%.100s: datasets[%d]", r->where, i);
        if (!read_set(&inner, set, &catalogue->sets[i])) return false;
        for (int k = 0; k < i; k++)
            if (strcmp(catalogue->sets[k].name, catalogue->sets[i].name) == 0)
                return error_set(r->err, "%s.name: \"%s\" is also the name of datasets[%d]",
                                 inner.where, catalogue->sets[i].name, k);
        i++;
    }
    return true;
}

bool catalogue_parse(Arena *keep, Catalogue *catalogue, const char *text, size_t size,
                     const char *name, Error *err)
{
    // A copy with an end mark: cJSON before 1.7.18 may read one byte past a text cut in a string.
    char *copy = arena_alloc(keep, size + 1);
    memcpy(copy, text, size);
    copy[size] = '\0';

    const char *end = copy;
    cJSON *root = cJSON_ParseWithLengthOpts(copy, size + 1, &end, false);
    if (root != NULL) end += strspn(end, " \t\r\n");
    bool read = false;
    if (root == NULL || end != copy + size) {
        int line = 1;
        for (const char *c = copy; c < end; c++) line += *c == '\n';
        error_set(err, "%s: is not JSON in line %d", name, line);
    } else {
        Reader reader = {.keep = keep, .err = err};
        snprintf(reader.where, sizeof reader.where, "%.100s", name);
        read = read_catalogue(&reader, root, catalogue);
    }
    cJSON_Delete(root);
    return read;
}

bool catalogue_load(Arena *keep, Catalogue *catalogue, const char *path, Error *err)
{
    enum { MOST = 1 << 20 };
    FILE *stream = file_open(path, err);
    if (stream == NULL) return false;
    char *text = arena_alloc(keep, MOST + 1);
    size_t size = fread(text, 1, MOST + 1, stream);
    bool read = !ferror(stream);
    fclose(stream);
    if (!read || size > MOST)
        return error_set(err, "%s: cannot be read, or has more than %d bytes", path, MOST);
    return catalogue_parse(keep, catalogue, text, size, path, err);
}

const CatalogueSet *catalogue_find(const Catalogue *catalogue, const char *name)
{
    for (int i = 0; i < catalogue->count; i++)
        if (strcmp(catalogue->sets[i].name, name) == 0) return &catalogue->sets[i];
    return NULL;
}

uint64_t catalogue_bytes(const CatalogueSet *set)
{
    uint64_t bytes = 0;
    for (int i = 0; i < set->file_count; i++) bytes += set->files[i].bytes;
    return bytes;
}

bool catalogue_path(char path[PATH_MAX], const CatalogueSet *set, const CatalogueFile *file,
                    const char *data_dir, Error *err)
{
    const char *slash = set->folder[0] != '\0' ? "/" : "";
    if (snprintf(path, PATH_MAX, "%s/%s%s%s", data_dir, set->folder, slash, file->name) < PATH_MAX)
        return true;
    return error_set(err, "%.80s...: the path is too long", data_dir);
}

CatalogueState catalogue_check(const CatalogueSet *set, const char *data_dir)
{
    CatalogueState state = CATALOGUE_PRESENT;
    for (int i = 0; i < set->file_count; i++) {
        char path[PATH_MAX];
        struct stat info;
        if (!catalogue_path(path, set, &set->files[i], data_dir, NULL) || stat(path, &info) != 0)
            return CATALOGUE_MISSING;
        if (!S_ISREG(info.st_mode) || (uint64_t)info.st_size != set->files[i].bytes)
            state = CATALOGUE_DAMAGED;
    }
    return state;
}

bool catalogue_verify_file(const char *path, const CatalogueFile *file, Error *err)
{
    struct stat info;
    char sha256[CHECKSUM_SIZE];
    if (stat(path, &info) != 0) return error_set(err, "%s: %s", path, strerror(errno));
    if ((uint64_t)info.st_size != file->bytes)
        return error_set(err, "%s: has %" PRIu64 " bytes, expected %" PRIu64, path,
                         (uint64_t)info.st_size, file->bytes);
    if (!checksum_file(sha256, path, err)) return false;
    if (strcmp(sha256, file->sha256) != 0)
        return error_set(err, "%s: has SHA-256 %s, expected %s", path, sha256, file->sha256);
    return true;
}

bool catalogue_verify(const CatalogueSet *set, const char *data_dir, Error *err)
{
    for (int i = 0; i < set->file_count; i++) {
        char path[PATH_MAX];
        if (!catalogue_path(path, set, &set->files[i], data_dir, err) ||
            !catalogue_verify_file(path, &set->files[i], err))
            return false;
    }
    return true;
}
