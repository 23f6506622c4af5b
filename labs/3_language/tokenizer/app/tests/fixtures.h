/* fixtures.h -- the small tokenizers of fixtures/, which make_fixtures.py made, and others put together in a test.
 *
 *     Tokenizer *t = fixture("qwen2");    // skips the case where a library that it needs is missing
 *     assert_ids(t, "Hello", 5, (EncodeOptions){0}, (int[]){39, 68}, 2);
 */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "common/error.h"
#include "common/file.h"
#include "common/json.h"
#include "labs/3_language/tokenizer/app/encoder.h"
#include "tests/skip.h"

#define FIXTURES "labs/3_language/tokenizer/app/tests/fixtures/"

static inline const char *source_path(const char *path)
{
    static char full[PATH_MAX];
    snprintf(full, sizeof full, "%s/%s", SOURCE_DIR, path);
    return full;
}

// In the user's data folder; beside the checkout where none is named.
static inline const char *data_path(const char *path)
{
    static char full[PATH_MAX + 64];
    const char *data = getenv("LAB_DATA");
    snprintf(full, sizeof full, "%s/%s", data ? data : SOURCE_DIR "/../shared/data", path);
    return full;
}

static inline Tokenizer *must_open(const char *path)
{
    Error err = {""};
    Tokenizer *t = tokenizer_open(path, &err);
    if (t == NULL) fail_msg("was refused: %s", err.message);
    return t;
}

static inline Tokenizer *fixture(const char *name)
{
    char path[256];
    bool forms = strcmp(name, "qwen2") == 0 || strcmp(name, "mixed") == 0;
    if (forms && !HAVE_UTF8PROC) SKIP("no utf8proc", "./lab setup");
    if (strcmp(name, "mixed") == 0 && !HAVE_PCRE2) SKIP("no PCRE2", "./lab setup");
    snprintf(path, sizeof path, FIXTURES "%s.json", name);
    return must_open(source_path(path));
}

// A file of this test process; the same place each time.
static inline const char *scratch_path(const char *ends)
{
    static char path[PATH_MAX];
    const char *folder = getenv("TMPDIR");
    snprintf(path, sizeof path, "%s/tokenizer-test-%d%s", folder ? folder : "/tmp", (int)getpid(),
             ends);
    return path;
}

static inline const char *write_scratch(const void *bytes, size_t size, const char *ends)
{
    const char *path = scratch_path(ends);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    return path;
}

static inline TokenIds encoded(const Tokenizer *t, const void *text, size_t bytes,
                               EncodeOptions options)
{
    Error err = {""};
    TokenIds ids = {0};
    if (!tokenizer_encode(t, text, bytes, options, &ids, &err))
        fail_msg("was refused: %s", err.message);
    return ids;
}

static inline void print_ids(const char *what, const int32_t *ids, size_t count)
{
    print_error("%s", what);
    for (size_t i = 0; i < count && i < 60; i++) print_error(" %d", ids[i]);
    print_error("\n");
}

static inline void assert_same_ids(const TokenIds *got, const int32_t *want, size_t count,
                                   const char *text)
{
    if (got->count == count && (count == 0 || memcmp(got->ids, want, count * sizeof *want) == 0))
        return;
    print_error("text '%s'\n", text);
    print_ids("got      ", got->ids, got->count);
    print_ids("expected ", want, count);
    fail();
}

#define assert_ids(t, text, bytes, options, want, count)                                           \
    do {                                                                                           \
        TokenIds ids_ = encoded(t, text, bytes, options);                                          \
        assert_same_ids(&ids_, want, count, text);                                                 \
        free(ids_.ids);                                                                            \
    } while (0)

// The file of fixtures/.
static inline cJSON *must_load(const char *name)
{
    char path[256];
    Error err = {""};
    snprintf(path, sizeof path, FIXTURES "%s.json", name);
    cJSON *tree = json_load(source_path(path), &err);
    if (tree == NULL) fail_msg("%s", err.message);
    return tree;
}

// The ids that `tokenizers` gives for each of the texts.
static inline void assert_truth(const Tokenizer *t, const cJSON *texts, const cJSON *answers,
                                EncodeOptions options)
{
    const cJSON *text, *want = answers->child, *id;
    cJSON_ArrayForEach(text, texts)
    {
        TokenIds expected = {0};
        cJSON_ArrayForEach(id, want) ids_add(&expected, id->valueint);
        assert_ids(t, text->valuestring, strlen(text->valuestring), options, expected.ids,
                   expected.count);
        free(expected.ids);
        want = want->next;
    }
}

static inline void assert_decodes(const Tokenizer *t, const void *text, size_t bytes)
{
    TokenIds ids = encoded(t, text, bytes, (EncodeOptions){0});
    size_t got_bytes;
    char *got = tokenizer_decode(t, ids.ids, ids.count, (DecodeOptions){0}, &got_bytes);
    if (got_bytes != bytes || memcmp(got, text, bytes) != 0) {
        print_ids("ids", ids.ids, ids.count);
        fail_msg("'%.40s' decodes to '%.40s', %zu bytes of %zu", (const char *)text, got, got_bytes,
                 bytes);
    }
    free(got);
    free(ids.ids);
}
